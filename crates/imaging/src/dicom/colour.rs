//! Colour frames to display grey: luma. Neither Modality nor VOI LUT applies to them.

use dicom_dictionary_std::tags;

use super::attributes::Attributes;
use super::cells::{Frame, Layout};
use super::lut::Lut;
use super::pixel::{Photometric, PixelDescription};
use crate::Error;
use crate::luma::luma;

/// The luma of an RGB or YBR frame.
pub(super) fn grey(description: &PixelDescription, frame: &Frame) -> Vec<u8> {
    let pixels = description.pixels();
    // Of more than 16 bits the highest 16.
    let of_16_bits = |index: u32| (index >> description.bits_stored.saturating_sub(16)) as u16;
    let sample = |at: usize| of_16_bits(description.index(frame.cells.get(at)));
    let component = |pixel: usize, component: usize| match frame.layout {
        Layout::Interleaved => sample(3 * pixel + component),
        Layout::Planar => sample(component * pixels + pixel),
        // Y₁ Y₂ Cb Cr: only luma is asked for.
        Layout::Halved => sample(pixel / 2 * 4 + pixel % 2),
    };
    let white = of_16_bits(description.greatest());
    let is_rgb = frame.photometric == Photometric::Rgb;
    (0..pixels)
        .map(|pixel| if is_rgb { luma([0, 1, 2].map(|c| component(pixel, c))) } else { component(pixel, 0) })
        .map(|grey| to_8_bit(grey, white))
        .collect()
}

/// The luma of a PALETTE COLOR frame's colours.
pub(super) fn palette_grey(
    attributes: Attributes,
    description: &PixelDescription,
    frame: &Frame,
) -> Result<Vec<u8>, Error> {
    if attributes.has(tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA) {
        return Err(Error::UnsupportedPhotometric("PALETTE COLOR of segmented tables".to_owned()));
    }
    let palette = |descriptor, data| Lut::read(attributes, descriptor, data, description.signed);
    let red =
        palette(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA)?;
    let green = palette(
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    )?;
    let blue = palette(
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    )?;
    Ok(frame.cells.look_up(|cell| {
        let value = description.value(description.index(cell)) as f64;
        to_8_bit(luma([&red, &green, &blue].map(|lut| lut.apply(value))), red.maximum())
    }))
}

fn to_8_bit(grey: u16, white: u16) -> u8 {
    let (grey, white) = (u32::from(grey), u32::from(white));
    ((grey * 255 + white / 2) / white).min(255) as u8
}

//! JPEG 2000 and High-Throughput JPEG 2000 (ITU-T T.800, T.814).

use jpeg2k::{DecodeParameters, Image, ImageComponent};

use super::cells::{Cells, Frame, Layout};
use super::pixel::{Photometric, PixelDescription};
use crate::Error;

/// Decompresses one frame, and says every how many columns and rows it has a sample: a power of 2, no more than
/// `greatest_step`, and 1 where the code stream has no lower resolution that means the same. The decoder undoes the colour
/// transform of the code stream, if there is one.
pub(super) fn frame(
    bytes: &[u8],
    description: &PixelDescription,
    greatest_step: u32,
) -> Result<(Frame<'static>, u32), Error> {
    let header = MainHeader::read(bytes)
        .ok_or_else(|| Error::Malformed("a JPEG 2000 code stream without a main header".to_owned()))?;
    description.check_frame("JPEG 2000", header.width, header.height, header.components)?;
    let decode = |reduction| {
        Image::from_bytes_with(bytes, DecodeParameters::new().strict(true).reduce(reduction))
            .map_err(|error| Error::Decoder { codec: "JPEG 2000", message: error.to_string() })
    };
    let reduction = header.reduction(description, greatest_step);
    let (image, step) = match decode(reduction) {
        // A single tile may have fewer resolutions than the header says.
        Err(_) if reduction > 0 => (decode(0)?, 1),
        image => (image?, 1 << reduction),
    };
    let planes: Vec<&[i32]> = image.components().iter().map(ImageComponent::data).collect();
    if planes.len() != description.samples_per_pixel as usize
        || planes.iter().any(|plane| plane.len() != description.pixels_at(step))
    {
        return Err(Error::Malformed("JPEG 2000 components of unexpected number or size".to_owned()));
    }
    let samples = planes.iter().flat_map(|plane| plane.iter().copied());
    let cells = if step == 1 {
        Cells::from_samples(samples, description.bits_allocated)
    } else {
        // Low-passed edges swing beyond the values on both sides of them.
        let (lowest, highest) = description.range();
        let samples = samples.map(|sample| i64::from(sample).clamp(lowest, highest) as i32);
        Cells::from_samples(samples, description.bits_allocated)
    };
    let photometric = if header.colour_transform { Photometric::Rgb } else { description.photometric };
    Ok((Frame { cells, layout: Layout::Planar, photometric }, step))
}

/// What the main header of a code stream says.
struct MainHeader {
    width: u32,
    height: u32,
    components: u32,
    /// Bits per sample of the first component.
    precision: u32,
    /// Whether samples of the first component have a sign.
    signed: bool,
    /// Whether the first pixel stands at the origin, from where lower resolutions take every second, fourth, … one.
    at_origin: bool,
    colour_transform: bool,
    /// How often the resolution can be halved.
    decompositions: u32,
}

impl MainHeader {
    const START: [u8; 4] = [0xff, 0x4f, 0xff, 0x51]; // SOC, SIZ
    const CODING_STYLE: u8 = 0x52;
    const START_OF_TILE: u8 = 0x90;

    /// Reads the SIZ and COD segments; the code stream may lie inside a JP2 file.
    fn read(bytes: &[u8]) -> Option<Self> {
        let start = bytes.windows(4).position(|four| four == Self::START)?;
        let mut rest = bytes.get(start + 2..)?;
        let number =
            |at: usize| Some(u32::from_be_bytes(bytes.get(start + at..start + at + 4)?.try_into().ok()?));
        let width = number(8)?.checked_sub(number(16)?)?;
        let height = number(12)?.checked_sub(number(20)?)?;
        let components = u32::from(u16::from_be_bytes(bytes.get(start + 40..start + 42)?.try_into().ok()?));
        let depth = *bytes.get(start + 42)?;
        let (mut colour_transform, mut decompositions) = (false, 0);
        while let [0xff, marker, high, low, ..] = *rest {
            match marker {
                Self::START_OF_TILE => break,
                Self::CODING_STYLE => {
                    colour_transform = *rest.get(8)? == 1;
                    decompositions = u32::from(*rest.get(9)?);
                }
                _ => {}
            }
            rest = rest.get(2 + usize::from(u16::from_be_bytes([high, low]))..)?;
        }
        Some(Self {
            width,
            height,
            components,
            precision: u32::from(depth & 0x7f) + 1,
            signed: depth & 0x80 != 0,
            at_origin: (number(16)?, number(20)?) == (0, 0),
            colour_transform,
            decompositions,
        })
    }

    /// How often the resolution is halved: only where every bit that is decoded belongs to a grey value.
    fn reduction(&self, description: &PixelDescription, greatest_step: u32) -> u32 {
        let values_alone = self.components == 1
            && self.at_origin
            && self.signed == description.signed
            && self.precision <= description.bits_stored
            && !description.is_shifted();
        if values_alone { greatest_step.ilog2().min(self.decompositions) } else { 0 }
    }
}

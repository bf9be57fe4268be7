//! DICOM: from the stored samples to display grey (PS3.3 C.7.6.3, C.11.1, C.11.2).

mod attribute_tags;
mod attributes;
mod cells;
mod colour;
mod display;
mod elements;
mod encapsulated;
mod file;
mod jpeg;
mod jpeg2000;
mod jpeg_lossless;
mod jpeg_ls;
mod jpeg_xl;
mod lut;
mod meta;
mod native;
mod pixel;
mod rle;
mod text_risk;
mod window;

use std::path::Path;

use dicom_dictionary_std::tags;

use crate::radiograph::check_size;
use crate::{Error, Facts, GreyImage, Radiograph};
pub use attribute_tags::Tags;
use attributes::Attributes;
use cells::Frame;
use display::Display;
pub use file::Header;
use file::{File, Inflated};
use pixel::{Photometric, PixelDescription};

/// The first frame in display grey, and every how many columns and rows it has a sample: no more than `greatest_step` of
/// the image's columns and rows. `bytes` begin with the file meta information.
pub(crate) fn decode(
    bytes: &[u8],
    greatest_step: impl Fn(u32, u32) -> u32,
) -> Result<(Radiograph, u32), Error> {
    let inflated = Inflated::read(bytes)?;
    let file = inflated.parse()?;
    let attributes = Attributes::of(&file.data);
    let description = describe(&file)?;
    let full = || cells::first_frame(&file, &description, 1);
    let (pixels, step) = match description.photometric {
        Photometric::Monochrome { inverted } => {
            let display = Display::read(attributes, &description, inverted)?;
            let step = if display.is_gentle(&description) {
                greatest_step(description.columns, description.rows)
            } else {
                1
            };
            let (frame, step) = cells::first_frame(&file, &description, step)?;
            (display.grey(&description, &frame.cells), step)
        }
        Photometric::Palette => (colour::palette_grey(attributes, &description, &full()?.0)?, 1),
        Photometric::Rgb | Photometric::Ybr { .. } => (colour::grey(&description, &full()?.0), 1),
    };
    let facts = Facts {
        rows: description.rows,
        columns: description.columns,
        modality: attributes.text(tags::MODALITY),
        view: attributes.text(tags::VIEW_POSITION),
        frames: description.frames,
        text_risk: text_risk::of(attributes),
    };
    let (width, height) = (description.columns.div_ceil(step), description.rows.div_ceil(step));
    Ok((Radiograph { image: GreyImage { width, height, pixels }, facts }, step))
}

/// What a DICOM file says of patient and acquisition. The file is read up to its pixels, no further.
pub fn dicom_header(path: &Path) -> Result<Header, Error> {
    crate::contained(|| file::header(path))
}

/// What a DICOM file says of its pixels, as far as it can be read; nothing for other files.
pub fn dicom_tags(bytes: &[u8]) -> Tags {
    crate::contained(|| Ok(attribute_tags::read(bytes))).unwrap_or_default()
}

/// The samples of a first frame before any table.
#[derive(Debug)]
pub struct StoredSamples {
    /// Bits Allocated (0028,0100).
    pub bits_allocated: u32,
    /// Whether samples are signed.
    pub signed: bool,
    /// Whether there is one sample per pixel.
    pub grey: bool,
    /// The samples, masked to Bits Stored and with their sign.
    pub values: Vec<i64>,
}

pub(crate) fn stored_samples(bytes: &[u8]) -> Result<StoredSamples, Error> {
    let inflated = Inflated::read(bytes)?;
    let file = inflated.parse()?;
    let description = describe(&file)?;
    let (Frame { cells, .. }, _) = cells::first_frame(&file, &description, 1)?;
    Ok(StoredSamples {
        bits_allocated: description.bits_allocated,
        signed: description.signed,
        grey: description.samples_per_pixel == 1,
        values: cells.look_up(|cell| description.value(description.index(cell))),
    })
}

fn describe(file: &File) -> Result<PixelDescription, Error> {
    let attributes = Attributes::of(&file.data);
    if file.pixels.is_none() {
        let floating =
            attributes.has(tags::FLOAT_PIXEL_DATA) || attributes.has(tags::DOUBLE_FLOAT_PIXEL_DATA);
        return Err(if floating {
            Error::UnsupportedSamples("floating point".to_owned())
        } else {
            Error::NoPixelData
        });
    }
    let description = PixelDescription::read(attributes)?;
    check_size(description.columns, description.rows)?;
    Ok(description)
}

//! An image in display grey, and what its file says of it.

use crate::Error;

/// The most pixels an image may have: the largest detectors stay below 30 million.
pub(crate) const MAX_PIXELS: u64 = 200_000_000;

/// The most bytes that a file may unfold to.
pub(crate) const MAX_BYTES: u64 = 1 << 30;

/// An 8-bit grey image as a viewer shows it: 0 is black, 255 is white.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GreyImage {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// One byte per pixel, row after row from the top: `width · height` bytes.
    pub pixels: Vec<u8>,
}

/// What a file says of its image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Rows of the image as published (after EXIF orientation).
    pub rows: u32,
    /// Columns of the image as published (after EXIF orientation).
    pub columns: u32,
    /// Modality (0008,0060); `None` for anything but DICOM.
    pub modality: Option<String>,
    /// View Position (0018,5101); `None` for anything but DICOM.
    pub view: Option<String>,
    /// How many frames the file holds; the first one is read.
    pub frames: u32,
    /// Whether the picture may show text of the patient, by Burned In Annotation (0028,0301) or as a secondary capture;
    /// `None` where the file does not say.
    pub text_risk: Option<bool>,
}

/// A decoded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Radiograph {
    /// The first frame: at full resolution, or at the size that was asked for.
    pub image: GreyImage,
    /// What the file says of it.
    pub facts: Facts,
}

/// Refuses sizes that no radiograph has, before memory is taken for them.
pub(crate) fn check_size(width: u32, height: u32) -> Result<(), Error> {
    if width == 0 || height == 0 {
        return Err(Error::Malformed(format!("{width}×{height} pixels")));
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(Error::TooLarge(format!("{width}×{height} pixels, the limit is {MAX_PIXELS}")));
    }
    Ok(())
}

//! The pixel cells of the first frame, native or decompressed.

use std::borrow::Cow;

use dicom_core::value::Value;
use dicom_dictionary_std::uids;

use super::attributes::Attributes;
use super::file::File;
use super::pixel::{Photometric, PixelDescription};
use super::{encapsulated, jpeg, jpeg2000, native, rle};
use crate::Error;

/// Pixel cells: stored samples and whatever other bits lie around them.
pub(super) enum Cells<'a> {
    Bytes(Cow<'a, [u8]>),
    Words(Cow<'a, [u16]>),
}

impl Cells<'_> {
    /// One result per cell.
    pub(super) fn map<T>(&self, f: impl Fn(u16) -> T) -> Vec<T> {
        match self {
            Self::Bytes(cells) => cells.iter().map(|&cell| f(u16::from(cell))).collect(),
            Self::Words(cells) => cells.iter().map(|&cell| f(cell)).collect(),
        }
    }

    pub(super) fn get(&self, at: usize) -> u16 {
        match self {
            Self::Bytes(cells) => u16::from(cells[at]),
            Self::Words(cells) => cells[at],
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Bytes(cells) => cells.len(),
            Self::Words(cells) => cells.len(),
        }
    }
}

/// How the components of a colour frame lie in its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// One pixel after another.
    Interleaved,
    /// One component after another.
    Planar,
    /// Y₁ Y₂ Cb Cr for every two pixels.
    Halved,
}

/// The first frame.
pub(super) struct Frame<'a> {
    pub(super) cells: Cells<'a>,
    pub(super) layout: Layout,
    /// What the cells are after decompression, which may undo a colour transform.
    pub(super) photometric: Photometric,
}

/// The first frame of a file.
pub(super) fn first_frame<'a>(file: &'a File, description: &PixelDescription) -> Result<Frame<'a>, Error> {
    let uid = file.transfer_syntax.as_str();
    let codec = Codec::of(uid).ok_or_else(|| Error::UnsupportedTransferSyntax(uid.to_owned()))?;
    let frame = match (codec, Attributes::of(&file.data).pixel_data()) {
        (Codec::Native, Some(Value::Primitive(value))) => native::frame(value, description)?,
        (Codec::Native, _) => {
            return Err(Error::Malformed("encapsulated pixels in a native syntax".to_owned()));
        }
        (codec, Some(Value::PixelSequence(sequence))) => {
            let bytes = encapsulated::first_frame(sequence, description.frames)?;
            match codec {
                Codec::Rle => rle::frame(&bytes, description)?,
                Codec::Jpeg2000 => jpeg2000::frame(&bytes, description)?,
                _ => jpeg::frame(&bytes, description)?,
            }
        }
        _ => return Err(Error::Malformed("native pixels in a compressed syntax".to_owned())),
    };
    let samples = match frame.layout {
        Layout::Halved => 2,
        Layout::Interleaved | Layout::Planar => description.samples_per_pixel as usize,
    };
    let expected = description.pixels() * samples;
    if frame.cells.len() < expected {
        return Err(Error::Truncated(format!("{} of {expected} samples", frame.cells.len())));
    }
    Ok(frame)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Codec {
    Native,
    Jpeg,
    Jpeg2000,
    Rle,
}

impl Codec {
    fn of(uid: &str) -> Option<Self> {
        match uid {
            uids::IMPLICIT_VR_LITTLE_ENDIAN
            | uids::EXPLICIT_VR_LITTLE_ENDIAN
            | uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
            | "1.2.840.10008.1.2.2" => Some(Self::Native),
            uids::JPEG_BASELINE8_BIT
            | uids::JPEG_EXTENDED12_BIT
            | uids::JPEG_LOSSLESS
            | uids::JPEG_LOSSLESS_SV1 => Some(Self::Jpeg),
            uids::JPEG2000_LOSSLESS
            | uids::JPEG2000
            | uids::HTJ2K_LOSSLESS
            | uids::HTJ2K_LOSSLESS_RPCL
            | uids::HTJ2K => Some(Self::Jpeg2000),
            uids::RLE_LOSSLESS => Some(Self::Rle),
            _ => None,
        }
    }
}

//! The pixel cells of the first frame, native or decompressed.

use std::borrow::Cow;

use dicom_dictionary_std::uids;

use super::file::{EXPLICIT_VR_BIG_ENDIAN, File, PixelData};
use super::pixel::{Photometric, PixelDescription};
use super::{encapsulated, jpeg, jpeg_ls, jpeg_xl, jpeg2000, native, rle};
use crate::Error;

/// Pixel cells: stored samples and whatever other bits lie around them.
pub(super) enum Cells<'a> {
    Bytes(Cow<'a, [u8]>),
    /// 16 bits, little endian, as they lie in a file.
    Pairs(&'a [[u8; 2]]),
    Words(Vec<u16>),
    Longs(Vec<u32>),
}

impl Cells<'_> {
    /// Cells of this many bits, 32 at most, from samples of a decoder.
    pub(super) fn from_samples(samples: impl Iterator<Item = i32>, bits_allocated: u32) -> Self {
        match bits_allocated {
            0..=8 => Self::Bytes(Cow::Owned(samples.map(|sample| sample as u8).collect())),
            9..=16 => Self::Words(samples.map(|sample| sample as u16).collect()),
            _ => Self::Longs(samples.map(|sample| sample as u32).collect()),
        }
    }

    /// One result per cell. The function is called once for every value that a cell of 8 or 16 bits can have.
    pub(super) fn look_up<T: Copy>(&self, f: impl Fn(u32) -> T) -> Vec<T> {
        let table = |count: u32| (0..count).map(&f).collect::<Vec<T>>();
        match self {
            Self::Bytes(cells) => {
                let table: [T; 1 << 8] = table(1 << 8).try_into().ok().expect("an entry per byte");
                cells.iter().map(|&cell| table[usize::from(cell)]).collect()
            }
            Self::Pairs(cells) => {
                let table: Box<[T; 1 << 16]> = table(1 << 16).try_into().ok().expect("an entry per word");
                cells.iter().map(|&pair| table[usize::from(u16::from_le_bytes(pair))]).collect()
            }
            Self::Words(cells) => {
                let table: Box<[T; 1 << 16]> = table(1 << 16).try_into().ok().expect("an entry per word");
                cells.iter().map(|&cell| table[usize::from(cell)]).collect()
            }
            Self::Longs(cells) => cells.iter().map(|&cell| f(cell)).collect(),
        }
    }

    /// The least and the greatest of what `key` gives for a cell; `None` where it gives nothing.
    pub(super) fn extent(&self, key: impl Fn(u32) -> Option<u32>) -> Option<(u32, u32)> {
        fn fold(keys: impl Iterator<Item = Option<u32>>) -> Option<(u32, u32)> {
            let (least, greatest) = keys
                .flatten()
                .fold((u32::MAX, 0), |(least, greatest), key| (least.min(key), greatest.max(key)));
            (least <= greatest).then_some((least, greatest))
        }
        match self {
            Self::Bytes(cells) => fold(cells.iter().map(|&cell| key(cell.into()))),
            Self::Pairs(cells) => fold(cells.iter().map(|&pair| key(u16::from_le_bytes(pair).into()))),
            Self::Words(cells) => fold(cells.iter().map(|&cell| key(cell.into()))),
            Self::Longs(cells) => fold(cells.iter().map(|&cell| key(cell))),
        }
    }

    pub(super) fn get(&self, at: usize) -> u32 {
        match self {
            Self::Bytes(cells) => cells[at].into(),
            Self::Pairs(cells) => u16::from_le_bytes(cells[at]).into(),
            Self::Words(cells) => cells[at].into(),
            Self::Longs(cells) => cells[at],
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Bytes(cells) => cells.len(),
            Self::Pairs(cells) => cells.len(),
            Self::Words(cells) => cells.len(),
            Self::Longs(cells) => cells.len(),
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

/// The first frame of a file, and every how many columns and rows it has a sample: no more than `greatest_step`, and 1 of
/// all but JPEG 2000.
pub(super) fn first_frame<'a>(
    file: &File<'a>,
    description: &PixelDescription,
    greatest_step: u32,
) -> Result<(Frame<'a>, u32), Error> {
    let uid = file.transfer_syntax;
    let codec = Codec::of(uid).ok_or_else(|| Error::UnsupportedTransferSyntax(uid.to_owned()))?;
    let mut step = 1;
    let frame = match (codec, file.pixels) {
        (_, None) => return Err(Error::NoPixelData),
        (Codec::Native, Some(PixelData::Native { bytes, words })) => {
            native::frame(bytes, description, uid == EXPLICIT_VR_BIG_ENDIAN, words)
        }
        (Codec::Native, _) => {
            return Err(Error::Malformed("encapsulated pixels in a native syntax".to_owned()));
        }
        (codec, Some(PixelData::Encapsulated(items))) => {
            let bytes = encapsulated::first_frame(items, description.frames)?;
            match codec {
                Codec::Rle => rle::frame(&bytes, description)?,
                Codec::Jpeg2000 => {
                    let (frame, decoded_step) = jpeg2000::frame(&bytes, description, greatest_step)?;
                    step = decoded_step;
                    frame
                }
                Codec::JpegLs => jpeg_ls::frame(&bytes, description)?,
                Codec::JpegXl => jpeg_xl::frame(&bytes, description)?,
                Codec::Jpeg | Codec::Native => jpeg::frame(&bytes, description)?,
            }
        }
        _ => return Err(Error::Malformed("native pixels in a compressed syntax".to_owned())),
    };
    let samples = match frame.layout {
        Layout::Halved => 2,
        Layout::Interleaved | Layout::Planar => description.samples_per_pixel as usize,
    };
    let expected = description.pixels_at(step) * samples;
    if frame.cells.len() < expected {
        return Err(Error::Truncated(format!("{} of {expected} samples", frame.cells.len())));
    }
    Ok((frame, step))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Codec {
    Native,
    Jpeg,
    JpegLs,
    JpegXl,
    Jpeg2000,
    Rle,
}

impl Codec {
    fn of(uid: &str) -> Option<Self> {
        match uid {
            uids::IMPLICIT_VR_LITTLE_ENDIAN
            | uids::EXPLICIT_VR_LITTLE_ENDIAN
            | uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
            | EXPLICIT_VR_BIG_ENDIAN => Some(Self::Native),
            uids::JPEG_BASELINE8_BIT
            | uids::JPEG_EXTENDED12_BIT
            | uids::JPEG_LOSSLESS
            | uids::JPEG_LOSSLESS_SV1 => Some(Self::Jpeg),
            uids::JPEGLS_LOSSLESS | uids::JPEGLS_NEAR_LOSSLESS => Some(Self::JpegLs),
            uids::JPEG2000_LOSSLESS
            | uids::JPEG2000
            | uids::HTJ2K_LOSSLESS
            | uids::HTJ2K_LOSSLESS_RPCL
            | uids::HTJ2K => Some(Self::Jpeg2000),
            uids::JPEGXL_LOSSLESS | uids::JPEGXLJPEG_RECOMPRESSION | uids::JPEGXL => Some(Self::JpegXl),
            uids::RLE_LOSSLESS => Some(Self::Rle),
            _ => None,
        }
    }
}

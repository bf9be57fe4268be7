//! Uncompressed pixel data (PS3.5 section 8.1.1).

use std::borrow::Cow;

use dicom_core::PrimitiveValue;

use super::cells::{Cells, Frame, Layout};
use super::pixel::{Photometric, PixelDescription};
use crate::Error;

/// The first frame of uncompressed pixel data, borrowed where it can be.
pub(super) fn frame<'a>(
    value: &'a PrimitiveValue,
    description: &PixelDescription,
) -> Result<Frame<'a>, Error> {
    let layout = match description.photometric {
        Photometric::Ybr { halved: true } => Layout::Halved,
        _ if description.planar => Layout::Planar,
        _ => Layout::Interleaved,
    };
    let per_pixel = if layout == Layout::Halved { 2 } else { description.samples_per_pixel as usize };
    let count = description.pixels() * per_pixel;
    let cells = match (value, description.bits_allocated) {
        (PrimitiveValue::U8(bytes), 8) => Cells::Bytes(Cow::Borrowed(&bytes[..count.min(bytes.len())])),
        (PrimitiveValue::U8(bytes), _) => {
            let words = bytes.chunks_exact(2).take(count).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            Cells::Words(Cow::Owned(words.collect()))
        }
        (PrimitiveValue::U16(words), 16) => Cells::Words(Cow::Borrowed(&words[..count.min(words.len())])),
        // Two cells per word, the first in its low byte.
        (PrimitiveValue::U16(words), _) => {
            Cells::Bytes(Cow::Owned(words.iter().flat_map(|word| word.to_le_bytes()).take(count).collect()))
        }
        _ => return Err(Error::Malformed("pixel data are neither bytes nor words".to_owned())),
    };
    Ok(Frame { cells, layout, photometric: description.photometric })
}

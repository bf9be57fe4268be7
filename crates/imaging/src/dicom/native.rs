//! Uncompressed pixel data (PS3.5 section 8.1.1).

use std::borrow::Cow;

use super::cells::{Cells, Frame, Layout};
use super::pixel::{Photometric, PixelDescription};

/// The first frame of uncompressed pixel data, borrowed where it can be. `words` says that the VR is OW, in which big
/// endian files swap bytes too.
pub(super) fn frame<'a>(
    bytes: &'a [u8],
    description: &PixelDescription,
    big_endian: bool,
    words: bool,
) -> Frame<'a> {
    let layout = match description.photometric {
        Photometric::Ybr { halved: true } => Layout::Halved,
        _ if description.planar => Layout::Planar,
        _ => Layout::Interleaved,
    };
    let per_pixel = if layout == Layout::Halved { 2 } else { description.samples_per_pixel as usize };
    let count = description.pixels() * per_pixel;
    let first = |size: usize| &bytes[..(count * size).min(bytes.len())];
    let in_order = |length: usize| {
        if big_endian && words {
            let length = length.next_multiple_of(2).min(bytes.len());
            let mut swapped = bytes[..length].to_vec();
            swapped.as_chunks_mut::<2>().0.iter_mut().for_each(|pair| pair.swap(0, 1));
            Cow::Owned(swapped)
        } else {
            Cow::Borrowed(&bytes[..length.min(bytes.len())])
        }
    };
    let cells = match description.bits_allocated {
        1 => Cells::Bytes(Cow::Owned(bits(&in_order(count.div_ceil(8)), count))),
        8 => {
            let mut cells = in_order(count);
            if let Cow::Owned(cells) = &mut cells {
                cells.truncate(count);
            }
            Cells::Bytes(cells)
        }
        16 if big_endian => {
            Cells::Words(first(2).as_chunks().0.iter().map(|&pair| u16::from_be_bytes(pair)).collect())
        }
        16 => Cells::Pairs(first(2).as_chunks().0),
        _ => {
            let number = if big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
            Cells::Longs(first(4).as_chunks().0.iter().map(|&four| number(four)).collect())
        }
    };
    Frame { cells, layout, photometric: description.photometric }
}

/// Single bits, the lowest of a byte first, one cell each.
fn bits(bytes: &[u8], count: usize) -> Vec<u8> {
    bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1)).take(count).collect()
}

//! RLE Lossless (PS3.5 annex G).

use std::borrow::Cow;

use super::cells::{Cells, Frame, Layout};
use super::pixel::PixelDescription;
use crate::Error;

/// The number of segments and 15 offsets, each of 4 bytes.
const HEADER: usize = 64;

/// Decompresses one frame: a segment per byte of a sample and per component, the high byte first.
pub(super) fn frame(bytes: &[u8], description: &PixelDescription) -> Result<Frame<'static>, Error> {
    let pixels = description.pixels();
    let bytes_per_sample = description.bits_allocated as usize / 8;
    if bytes_per_sample == 0 {
        return Err(Error::UnsupportedSamples("RLE of single bits".to_owned()));
    }
    let segments = segments(bytes)?;
    let expected = bytes_per_sample * description.samples_per_pixel as usize;
    if segments.len() != expected {
        return Err(Error::Malformed(format!("{} RLE segments, {expected} expected", segments.len())));
    }
    let planes = segments.iter().map(|segment| unpack(segment, pixels)).collect::<Result<Vec<_>, _>>()?;
    let cells = match bytes_per_sample {
        1 => Cells::Bytes(Cow::Owned(planes.concat())),
        2 => Cells::Words(
            planes
                .as_chunks()
                .0
                .iter()
                .flat_map(|[high, low]| high.iter().zip(low))
                .map(|(&high, &low)| u16::from_be_bytes([high, low]))
                .collect(),
        ),
        _ => Cells::Longs(
            planes
                .as_chunks()
                .0
                .iter()
                .flat_map(|[a, b, c, d]| a.iter().zip(b).zip(c).zip(d))
                .map(|(((&a, &b), &c), &d)| u32::from_be_bytes([a, b, c, d]))
                .collect(),
        ),
    };
    Ok(Frame { cells, layout: Layout::Planar, photometric: description.photometric })
}

fn segments(bytes: &[u8]) -> Result<Vec<&[u8]>, Error> {
    let header = bytes.get(..HEADER).ok_or_else(|| Error::Truncated("RLE header".to_owned()))?;
    let mut numbers = header.chunks_exact(4).map(|n| u32::from_le_bytes([n[0], n[1], n[2], n[3]]) as usize);
    let count = numbers.next().unwrap_or_default();
    let mut offsets: Vec<usize> = numbers.take(count).collect();
    offsets.push(bytes.len());
    offsets
        .windows(2)
        .map(|pair| bytes.get(pair[0]..pair[1]))
        .map(|segment| segment.ok_or_else(|| Error::Truncated("RLE segment".to_owned())))
        .collect()
}

/// Undoes the `PackBits` scheme until there are `count` bytes.
fn unpack(packed: &[u8], count: usize) -> Result<Vec<u8>, Error> {
    let mut unpacked = Vec::with_capacity(count);
    let mut rest = packed;
    while unpacked.len() < count {
        let truncated = || Error::Truncated(format!("{} of {count} bytes of an RLE segment", unpacked.len()));
        let (&control, tail) = rest.split_first().ok_or_else(truncated)?;
        match control {
            0..=127 => {
                let (literal, tail) =
                    tail.split_at_checked(usize::from(control) + 1).ok_or_else(truncated)?;
                unpacked.extend_from_slice(literal);
                rest = tail;
            }
            128 => rest = tail,
            129..=255 => {
                let (&byte, tail) = tail.split_first().ok_or_else(truncated)?;
                unpacked.resize(unpacked.len() + 257 - usize::from(control), byte);
                rest = tail;
            }
        }
    }
    unpacked.truncate(count);
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use super::unpack;

    #[test]
    fn packbits_example() {
        // The worked example of Apple's technical note TN1023.
        let packed = b"\xfe\xaa\x02\x80\x00\x2a\xfd\xaa\x03\x80\x00\x2a\x22\xf7\xaa";
        let unpacked = b"\xaa\xaa\xaa\x80\x00\x2a\xaa\xaa\xaa\xaa\x80\x00\x2a\x22\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa";
        assert_eq!(unpack(packed, 24).unwrap(), unpacked);
        assert_eq!(unpack(packed, 25).unwrap_err().reason(), "truncated");
        assert_eq!(unpack(b"\x80\x00\x07\x00", 1).unwrap(), [7], "128 does nothing");
    }
}

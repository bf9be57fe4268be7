//! JPEG lossless as archives keep radiographs: one component of 9 to 16 bits, each sample predicted by its left neighbour
//! (ITU-T T.81, process 14, selection value 1), twice as fast as libjpeg-turbo.
//!
//! This decodes or declines: whatever is not exactly as expected is left to libjpeg-turbo, and with it every error.

use crate::jpeg_markers::{HUFFMAN_TABLES, LOSSLESS_FRAME, START_OF_SCAN, segments};

/// Bits of the look-up table: most samples take fewer, code and difference together, and 32 KB fit the nearest cache.
const PEEK: u32 = 13;
/// Bytes that are read at once; so many follow the data.
const WORD: usize = size_of::<u64>();

/// The samples of an image whose header libjpeg-turbo has read, and found to be of this size; or `None`.
pub(super) fn samples(jpeg: &[u8], width: u32, height: u32) -> Option<Vec<u16>> {
    let (mut frame, mut tables, mut scan) = (None, [const { None }; 4], None);
    for segment in segments(jpeg) {
        match (segment.marker, segment.body) {
            (LOSSLESS_FRAME, &[bits @ 9..=16, h0, h1, w0, w1, 1, name, 0x11, _]) if frame.is_none() => {
                let size = [[w0, w1], [h0, h1]].map(u16::from_be_bytes).map(u32::from);
                frame = (size == [width, height]).then_some((bits, name));
            }
            (HUFFMAN_TABLES, mut body) => {
                while let Some((&[class], rest)) = body.split_first_chunk() {
                    let (table, rest) = Table::read(rest)?;
                    *tables.get_mut(usize::from(class))? = Some(table);
                    body = rest;
                }
            }
            // One component, the left neighbour, no shift of the samples.
            (START_OF_SCAN, &[1, name, table, 1, 0, 0]) => scan = Some((name, table >> 4, segment.end)),
            (0xe0..=0xef | 0xfe, _) => {} // of applications; comments
            _ => return None,
        }
    }
    let ((bits, name), (scanned, table, start)) = (frame?, scan?);
    let table = tables.get(usize::from(table))?.as_ref().filter(|_| scanned == name)?;
    table.decode(&unstuffed(&jpeg[start..])?, width as usize, height as usize, 1 << (bits - 1))
}

/// Entropy-coded data without the zero behind each 0xff, up to the end of the image, with a word of zeros behind;
/// `None` if any other marker comes first.
fn unstuffed(coded: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(coded.len() + WORD);
    let mut rest = coded;
    loop {
        let at = memchr::memchr(0xff, rest)?;
        match rest.get(at + 1)? {
            0 => plain.extend_from_slice(&rest[..=at]),
            0xd9 => {
                plain.extend_from_slice(&rest[..at]);
                plain.extend([0; WORD]);
                return Some(plain);
            }
            _ => return None,
        }
        rest = &rest[at + 2..];
    }
}

/// A Huffman table for differences.
struct Table {
    /// By the next [`PEEK`] bits: the difference and how many bits it takes with its code; 0 bits where those are more.
    near: Vec<(i16, u8)>,
    /// For each length of code, 1 to 16: the end of its codes, aligned to 16 bits, and what to add to a code for its
    /// place among the categories.
    ends: [(u32, i32); 16],
    /// Bits of the difference that follows, by place.
    categories: Vec<u8>,
}

impl Table {
    /// A table (T.81, B.2.4.2) and what follows it.
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (counts, rest) = bytes.split_first_chunk::<16>()?;
        let count: usize = counts.iter().map(|&count| usize::from(count)).sum();
        let (categories, rest) = rest.split_at_checked(count)?;
        if categories.iter().any(|&category| category > 16) {
            return None;
        }
        let mut ends = [(0, 0); 16];
        let (mut code, mut place) = (0_u32, 0_i32);
        for (index, &count) in counts.iter().enumerate() {
            let length = index as u32 + 1;
            let first = code;
            code += u32::from(count);
            if count > 0 && code >= 1 << length {
                return None; // no code may be all ones
            }
            ends[index] = (code << (16 - length), place - first as i32);
            place += i32::from(count);
            code <<= 1;
        }
        let mut table = Self { near: Vec::new(), ends, categories: categories.to_vec() };
        let near = (0..1 << PEEK).map(|peek: u64| {
            let found = table.difference(peek << (64 - PEEK)).filter(|(_, bits)| *bits <= PEEK);
            found.map_or((0, 0), |(difference, bits)| (difference, bits as u8))
        });
        table.near = near.collect();
        Some((table, rest))
    }

    /// The difference that a word of data begins with, and the bits that it takes with its code, 1 to 32.
    fn difference(&self, word: u64) -> Option<(i16, u32)> {
        let ahead = (word >> 48) as u32;
        let index = self.ends.iter().position(|&(end, _)| ahead < end)?;
        let length = index as u32 + 1;
        let place = (ahead >> (16 - length)) as i32 + self.ends[index].1;
        let category = u32::from(*self.categories.get(usize::try_from(place).ok()?)?);
        Some(match category {
            0 => (0, length),
            16 => (i16::MIN, length), // 32768, without bits of its own
            _ => {
                let value = (word << length >> (64 - category)) as i32;
                let negative = value >> (category - 1) == 0;
                let difference = if negative { value - (1 << category) + 1 } else { value };
                (difference as i16, length + category)
            }
        })
    }

    /// Undoes the coding of differences and the prediction (T.81, H.1.2); `start` predicts the first sample.
    fn decode(&self, data: &[u8], width: usize, height: usize, start: u16) -> Option<Vec<u16>> {
        let near: &[(i16, u8); 1 << PEEK] = self.near.first_chunk()?; // of known length: no index is checked
        let mut samples = vec![0; width * height];
        let mut above = start;
        let mut bit = 0;
        for row in samples.chunks_exact_mut(width) {
            let mut predicted = above;
            for sample in &mut *row {
                let ahead = data.get(bit / 8..)?.first_chunk::<WORD>()?;
                let word = u64::from_be_bytes(*ahead) << (bit % 8);
                let (mut difference, bits) = near[(word >> (64 - PEEK)) as usize];
                let mut bits = u32::from(bits);
                if bits == 0 {
                    (difference, bits) = self.difference(word)?;
                }
                bit += bits as usize;
                predicted = predicted.wrapping_add_signed(difference);
                *sample = predicted;
            }
            above = row[0];
        }
        // All is used but the bits that fill the last byte.
        (bit.div_ceil(8) == data.len() - WORD).then_some(samples)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::turbo::{Jpeg, Samples, compress_lossless};

    /// Images of every kind of difference: flat, noise of so many bits, and both ends of the range.
    fn image() -> impl Strategy<Value = (u32, u32, u32, Vec<u16>)> {
        (1..40_u32, 1..20_u32, 9..=16_u32).prop_flat_map(|(width, height, bits)| {
            let greatest = u16::MAX >> (16 - bits);
            let sample = prop_oneof![Just(0), Just(greatest), 0..=greatest, 100..110_u16, Just(77)];
            let samples = proptest::collection::vec(sample, (width * height) as usize);
            (Just(width), Just(height), Just(bits), samples)
        })
    }

    fn by_the_library(jpeg: &[u8]) -> Result<Vec<u16>, String> {
        match Jpeg::open(jpeg)?.decompress()? {
            Samples::Words(words) => Ok(words),
            Samples::Bytes(_) => Err("samples of 8 bits".to_owned()),
        }
    }

    proptest! {
        #[test]
        fn decodes_what_the_library_codes((width, height, bits, image) in image()) {
            let jpeg = compress_lossless(&image, width, height, bits);
            prop_assert_eq!(samples(&jpeg, width, height), Some(image));
        }

        #[test]
        fn what_is_damaged_is_declined_or_decoded_as_the_library_does(
            (width, height, bits, image) in image(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut jpeg = compress_lossless(&image, width, height, bits);
            prop_assert_eq!(samples(&jpeg[..cut.index(jpeg.len())], width, height), None);
            let at = at.index(jpeg.len());
            jpeg[at] = byte;
            if Jpeg::open(&jpeg).is_ok()
                && let Some(found) = samples(&jpeg, width, height)
            {
                prop_assert_eq!(by_the_library(&jpeg), Ok(found));
            }
        }
    }
}

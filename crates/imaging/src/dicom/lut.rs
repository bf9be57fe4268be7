//! Lookup tables stored in a file: Modality LUT, VOI LUT, palettes (PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5).

use dicom_core::{PrimitiveValue, Tag};
use dicom_dictionary_std::tags;

use super::attributes::{Attributes, name};
use crate::Error;

/// A lookup table.
pub(super) struct Lut {
    /// The input that the first entry stands for; smaller inputs take the first entry, larger ones the last.
    first: f64,
    entries: Vec<u16>,
    /// Bits per entry: outputs lie in `0 ..= 2^bits − 1`.
    bits: u32,
}

impl Lut {
    /// The table in the first item of a Modality or VOI LUT Sequence, `signed` when its inputs can be negative; `None`
    /// without a sequence, and for the item without a table that some files have.
    pub(super) fn in_sequence(
        attributes: Attributes,
        sequence: Tag,
        signed: bool,
    ) -> Result<Option<Self>, Error> {
        match attributes.first_item(sequence) {
            Some(item) if item.value(tags::LUT_DESCRIPTOR).or(item.value(tags::LUT_DATA)).is_some() => {
                Self::read(item, tags::LUT_DESCRIPTOR, tags::LUT_DATA, signed).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The table that `descriptor` describes and `data` holds.
    pub(super) fn read(
        attributes: Attributes,
        descriptor: Tag,
        data: Tag,
        signed: bool,
    ) -> Result<Self, Error> {
        let missing = |tag| move || Error::MissingAttribute(name(tag));
        let malformed = || Error::Malformed(format!("{} or {}", name(descriptor), name(data)));
        let described =
            words(attributes.value(descriptor).ok_or_else(missing(descriptor))?).ok_or_else(malformed)?;
        let [count, first, bits] = described[..] else { return Err(malformed()) };
        let count = if count == 0 { 1 << 16 } else { usize::from(count) };
        let bits = u32::from(bits);
        if !(1..=16).contains(&bits) {
            return Err(malformed());
        }
        let value = attributes.value(data).ok_or_else(missing(data))?;
        let mut entries = if holds_bytes(value, count, bits) { bytes(value) } else { words(value) }
            .ok_or_else(malformed)?;
        if entries.len() < count {
            return Err(Error::Truncated(format!("{} of {count} entries of {}", entries.len(), name(data))));
        }
        entries.truncate(count);
        let first = if signed { f64::from(first as i16) } else { f64::from(first) };
        Ok(Self { first, entries, bits })
    }

    /// The output for an input, which is rounded to a whole number first.
    pub(super) fn apply(&self, input: f64) -> u16 {
        // The conversion saturates: negative becomes 0.
        let at = (input - self.first).round() as usize;
        self.entries[at.min(self.entries.len() - 1)]
    }

    /// The largest output there can be.
    pub(super) fn maximum(&self) -> u16 {
        ((1u32 << self.bits) - 1) as u16
    }
}

/// Whether a table of 8-bit entries stands as bytes rather than as words.
fn holds_bytes(value: &PrimitiveValue, count: usize, bits: u32) -> bool {
    bits <= 8 && value.calculate_byte_len() < 2 * count
}

fn bytes(value: &PrimitiveValue) -> Option<Vec<u16>> {
    match value {
        PrimitiveValue::U8(bytes) => Some(bytes.iter().map(|&byte| u16::from(byte)).collect()),
        PrimitiveValue::U16(words) => {
            Some(words.iter().flat_map(|word| word.to_le_bytes()).map(u16::from).collect())
        }
        _ => None,
    }
}

/// Words of VR US, SS or OW; of VR OB or UN, two bytes make one.
fn words(value: &PrimitiveValue) -> Option<Vec<u16>> {
    match value {
        PrimitiveValue::U16(words) => Some(words.to_vec()),
        PrimitiveValue::I16(words) => Some(words.iter().map(|&word| word as u16).collect()),
        PrimitiveValue::U8(bytes) => {
            Some(bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect())
        }
        _ => None,
    }
}

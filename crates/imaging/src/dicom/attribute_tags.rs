//! What the attributes say of a file whose pixels may not be readable.

use dicom_dictionary_std::tags;

use super::attributes::Attributes;
use super::file::Inflated;
use super::meta;
use crate::sniff::{self, Format};

/// The attributes that tell why a decoder refuses a file. None of them names a person; each is `None` where the file
/// does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// Transfer Syntax UID (0002,0010).
    pub transfer_syntax: Option<String>,
    /// Photometric Interpretation (0028,0004).
    pub photometric: Option<String>,
    /// Bits Allocated (0028,0100).
    pub bits_allocated: Option<u32>,
    /// Bits Stored (0028,0101).
    pub bits_stored: Option<u32>,
    /// Modality (0008,0060).
    pub modality: Option<String>,
}

/// Reads as many of these attributes as a broken file gives away.
pub(crate) fn read(bytes: &[u8]) -> Tags {
    let Ok(Format::Dicom { meta: start }) = sniff::format(bytes) else { return Tags::default() };
    let Ok(meta) = meta::read(&bytes[start..]) else { return Tags::default() };
    let transfer_syntax = Some(plain(&meta.transfer_syntax));
    let elements = Inflated::read(&bytes[start..]).ok().and_then(|inflated| inflated.whole_elements());
    let Some(object) = elements else {
        return Tags { transfer_syntax, ..Tags::default() };
    };
    let attributes = Attributes::of(&object);
    let number = |tag| attributes.unsigned(tag).ok().flatten();
    Tags {
        transfer_syntax,
        photometric: attributes.text(tags::PHOTOMETRIC_INTERPRETATION).map(|text| plain(&text)),
        bits_allocated: number(tags::BITS_ALLOCATED),
        bits_stored: number(tags::BITS_STORED),
        modality: attributes.text(tags::MODALITY).map(|text| plain(&text)),
    }
}

/// At most 64 letters, digits, dots, blanks, hyphens and underscores: a code, not whatever a broken file holds there.
fn plain(text: &str) -> String {
    let kept = |c: &char| c.is_ascii_alphanumeric() || ". -_".contains(*c);
    text.chars().filter(kept).take(64).collect()
}

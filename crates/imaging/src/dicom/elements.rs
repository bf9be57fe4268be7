//! Where the elements of a data set lie (PS3.5 section 7), found without reading a value: pixels need no copy, and no
//! length or depth that a file claims takes memory or stack.

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};

use crate::Error;

/// The deepest nesting of sequences that is read. Parsers that recurse need an end before the stack's.
const DEEPEST: usize = 32;

pub(super) const ITEM: Tag = Tag(0xfffe, 0xe000);
const ITEM_DELIMITER: Tag = Tag(0xfffe, 0xe00d);
pub(super) const SEQUENCE_DELIMITER: Tag = Tag(0xfffe, 0xe0dd);

/// How the headers of elements are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Implicit,
    Explicit,
    BigEndian,
}

/// Where the value of an element lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element {
    pub(super) tag: Tag,
    /// `None` where headers name no VR.
    pub(super) vr: Option<VR>,
    /// The first byte of the value.
    pub(super) start: usize,
    /// `None`: undefined, the value ends at a delimiter.
    pub(super) length: Option<usize>,
}

/// Whether the first element of a data set has no VR; some compressed files are written so, against PS3.5 A.4.
pub(super) fn has_no_vr(data_set: &[u8]) -> bool {
    data_set.get(4..6).is_some_and(|vr| !vr.iter().all(u8::is_ascii_uppercase))
}

/// The header of an element or item that begins at byte `at`.
pub(super) fn element(bytes: &[u8], at: usize, encoding: Encoding) -> Result<Element, Error> {
    let truncated = || Error::Truncated(format!("the header of an element at byte {at} of the data set"));
    let short = |at: usize| {
        let two: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
        Some(if encoding == Encoding::BigEndian { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
    };
    let long = |at: usize| {
        let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(if encoding == Encoding::BigEndian {
            u32::from_be_bytes(four)
        } else {
            u32::from_le_bytes(four)
        })
    };
    let (group, number) = short(at).zip(short(at + 2)).ok_or_else(truncated)?;
    let vr = (encoding != Encoding::Implicit && group != 0xfffe)
        .then(|| bytes.get(at + 4..at + 6).and_then(|vr| VR::from_binary([vr[0], vr[1]])).unwrap_or(VR::UN));
    let (start, length) = match vr {
        None => (at + 8, long(at + 4)),
        Some(
            VR::OB
            | VR::OD
            | VR::OF
            | VR::OL
            | VR::OV
            | VR::OW
            | VR::SQ
            | VR::SV
            | VR::UC
            | VR::UN
            | VR::UR
            | VR::UT
            | VR::UV,
        ) => (at + 12, long(at + 8)),
        Some(_) => (at + 8, short(at + 6).map(u32::from)),
    };
    let length = length.ok_or_else(truncated)?;
    let length = (length != u32::MAX).then_some(length as usize);
    Ok(Element { tag: Tag(group, number), vr, start, length })
}

/// How many bytes the elements before the pixels take, and the header of Pixel Data (7FE0,0010): `None` without it, an
/// error where an element before it is broken.
pub(super) fn before_pixels(bytes: &[u8], encoding: Encoding) -> (usize, Result<Option<Element>, Error>) {
    let mut at = 0;
    while at < bytes.len() {
        let next = match element(bytes, at, encoding) {
            Ok(element) if element.tag == tags::PIXEL_DATA => return (at, Ok(Some(element))),
            Ok(element) => end(bytes, element, encoding),
            Err(error) => Err(error),
        };
        match next {
            Ok(next) => at = next,
            Err(error) => return (at, Err(error)),
        }
    }
    (at, Ok(None))
}

/// The first byte behind an element's value, whose nested sequences are followed.
pub(super) fn end(bytes: &[u8], element: Element, encoding: Encoding) -> Result<usize, Error> {
    end_at_depth(bytes, element, encoding, 0)
}

fn end_at_depth(bytes: &[u8], element: Element, encoding: Encoding, depth: usize) -> Result<usize, Error> {
    let Element { tag, vr, start, length } = element;
    if depth > DEEPEST {
        return Err(Error::Malformed(format!("sequences nested deeper than {DEEPEST}")));
    }
    let end = length.map(|length| start + length);
    if end.is_some_and(|end| end > bytes.len()) {
        return Err(Error::Truncated(format!(
            "{tag} ends {} bytes early",
            start + length.unwrap_or(0) - bytes.len()
        )));
    }
    let stated = vr.or_else(|| StandardDataDictionary.by_tag(tag).map(|entry| entry.vr().relaxed()));
    let is_sequence = stated == Some(VR::SQ);
    if let (Some(length), Some(vr)) = (length, stated)
        && tag != tags::PIXEL_DATA // not parsed, and often without its padding
        && length % bytes_of_one(vr) != 0
    {
        // Parsers read as many whole numbers as there are, and take what is left for the next element.
        return Err(Error::Malformed(format!(
            "{tag} is of {length} bytes, which are no whole numbers of VR {vr}"
        )));
    }
    match (vr, end) {
        (_, Some(end)) if !is_sequence => Ok(end),
        // PS3.5 6.2.2: an unknown VR of undefined length holds a sequence in implicit VR little endian.
        (Some(VR::UN), None) => items(bytes, start, end, Encoding::Implicit, depth),
        _ if tag == tags::PIXEL_DATA => fragments(bytes, start, encoding),
        (Some(vr), None) if !is_sequence => {
            // Parsers take such a value for a sequence, and its bytes for elements of any length.
            Err(Error::Malformed(format!("{tag} is of VR {vr} and has no length")))
        }
        _ => items(bytes, start, end, encoding, depth),
    }
}

/// The bytes of one number of this VR (PS3.5 section 6.2); 1 of text and of bytes.
fn bytes_of_one(vr: VR) -> usize {
    match vr {
        VR::SS | VR::US | VR::OW => 2,
        VR::AT | VR::FL | VR::SL | VR::UL | VR::OF | VR::OL => 4,
        VR::FD | VR::OD | VR::OV | VR::SV | VR::UV => 8,
        _ => 1,
    }
}

/// The end of the items of a sequence; `end` is `None` where a delimiter follows them.
fn items(
    bytes: &[u8],
    start: usize,
    end: Option<usize>,
    encoding: Encoding,
    depth: usize,
) -> Result<usize, Error> {
    let mut at = start;
    while end.is_none_or(|end| at < end) {
        let item = element(bytes, at, encoding)?;
        match item.tag {
            ITEM => {
                let item_end = item.length.map(|length| item.start + length);
                if item_end.is_some_and(|item_end| item_end > bytes.len()) {
                    return Err(Error::Truncated("an item of a sequence".to_owned()));
                }
                if item_end.is_some_and(|item_end| end.is_some_and(|end| item_end > end)) {
                    return Err(Error::Malformed("an item ends behind its sequence".to_owned()));
                }
                at = elements(bytes, item.start, item_end, encoding, depth)?;
            }
            SEQUENCE_DELIMITER => return Ok(end.unwrap_or(item.start)),
            tag => return Err(Error::Malformed(format!("{tag} stands where an item should"))),
        }
    }
    Ok(at)
}

/// The end of the elements of an item; `end` is `None` where a delimiter follows them.
fn elements(
    bytes: &[u8],
    start: usize,
    end: Option<usize>,
    encoding: Encoding,
    depth: usize,
) -> Result<usize, Error> {
    let mut at = start;
    while end.is_none_or(|end| at < end) {
        let next = element(bytes, at, encoding)?;
        if next.tag == ITEM_DELIMITER {
            return Ok(end.unwrap_or(next.start));
        }
        at = end_at_depth(bytes, next, encoding, depth + 1)?;
    }
    Ok(at)
}

/// The end of fragments, which are items without elements.
fn fragments(bytes: &[u8], start: usize, encoding: Encoding) -> Result<usize, Error> {
    let mut at = start;
    loop {
        let item = element(bytes, at, encoding)?;
        match (item.tag, item.length) {
            (SEQUENCE_DELIMITER, _) => return Ok(item.start),
            (ITEM, Some(length)) => at = item.start + length,
            (tag, _) => return Err(Error::Malformed(format!("{tag} stands where a fragment should"))),
        }
    }
}

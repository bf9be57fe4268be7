//! The file meta information (group 0002): explicit VR little endian by definition, PS3.10 section 7.1. Only the
//! transfer syntax matters here, so a UID that is malformed elsewhere in it (as in the public releases of
//! SIIM-FISABIO-RSNA) costs no image.

use crate::Error;

/// Where the file meta information ends, and the transfer syntax it names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) transfer_syntax: String,
    pub(super) length: usize,
}

/// Reads the file meta information at the first of `bytes`.
pub(super) fn read(bytes: &[u8]) -> Result<Meta, Error> {
    let mut transfer_syntax = None;
    let mut length = 0;
    while bytes.get(length..length + 2) == Some(&[2, 0]) {
        let element = Element::at(&bytes[length..]).ok_or_else(truncated)?;
        if element.number == 0x0010 {
            let uid = String::from_utf8_lossy(element.value);
            transfer_syntax = Some(uid.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned());
        }
        length += element.length;
    }
    let transfer_syntax =
        transfer_syntax.ok_or(Error::MissingAttribute("Transfer Syntax UID (0002,0010)"))?;
    Ok(Meta { transfer_syntax, length })
}

struct Element<'a> {
    number: u16,
    value: &'a [u8],
    /// Of header and value, in bytes.
    length: usize,
}

impl<'a> Element<'a> {
    fn at(bytes: &'a [u8]) -> Option<Self> {
        let short = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
        let (header, extent) = match bytes.get(4..6)? {
            b"OB" | b"OW" | b"UN" | b"UT" | b"SQ" => {
                (12, u32::from_le_bytes(bytes.get(8..12)?.try_into().ok()?) as usize)
            }
            _ => (8, usize::from(short(6)?)),
        };
        let length = header + extent;
        Some(Self { number: short(2)?, value: bytes.get(header..length)?, length })
    }
}

fn truncated() -> Error {
    Error::Truncated("the file meta information ends early".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(number: u16, vr: [u8; 2], value: &[u8]) -> Vec<u8> {
        let mut bytes = [&[2, 0][..], &number.to_le_bytes(), &vr].concat();
        if vr == *b"OB" {
            bytes.extend([0, 0]);
            bytes.extend((value.len() as u32).to_le_bytes());
        } else {
            bytes.extend((value.len() as u16).to_le_bytes());
        }
        [bytes, value.to_vec()].concat()
    }

    #[test]
    fn a_malformed_instance_uid_costs_nothing() {
        let group = [
            element(0x0000, *b"UL", &[1, 0, 0, 0]), // a wrong group length
            element(0x0001, *b"OB", &[0, 1]),
            element(0x0003, *b"UI", b"65761e66de9f"),
            element(0x0010, *b"UI", b"1.2.840.10008.1.2.4.50\0\0"),
        ]
        .concat();
        let file = [group.clone(), vec![8, 0, 5, 0]].concat();
        let transfer_syntax = "1.2.840.10008.1.2.4.50".to_owned();
        assert_eq!(read(&file).unwrap(), Meta { transfer_syntax, length: group.len() });
    }

    #[test]
    fn every_cut_is_an_error() {
        let group = element(0x0010, *b"UI", b"1.2.840.10008.1.2\0");
        for length in 0..group.len() {
            assert!(read(&group[..length]).is_err(), "{length} bytes");
        }
    }
}

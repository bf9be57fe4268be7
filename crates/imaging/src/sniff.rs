//! What a file is, by its first bytes.

use image::ImageFormat;

use crate::Error;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// DICOM, its file meta information (group 0002) beginning at byte `meta`.
    Dicom { meta: usize },
    /// PNG, JPEG or WebP.
    Raster(ImageFormat),
}

const MAGIC: &[u8] = b"DICM";
const PREAMBLE: usize = 128;

/// What a file is, by its first 134 bytes. DICOM is known with its preamble, without it, and without `DICM` too.
pub(crate) fn format(bytes: &[u8]) -> Result<Format, Error> {
    let starts_with = |at: usize, magic: &[u8]| bytes.get(at..).is_some_and(|tail| tail.starts_with(magic));
    if starts_with(PREAMBLE, MAGIC) {
        Ok(Format::Dicom { meta: PREAMBLE + MAGIC.len() })
    } else if starts_with(0, MAGIC) {
        Ok(Format::Dicom { meta: MAGIC.len() })
    } else if is_element_of_group(2, bytes) {
        Ok(Format::Dicom { meta: 0 })
    } else if starts_with(0, b"\x89PNG\r\n\x1a\n") {
        Ok(Format::Raster(ImageFormat::Png))
    } else if starts_with(0, b"\xff\xd8\xff") {
        Ok(Format::Raster(ImageFormat::Jpeg))
    } else if starts_with(0, b"RIFF") && starts_with(8, b"WEBP") {
        Ok(Format::Raster(ImageFormat::WebP))
    } else if is_element_of_group(8, bytes) || is_big_endian_element_of_group_8(bytes) {
        Err(Error::NoFileMeta)
    } else {
        Err(Error::NotAnImage)
    }
}

/// Whether a low element of this group comes first, little endian; group 0002 has explicit VRs.
fn is_element_of_group(group: u8, bytes: &[u8]) -> bool {
    matches!(bytes, [first, 0, _, 0, vr @ ..] if *first == group
        && (group != 2 || vr.len() >= 2 && vr[..2].iter().all(u8::is_ascii_uppercase)))
}

fn is_big_endian_element_of_group_8(bytes: &[u8]) -> bool {
    matches!(bytes, [0, 8, 0, _, one, other, ..] if one.is_ascii_uppercase() && other.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dicom_is_known_with_and_without_preamble() {
        let mut file = vec![0; PREAMBLE];
        file.extend_from_slice(b"DICM\x02\0\0\0UL");
        assert_eq!(format(&file).unwrap(), Format::Dicom { meta: 132 });
        assert_eq!(format(&file[128..]).unwrap(), Format::Dicom { meta: 4 });
        assert_eq!(format(&file[132..]).unwrap(), Format::Dicom { meta: 0 });
        assert_eq!(format(b"\x08\0\x05\0CS").unwrap_err().reason(), "no-file-meta");
        assert_eq!(format(b"\0\x08\0\x05CS").unwrap_err().reason(), "no-file-meta");
    }

    #[test]
    fn a_dicom_preamble_may_look_like_another_format() {
        let mut file = b"\xff\xd8\xff".to_vec();
        file.resize(PREAMBLE, 0);
        file.extend_from_slice(MAGIC);
        assert_eq!(format(&file).unwrap(), Format::Dicom { meta: 132 });
    }

    #[test]
    fn anything_else_is_not_an_image() {
        for bytes in [&b""[..], b"DIC", b"RIFF1234WAVE", b"GIF89a", b"<html>", &[0; 200]] {
            assert_eq!(format(bytes).unwrap_err().reason(), "not-an-image");
        }
    }
}

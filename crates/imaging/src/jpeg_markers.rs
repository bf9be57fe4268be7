//! What the markers of a JPEG or JPEG-LS tell without decoding it (ITU-T T.81, B.1; T.87, C.1).

/// Which colours the three components of a JPEG are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Components {
    Rgb,
    YCbCr,
}

/// What the markers of a JPEG tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Markers {
    /// What the file says of its components, by an Adobe or JFIF marker or by their names.
    pub(crate) components: Option<Components>,
    /// Whether an end of image follows the first scan.
    pub(crate) complete: bool,
}

const JFIF: u8 = 0xe0;
const ADOBE: u8 = 0xee;
pub(crate) const LOSSLESS_FRAME: u8 = 0xc3;
pub(crate) const HUFFMAN_TABLES: u8 = 0xc4;
pub(crate) const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

/// Says that the components were not transformed before coding.
const ADOBE_UNTRANSFORMED: &[u8] = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0";

impl Markers {
    /// Reads the segments up to the first scan, then looks for the end of the image.
    pub(crate) fn read(jpeg: &[u8]) -> Self {
        let mut markers = Self::default();
        for Segment { marker, body, end, .. } in segments(jpeg) {
            match marker {
                JFIF if body.starts_with(b"JFIF\0") => markers.components = Some(Components::YCbCr),
                ADOBE if body.starts_with(b"Adobe") => {
                    markers.components = match body.get(11) {
                        Some(0) => Some(Components::Rgb),
                        Some(1) => Some(Components::YCbCr),
                        _ => markers.components,
                    };
                }
                0xc0..=0xc3 if markers.components.is_none() => {
                    let names = [6, 9, 12].map(|at| body.get(at).copied());
                    if names == [Some(b'R'), Some(b'G'), Some(b'B')] {
                        markers.components = Some(Components::Rgb);
                    }
                }
                // Entropy-coded data stuffs every 0xff, so this pair is the marker; it stands last, or nearly.
                START_OF_SCAN => {
                    markers.complete = jpeg[end..].windows(2).rev().any(|pair| pair == END_OF_IMAGE);
                }
                _ => {}
            }
        }
        markers
    }
}

/// The JPEG with markers by which a decoder gives its components as they were coded.
pub(crate) fn untransformed(jpeg: &[u8]) -> Vec<u8> {
    let mut plain = [&jpeg[..jpeg.len().min(2)], ADOBE_UNTRANSFORMED].concat();
    let mut rest = 2;
    for segment in segments(jpeg) {
        if segment.marker != JFIF && segment.marker != ADOBE {
            plain.extend_from_slice(&jpeg[segment.start..segment.end]);
        }
        rest = segment.end;
    }
    plain.extend_from_slice(jpeg.get(rest..).unwrap_or_default());
    plain
}

/// How the first scan of a JPEG-LS image interleaves components: 0 not at all, 1 by line, 2 by sample.
pub(crate) fn interleave_mode(jpeg_ls: &[u8]) -> Option<u8> {
    let scan = segments(jpeg_ls).find(|segment| segment.marker == START_OF_SCAN)?;
    let components = usize::from(*scan.body.first()?);
    scan.body.get(1 + 2 * components + 1).copied()
}

/// A marker with its parameters.
pub(crate) struct Segment<'a> {
    pub(crate) marker: u8,
    /// The parameters, without their length.
    pub(crate) body: &'a [u8],
    /// The marker begins here.
    start: usize,
    pub(crate) end: usize,
}

/// The segments behind the start of the image, up to the first scan's.
pub(crate) fn segments(jpeg: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let mut at = 2;
    let mut scanned = false;
    std::iter::from_fn(move || {
        while jpeg.get(at..at + 2) == Some(&[0xff, 0xff]) {
            at += 1; // fill byte
        }
        let &[0xff, marker, high, low] = jpeg.get(at..at + 4)? else { return None };
        let (start, end) = (at, at + 2 + usize::from(u16::from_be_bytes([high, low])));
        let body = jpeg.get(start + 4..end)?;
        at = end;
        (!std::mem::replace(&mut scanned, marker == START_OF_SCAN)).then_some(Segment {
            marker,
            body,
            start,
            end,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_inside_a_thumbnail_is_not_the_end() {
        let head = b"\xff\xd8\xff\xe1\0\x06\xff\xd8\xff\xd9\xff\xda\0\x03\0".to_vec();
        assert!(!Markers::read(&[&head[..], b"\x12\xff\0\x34"].concat()).complete);
        assert!(Markers::read(&[&head[..], b"\x12\xff\0\x34\xff\xd9"].concat()).complete);
    }

    #[test]
    fn adobe_overrules_jfif() {
        let jfif = b"\xff\xe0\0\x07JFIF\0";
        let adobe = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0";
        let components =
            |segments: &[&[u8]]| Markers::read(&[&b"\xff\xd8"[..], &segments.concat()].concat()).components;
        assert_eq!(components(&[jfif]), Some(Components::YCbCr));
        assert_eq!(components(&[jfif, adobe]), Some(Components::Rgb));
        assert_eq!(components(&[]), None);
    }

    #[test]
    fn untransformed_changes_what_is_said_of_colours_and_nothing_else() {
        let jpeg = b"\xff\xd8\xff\xe0\0\x07JFIF\0\xff\xff\xdb\0\x03\x07\xff\xda\0\x03\0\x12\xff\xd9";
        let plain = untransformed(jpeg);
        assert_eq!(Markers::read(&plain), Markers { components: Some(Components::Rgb), complete: true });
        assert!(plain.ends_with(b"\0\xff\xdb\0\x03\x07\xff\xda\0\x03\0\x12\xff\xd9"));
        assert_eq!(plain.len(), jpeg.len() - 9 - 1 + ADOBE_UNTRANSFORMED.len(), "without the fill byte");
    }
}

//! What the markers of a JPEG tell without decoding it (ITU-T T.81, B.1).

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

const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

impl Markers {
    /// Reads the segments up to the first scan, then looks for the end of the image.
    pub(crate) fn read(jpeg: &[u8]) -> Self {
        let mut markers = Self::default();
        let mut rest = jpeg.get(2..).unwrap_or_default();
        while let [0xff, marker, tail @ ..] = rest {
            if *marker == 0xff {
                rest = &rest[1..]; // fill byte
                continue;
            }
            let &[high, low, ..] = tail else { break };
            let length = usize::from(u16::from_be_bytes([high, low]));
            let Some(segment) = tail.get(2..length) else { break };
            rest = &tail[length..];
            match *marker {
                0xe0 if segment.starts_with(b"JFIF\0") => markers.components = Some(Components::YCbCr),
                0xee if segment.starts_with(b"Adobe") => {
                    markers.components = match segment.get(11) {
                        Some(0) => Some(Components::Rgb),
                        Some(1) => Some(Components::YCbCr),
                        _ => markers.components,
                    };
                }
                0xc0..=0xc3 if markers.components.is_none() => {
                    let names = [6, 9, 12].map(|at| segment.get(at).copied());
                    if names == [Some(b'R'), Some(b'G'), Some(b'B')] {
                        markers.components = Some(Components::Rgb);
                    }
                }
                START_OF_SCAN => {
                    // Entropy-coded data stuffs every 0xff, so this pair is the marker.
                    markers.complete = rest.windows(2).any(|pair| pair == END_OF_IMAGE);
                    break;
                }
                _ => {}
            }
        }
        markers
    }
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
}

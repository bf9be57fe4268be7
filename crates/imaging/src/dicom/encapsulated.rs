//! The fragments of compressed pixel data (PS3.5 section A.4).

use std::borrow::Cow;

use super::elements::{self, Encoding, ITEM, SEQUENCE_DELIMITER};
use crate::Error;

/// Every fragment is stored behind a tag and a length of 4 bytes each, which offsets count too.
const ITEM_HEADER: usize = 8;

/// The compressed bytes of the first frame, joined where they lie in several fragments; `items` begin with the offset
/// table.
pub(super) fn first_frame(items: &[u8], frames: u32) -> Result<Cow<'_, [u8]>, Error> {
    let (offsets, fragments) = fragments(items)?;
    let count = fragments_of_first_frame(&fragments, &offsets, frames);
    match &fragments[..count] {
        [] => Err(Error::Truncated("no fragment of pixel data".to_owned())),
        [fragment] => Ok(Cow::Borrowed(fragment)),
        several => Ok(Cow::Owned(several.concat())),
    }
}

/// The offset table and the fragments behind it, up to the delimiter or the end of the file.
fn fragments(items: &[u8]) -> Result<(Vec<u32>, Vec<&[u8]>), Error> {
    let mut fragments = Vec::new();
    let mut at = 0;
    while at < items.len() {
        let item = elements::element(items, at, Encoding::Explicit)?;
        match (item.tag, item.length) {
            (ITEM, Some(length)) => {
                at = item.start + length;
                let fragment = items.get(item.start..at);
                fragments.push(fragment.ok_or_else(|| {
                    Error::Truncated(format!("fragment {} of the pixel data", fragments.len()))
                })?);
            }
            (SEQUENCE_DELIMITER, _) => break,
            (tag, _) => return Err(Error::Malformed(format!("{tag} stands where a fragment should"))),
        }
    }
    if fragments.is_empty() {
        return Err(Error::Truncated("no offset table before the fragments".to_owned()));
    }
    let table = fragments.remove(0);
    let offsets = table.chunks_exact(4).map(|n| u32::from_le_bytes([n[0], n[1], n[2], n[3]])).collect();
    Ok((offsets, fragments))
}

fn fragments_of_first_frame(fragments: &[&[u8]], offsets: &[u32], frames: u32) -> usize {
    if frames == 1 {
        return fragments.len();
    }
    if fragments.len() == frames as usize {
        return 1;
    }
    if let Some(&second) = offsets.get(1) {
        let starts = fragments.iter().scan(0, |start, fragment| {
            let this = *start;
            *start += fragment.len() + ITEM_HEADER;
            Some(this)
        });
        return starts.take_while(|&start| start < second as usize).count();
    }
    fragments.iter().position(|fragment| ends_an_image(fragment)).map_or(fragments.len(), |last| last + 1)
}

/// JPEG and JPEG 2000 both end with this marker, perhaps padded to an even length.
fn ends_an_image(fragment: &[u8]) -> bool {
    fragment.ends_with(b"\xff\xd9") || fragment.ends_with(b"\xff\xd9\0")
}

#[cfg(test)]
mod tests {
    use super::{first_frame, fragments_of_first_frame};

    #[test]
    fn the_first_frame_ends_where_the_second_begins() {
        let four = [&b"ab"[..], b"c\xff\xd9\0", b"de", b"\xff\xd9"];
        assert_eq!(fragments_of_first_frame(&four, &[], 1), 4, "one frame takes all");
        assert_eq!(fragments_of_first_frame(&four, &[], 4), 1, "as many fragments as frames");
        assert_eq!(fragments_of_first_frame(&four, &[0, 22], 2), 2, "by the offset table");
        assert_eq!(fragments_of_first_frame(&four, &[], 2), 2, "by the end of the image");
    }

    #[test]
    fn a_cut_fragment_is_truncated() {
        let items = b"\xfe\xff\0\xe0\0\0\0\0\xfe\xff\0\xe0\x02\0\0\0ab\xfe\xff\xdd\xe0\0\0\0\0";
        assert_eq!(first_frame(items, 1).unwrap(), &b"ab"[..]);
        assert_eq!(
            first_frame(&items[..18], 1).unwrap(),
            &b"ab"[..],
            "nothing is lost without the delimiter"
        );
        for length in 0..18 {
            assert_eq!(first_frame(&items[..length], 1).unwrap_err().reason(), "truncated", "{length} bytes");
        }
    }
}

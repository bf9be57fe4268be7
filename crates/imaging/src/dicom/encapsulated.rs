//! The fragments of compressed pixel data (PS3.5 section A.4).

use std::borrow::Cow;

use dicom_core::value::PixelFragmentSequence;

use crate::Error;

/// Every fragment is stored behind a tag and a length of 4 bytes each, which offsets count too.
const ITEM_HEADER: usize = 8;

/// The compressed bytes of the first frame, whose fragments are joined.
pub(super) fn first_frame(
    sequence: &PixelFragmentSequence<Vec<u8>>,
    frames: u32,
) -> Result<Cow<'_, [u8]>, Error> {
    let fragments = sequence.fragments();
    let count = fragments_of_first_frame(fragments, sequence.offset_table(), frames);
    match &fragments[..count] {
        [] => Err(Error::Truncated("no fragment of pixel data".to_owned())),
        [fragment] => Ok(Cow::Borrowed(fragment)),
        several => Ok(Cow::Owned(several.concat())),
    }
}

fn fragments_of_first_frame(fragments: &[Vec<u8>], offsets: &[u32], frames: u32) -> usize {
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
    use super::fragments_of_first_frame;

    #[test]
    fn the_first_frame_ends_where_the_second_begins() {
        let pieces = |pieces: &[&[u8]]| pieces.iter().map(|piece| piece.to_vec()).collect::<Vec<_>>();
        let four = pieces(&[b"ab", b"c\xff\xd9\0", b"de", b"\xff\xd9"]);
        assert_eq!(fragments_of_first_frame(&four, &[], 1), 4, "one frame takes all");
        assert_eq!(fragments_of_first_frame(&four, &[], 4), 1, "as many fragments as frames");
        assert_eq!(fragments_of_first_frame(&four, &[0, 22], 2), 2, "by the offset table");
        assert_eq!(fragments_of_first_frame(&four, &[], 2), 2, "by the end of the image");
    }
}

//! JPEG-LS, lossless and near-lossless, to 16 bits (ITU-T T.87).

use std::borrow::Cow;

use charls::CharLS;

use super::cells::{Cells, Frame, Layout};
use super::pixel::PixelDescription;
use crate::Error;
use crate::jpeg_markers::interleave_mode;

/// Decompresses one frame.
pub(super) fn frame(bytes: &[u8], description: &PixelDescription) -> Result<Frame<'static>, Error> {
    // The library would read on behind the data of a cut file.
    if !bytes.windows(2).rev().any(|pair| pair == [0xff, 0xd9]) {
        return Err(Error::Truncated("a JPEG-LS image without an end".to_owned()));
    }
    let info = CharLS::default().get_frame_info(bytes).map_err(failed)?;
    let components = u32::try_from(info.component_count).unwrap_or(0);
    description.check_frame("JPEG-LS", info.width, info.height, components)?;
    let decoded = CharLS::default().decode(bytes).map_err(failed)?;
    let cells = if info.bits_per_sample <= 8 {
        Cells::Bytes(Cow::Owned(decoded))
    } else {
        Cells::Words(decoded.as_chunks().0.iter().map(|&pair| u16::from_ne_bytes(pair)).collect())
    };
    let layout = match interleave_mode(bytes) {
        Some(0) | None => Layout::Planar,
        Some(_) => Layout::Interleaved,
    };
    Ok(Frame { cells, layout, photometric: description.photometric })
}

fn failed(error: charls::Error) -> Error {
    Error::Decoder { codec: "JPEG-LS", message: error.to_string() }
}

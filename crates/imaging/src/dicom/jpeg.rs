//! JPEG: baseline, extended to 12 bits, and lossless to 16 bits (ITU-T T.81).

use std::borrow::Cow;

use super::cells::{Cells, Frame, Layout};
use super::jpeg_lossless;
use super::pixel::{Photometric, PixelDescription};
use crate::Error;
use crate::jpeg_markers::{Components, Markers, untransformed};
use crate::turbo::{Jpeg, Samples};

/// Decompresses one frame. Components come back as they were coded: the luma of a YCbCr image needs no transform.
pub(super) fn frame(bytes: &[u8], description: &PixelDescription) -> Result<Frame<'static>, Error> {
    let markers = Markers::read(bytes);
    if !markers.complete {
        return Err(Error::Truncated("a JPEG without an end of image".to_owned()));
    }
    let plain = (description.samples_per_pixel > 1).then(|| untransformed(bytes));
    let jpeg = Jpeg::open(plain.as_deref().unwrap_or(bytes)).map_err(jpeg_error)?;
    description.check_frame("JPEG", jpeg.width, jpeg.height, jpeg.components)?;
    let cells = match jpeg_lossless::samples(bytes, jpeg.width, jpeg.height) {
        Some(words) => Cells::Words(words),
        None => match jpeg.decompress().map_err(jpeg_error)? {
            Samples::Bytes(bytes) => Cells::Bytes(Cow::Owned(bytes)),
            Samples::Words(words) => Cells::Words(words),
        },
    };
    let photometric = match (jpeg.components, markers.components) {
        (3, Some(Components::Rgb)) => Photometric::Rgb,
        (3, Some(Components::YCbCr)) => Photometric::Ybr { halved: false },
        _ => description.photometric,
    };
    Ok(Frame { cells, layout: Layout::Interleaved, photometric })
}

fn jpeg_error(message: String) -> Error {
    if message.contains("Premature end") {
        Error::Truncated(format!("JPEG: {message}"))
    } else if message.contains("Unsupported") {
        Error::UnsupportedSamples(format!("JPEG: {message}"))
    } else {
        Error::Decoder { codec: "JPEG", message }
    }
}

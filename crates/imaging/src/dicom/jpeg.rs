//! JPEG: baseline, and lossless up to 16 bits (ITU-T T.81).

use std::borrow::Cow;

use jpeg_decoder::{ColorTransform, Decoder, Error as JpegError, PixelFormat};

use super::cells::{Cells, Frame, Layout};
use super::pixel::{Photometric, PixelDescription};
use crate::Error;
use crate::error::is_end_of_file;
use crate::jpeg_markers::{Components, Markers};

/// Decompresses one frame. Components come back as they were coded: the luma of a YCbCr image needs no transform.
pub(super) fn frame(bytes: &[u8], description: &PixelDescription) -> Result<Frame<'static>, Error> {
    let mut decoder = Decoder::new(bytes);
    decoder.read_info().map_err(jpeg_error)?;
    let info = decoder.info().ok_or_else(|| Error::Malformed("a JPEG without a frame".to_owned()))?;
    if (u32::from(info.width), u32::from(info.height)) != (description.columns, description.rows) {
        return Err(Error::Malformed(format!(
            "a JPEG of {}×{} pixels in an image of {}×{}",
            info.width, info.height, description.columns, description.rows
        )));
    }
    let components = match info.pixel_format {
        PixelFormat::L8 | PixelFormat::L16 => 1,
        PixelFormat::RGB24 => 3,
        PixelFormat::CMYK32 => 4,
    };
    if components != description.samples_per_pixel {
        return Err(Error::Malformed(format!(
            "a JPEG of {components} components for {} samples per pixel",
            description.samples_per_pixel
        )));
    }
    if components == 3 {
        // This interleaves the components and converts nothing; `None` would lay them side by side in every row.
        decoder.set_color_transform(ColorTransform::RGB);
    }
    let decoded = decoder.decode().map_err(jpeg_error)?;
    let cells = if info.pixel_format == PixelFormat::L16 {
        let words = decoded.chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]]));
        Cells::Words(Cow::Owned(words.collect()))
    } else {
        Cells::Bytes(Cow::Owned(decoded))
    };
    let photometric = match (components, Markers::read(bytes).components) {
        (3, Some(Components::Rgb)) => Photometric::Rgb,
        (3, Some(Components::YCbCr)) => Photometric::Ybr { halved: false },
        _ => description.photometric,
    };
    Ok(Frame { cells, layout: Layout::Interleaved, photometric })
}

fn jpeg_error(error: JpegError) -> Error {
    match error {
        JpegError::Unsupported(feature) => Error::UnsupportedSamples(format!("JPEG with {feature:?}")),
        error if is_end_of_file(&error) => Error::Truncated(format!("JPEG: {error}")),
        error => Error::Decoder { codec: "JPEG", message: error.to_string() },
    }
}

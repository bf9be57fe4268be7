//! JPEG XL (ISO/IEC 18181).

use jxl_oxide::image::BitDepth;
use jxl_oxide::{AllocTracker, JxlImage, JxlThreadPool};

use super::cells::{Cells, Frame, Layout};
use super::pixel::{Photometric, PixelDescription};
use crate::Error;
use crate::radiograph::MAX_BYTES;

/// Decompresses one frame.
pub(super) fn frame(bytes: &[u8], description: &PixelDescription) -> Result<Frame<'static>, Error> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| Error::Decoder {
        codec: "JPEG XL",
        message: error.to_string(),
    };
    let image = JxlImage::builder()
        .pool(JxlThreadPool::none()) // files are read in parallel already
        .alloc_tracker(AllocTracker::with_limit(MAX_BYTES as usize))
        .read(bytes)
        .map_err(failed)?;
    let BitDepth::IntegerSample { bits_per_sample: bits @ 1..=16 } = image.image_header().metadata.bit_depth
    else {
        return Err(Error::UnsupportedSamples("JPEG XL of more than 16 bits or floating point".to_owned()));
    };
    let components = if image.pixel_format().is_grayscale() { 1 } else { 3 };
    description.check_frame("JPEG XL", image.width(), image.height(), components)?;
    if !image.is_loading_done() {
        return Err(Error::Truncated("a JPEG XL image ends early".to_owned()));
    }
    let render = image.render_frame(0).map_err(failed)?;
    let mut stream = render.stream_no_alpha();
    let mut samples = vec![0f32; description.pixels() * components as usize];
    stream.write_to_buffer(&mut samples);
    let white = ((1u32 << bits) - 1) as f32;
    let samples = samples.into_iter().map(|sample| (sample * white).round() as i32);
    let cells = Cells::from_samples(samples, if bits <= 8 { 8 } else { 16 });
    let transformed = image.image_header().metadata.xyb_encoded
        || image.frame_header(0).is_some_and(|header| header.do_ycbcr);
    let photometric = match description.photometric {
        Photometric::Ybr { .. } if transformed => Photometric::Rgb,
        as_described => as_described,
    };
    Ok(Frame { cells, layout: Layout::Interleaved, photometric })
}

//! From a file's bytes to display grey, and from there to a resized 8-bit image.
//!
//! ```text
//! bytes ─ sniff ─┬─ DICOM ─ pixel cells ─ stored values ─ Modality LUT ─ VOI LUT ─ inversion ─┬─ display grey ─ resize ─ PNG
//!                └─ PNG, JPEG, WebP ─ luma ─ orientation ───────────────────────────────────────┘
//! ```

mod codecs;
mod dicom;
mod error;
mod jpeg_markers;
mod luma;
mod placement;
mod png;
mod radiograph;
mod raster;
mod resize;
mod size;
mod sniff;
mod turbo;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use codecs::CODECS;
pub use dicom::{Header, Tags, dicom_header, dicom_tags};
pub use error::Error;
pub use placement::{Placement, centre_box};
pub use png::{decode_png, encode_png};
pub use radiograph::{Facts, GreyImage, Radiograph};
pub use resize::{centre_square, placement, resize};
pub use size::{Fit, ParseError, Size};

#[doc(hidden)]
pub use dicom::StoredSamples;
use resize::Sampled;
use sniff::Format;

/// The image in a file, told by its content and never by its name: DICOM, PNG, JPEG or WebP.
///
/// Of several frames the first is read. Transparent pixels lie on black. Whatever a decoder does, a panic included,
/// comes back as an [`Error`].
pub fn decode(bytes: &[u8]) -> Result<Radiograph, Error> {
    contained(|| match sniff::format(bytes)? {
        Format::Dicom { meta } => Ok(dicom::decode(&bytes[meta..], |_, _| 1)?.0),
        Format::Raster(format) => raster::decode(bytes, format),
    })
}

/// The image in a file at the stored size, as [`decode`] and then [`resize()`] give it; the facts are those of the image as
/// published.
///
/// Of JPEG 2000 no more resolution is decoded than the size needs, where the display of a pixel does not depend on the
/// others: a window is given. That is several times faster, and greys differ by 2 at most in 99 of 100 pixels.
pub fn decode_resized(bytes: &[u8], size: Size, fit: Fit) -> Result<Radiograph, Error> {
    contained(|| {
        let (Radiograph { image, facts }, step) = match sniff::format(bytes)? {
            Format::Dicom { meta } => dicom::decode(&bytes[meta..], |columns, rows| {
                resize::greatest_step(columns, rows, size, fit)
            })?,
            Format::Raster(format) => (raster::decode(bytes, format)?, 1),
        };
        let image = Sampled::of(&image, facts.columns, facts.rows, step)?.resize(size, fit)?;
        Ok(Radiograph { image, facts })
    })
}

/// The samples of a DICOM file's first frame before any table, to compare with other readers.
#[doc(hidden)]
pub fn stored_samples(bytes: &[u8]) -> Result<StoredSamples, Error> {
    contained(|| match sniff::format(bytes)? {
        Format::Dicom { meta } => dicom::stored_samples(&bytes[meta..]),
        Format::Raster(_) => Err(Error::NotDicom),
    })
}

/// Turns a panic of a decoder into an error: one bad file must not end an ingest.
fn contained<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Error::DecoderPanicked(message.unwrap_or("without a message").to_owned()))
    })
}

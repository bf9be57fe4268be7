//! Why a file could not become an image.

use std::io;
use std::path::PathBuf;

/// Why a file could not become an image. Callers add the file's name, except where the error holds it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read at all.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The content is none of the formats read here.
    #[error("neither DICOM, PNG, JPEG nor WebP")]
    NotAnImage,
    /// A DICOM file was asked for, and this is something else.
    #[error("not a DICOM file")]
    NotDicom,
    /// A bare DICOM data set: nothing says which transfer syntax it has.
    #[error("a DICOM data set without file meta information, so its transfer syntax is unknown")]
    NoFileMeta,
    /// The file ends too early.
    #[error("truncated: {0}")]
    Truncated(String),
    /// The file contradicts its own format.
    #[error("malformed: {0}")]
    Malformed(String),
    /// A DICOM attribute is absent without which the pixels have no meaning.
    #[error("{0} is missing")]
    MissingAttribute(&'static str),
    /// A DICOM file without an image: a report, a waveform, a presentation state, …
    #[error("holds no pixel data")]
    NoPixelData,
    /// A transfer syntax for which there is no decoder.
    #[error("transfer syntax {0} is not supported")]
    UnsupportedTransferSyntax(String),
    /// Samples of a kind that is not read: 64 bits, floating point, arithmetic-coded JPEG, …
    #[error("samples are not supported: {0}")]
    UnsupportedSamples(String),
    /// A colour model that is not read.
    #[error("photometric interpretation {0} is not supported")]
    UnsupportedPhotometric(String),
    /// More pixels or bytes than the limits against decompression bombs allow.
    #[error("too large: {0}")]
    TooLarge(String),
    /// A decoder refused the compressed data.
    #[error("{codec}: {message}")]
    Decoder {
        /// The format of the compressed data.
        codec: &'static str,
        /// What the decoder said.
        message: String,
    },
    /// A decoder panicked.
    #[error("a decoder panicked: {0}")]
    DecoderPanicked(String),
    /// An image without pixels, or whose pixels do not fill its width and height.
    #[error("{width}×{height} pixels cannot be an image of {pixels} bytes")]
    NotARectangle {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Bytes.
        pixels: usize,
    },
}

impl Error {
    /// A short name of the kind of failure, the same in every version: what the quarantine table counts by.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "unreadable",
            Self::NotAnImage => "not-an-image",
            Self::NotDicom => "not-dicom",
            Self::NoFileMeta => "no-file-meta",
            Self::Truncated(_) => "truncated",
            Self::Malformed(_) => "malformed",
            Self::MissingAttribute(_) => "missing-attribute",
            Self::NoPixelData => "no-pixel-data",
            Self::UnsupportedTransferSyntax(_) => "unsupported-transfer-syntax",
            Self::UnsupportedSamples(_) => "unsupported-samples",
            Self::UnsupportedPhotometric(_) => "unsupported-photometric",
            Self::TooLarge(_) => "too-large",
            Self::Decoder { .. } => "decoder-failed",
            Self::DecoderPanicked(_) => "decoder-panicked",
            Self::NotARectangle { .. } => "not-a-rectangle",
        }
    }
}

/// The message of an error and of everything that caused it.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// Whether an error comes down to data that ended too early.
pub(crate) fn is_end_of_file(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| {
        error.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::UnexpectedEof)
    })
}

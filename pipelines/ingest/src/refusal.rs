//! Why a file is set aside.

use imaging::Tags;
use schema::{ImageId, LARGEST_IMAGE, PixelBox, Quarantined};

/// The reason that says nothing of the file, only of what its table says of it.
pub(crate) const BOX_OUTSIDE: &str = "box-outside";

/// Why a file is set aside.
pub(crate) enum Refusal {
    /// The file system does not give it away.
    Unreadable(String),
    /// Neither the tables nor the header name a patient.
    NoPatient,
    /// The stored image would not fit into a cell of a shard.
    StoredTooLarge(usize),
    /// A box of its table lies wholly outside the image: the box is of another image, or in other pixels.
    BoxOutside { outside: PixelBox, columns: u32, rows: u32 },
    /// The same picture is in another split, of another patient, and neither may move: a model would be tested on what it knows.
    InTwoSplits,
    /// It could not become an image.
    Image(imaging::Error),
}

impl Refusal {
    /// The row of the quarantine table, of nobody yet; `digest` is empty where the file could not be read.
    pub(crate) fn row(&self, image_id: ImageId, digest: String, tags: Tags) -> Quarantined {
        Quarantined {
            image_id,
            digest,
            reason: self.reason().to_owned(),
            detail: self.detail(),
            transfer_syntax: tags.transfer_syntax,
            photometric: tags.photometric,
            bits_allocated: tags.bits_allocated,
            bits_stored: tags.bits_stored,
            modality: tags.modality,
            tool: tool(),
            patient_key: None,
        }
    }

    /// A short word, the same in every version.
    fn reason(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "unreadable",
            Self::NoPatient => "no-patient",
            Self::StoredTooLarge(_) => "too-large",
            Self::BoxOutside { .. } => BOX_OUTSIDE,
            Self::InTwoSplits => "in-two-splits",
            Self::Image(error) => error.reason(),
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Unreadable(detail) => detail.clone(),
            Self::NoPatient => "Patient ID (0010,0020) is empty: the split needs it".to_owned(),
            Self::StoredTooLarge(bytes) => {
                format!("its PNG of {bytes} bytes exceeds {LARGEST_IMAGE}; use a smaller size")
            }
            // Which image is no word of this one's: whoever withdraws must leave nothing here.
            Self::InTwoSplits => {
                "it is a picture of another patient, who was in another split before it came".to_owned()
            }
            Self::BoxOutside { outside: PixelBox { x, y, width, height }, columns, rows } => format!(
                "its box `{x} {y} {width} {height}` lies outside the image of {columns} × {rows} pixels: \
                 boxes are in pixels of the image as it lies there"
            ),
            Self::Image(imaging::Error::Unreadable { source, .. }) => source.kind().to_string(), // without its path
            Self::Image(error) => error.to_string(),
        }
    }
}

/// The version of sga and of everything that decodes.
fn tool() -> String {
    let codecs: Vec<String> =
        imaging::CODECS.iter().map(|(name, version)| format!("{name} {version}")).collect();
    format!("sga {}; {}", env!("CARGO_PKG_VERSION"), codecs.join(", "))
}

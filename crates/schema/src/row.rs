//! What a shard holds of one image.

use serde::{Deserialize, Serialize};

use crate::{FractionBox, ImageId, Label, PatientKey, Split, StudyKey};

/// One image of a shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageRow {
    /// Keyed hash of the published name.
    pub image_id: ImageId,
    /// Keyed hash of the patient.
    pub patient_key: PatientKey,
    /// Keyed hash of the study.
    pub study_key: Option<StudyKey>,
    /// The collection the image comes from.
    pub source: String,
    /// The part it belongs to.
    pub split: Split,
    /// Its class.
    pub label: Label,
    /// The publisher's label text that gave the class.
    pub finding: String,
    /// The projection.
    pub view: Option<String>,
    /// The modality.
    pub modality: Option<String>,
    /// Height of the image as published, in pixels.
    pub rows: u32,
    /// Width of the image as published, in pixels.
    pub columns: u32,
    /// Radiologists' boxes, in fractions of the stored image.
    pub boxes: Vec<FractionBox>,
    /// Markers and letters on the film, as far as they are known, in fractions of the stored image.
    pub markers: Vec<FractionBox>,
    /// SHA-256 and size of the source file, as `<hexadecimal>-<size>`.
    pub source_digest: String,
    /// The stored image: 8-bit grey PNG. Empty when a shard was read without pixels.
    #[serde(skip)]
    pub png: Vec<u8>,
}

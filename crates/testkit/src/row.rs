//! Rows of shards.

use schema::{ImageId, ImageRow, Label, PatientKey, Split};

/// A row of an 8 × 8 image that was never stored, with its own patient and as little said of it as can be.
pub fn image_row(name: &str) -> ImageRow {
    ImageRow {
        image_id: ImageId::from_stored(name),
        patient_key: PatientKey::from_stored(format!("patient of {name}")),
        study_key: None,
        source: "s".to_owned(),
        split: Split::Train,
        label: Label::Negative,
        finding: String::new(),
        view: None,
        modality: None,
        rows: 8,
        columns: 8,
        boxes: Vec::new(),
        markers: Vec::new(),
        source_digest: String::new(),
        png: Vec::new(),
    }
}

//! One file to one row, or to quarantine with a reason.

use std::path::Path;

use imaging::{Fit, Size};
use schema::{ImageRow, LARGEST_IMAGE, PatientId, Quarantined, Secret, Split};

use crate::listed::Listed;

/// How images are stored.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) size: Size,
    pub(crate) fit: Fit,
}

/// An image whose patient is known, with the place that follows from it.
pub(crate) struct Placed<'a> {
    pub(crate) listed: &'a Listed,
    pub(crate) patient: PatientId,
    pub(crate) split: Split,
    pub(crate) bucket: u32,
}

/// Sets a file aside.
pub(crate) fn quarantined(listed: &Listed, reason: &str, detail: &impl ToString) -> Quarantined {
    Quarantined {
        path: listed.record.path.display().to_string(),
        digest: listed.file.to_string(),
        reason: reason.to_owned(),
        detail: detail.to_string(),
    }
}

/// Reads one image. The file must still be what was hashed.
pub(crate) fn read(
    root: &Path,
    image: &Placed<'_>,
    settings: Settings,
    secret: &Secret,
) -> Result<ImageRow, Quarantined> {
    let (listed, record) = (image.listed, &image.listed.record);
    let refuse = |error: imaging::Error| quarantined(listed, error.reason(), &error);
    let bytes =
        fs_err::read(root.join(&record.path)).map_err(|error| quarantined(listed, "unreadable", &error))?;
    if store::Digest::of(&bytes) != listed.file {
        return Err(quarantined(
            listed,
            "changed-while-reading",
            &"the file changed during the ingest: run it again",
        ));
    }
    let radiograph = imaging::decode(&bytes).map_err(refuse)?;
    let (stored, placement) =
        imaging::resize(&radiograph.image, settings.size, settings.fit).map_err(refuse)?;
    let png = imaging::encode_png(&stored).map_err(refuse)?;
    if png.len() > LARGEST_IMAGE {
        let detail = format!("its PNG of {} bytes exceeds {LARGEST_IMAGE}; use a smaller size", png.len());
        return Err(quarantined(listed, "too-large", &detail));
    }
    let facts = radiograph.facts;
    Ok(ImageRow {
        image_id: listed.image_id.clone(),
        patient_key: secret.patient(&record.source, &image.patient),
        study_key: record.study.as_ref().map(|study| secret.study(&record.source, study)),
        source: record.source.clone(),
        split: image.split,
        label: record.label,
        finding: record.finding.clone(),
        view: record.view.clone().or(facts.view),
        modality: record.modality.clone().or(facts.modality),
        rows: facts.rows,
        columns: facts.columns,
        boxes: record.boxes.iter().filter_map(|b| placement.place(b)).collect(),
        markers: record.markers.iter().filter_map(|b| placement.place(b)).collect(),
        source_digest: listed.file.to_string(),
        png,
    })
}

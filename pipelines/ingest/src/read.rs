//! One file to its pixels and traits, or to quarantine with a reason; from there to a row.

use std::{io::Read, path::Path};

use curation::Picture;
use imaging::{Fit, Radiograph, Size, Tags};
use schema::{ImageRow, IndexEntry, LARGEST_IMAGE, Quarantined, Secret, Traits};
use stage::{Failure, Result};
use store::{Digest, FileDigests};

use crate::{listed::Listed, place::Placed, refusal::Refusal};

/// How images are stored.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) size: Size,
    pub(crate) fit: Fit,
}

/// What follows from a file and the settings alone, whatever tables and splits say.
pub(crate) struct Decoded {
    pub(crate) traits: Traits,
    pub(crate) png: Vec<u8>,
}

/// Decodes one file, or sets it aside. `bytes` is memory that files are read into, one after the other.
///
/// # Errors
/// The file is not what was hashed a moment ago: nothing true can be said of it.
pub(crate) fn decode(
    root: &Path,
    listed: &Listed,
    digests: &FileDigests,
    settings: Settings,
    bytes: &mut Vec<u8>,
) -> Result<Result<Decoded, Quarantined>> {
    let path = root.join(&listed.record.path);
    let changed = |what: String| {
        Failure::data(format!("{}: {what}", path.display()))
            .remedy("run again when the folder is at rest: what was finished is kept")
    };
    bytes.clear();
    std::fs::File::open(&path) // alone it reads into memory that is not cleared first
        .and_then(|mut file| file.read_to_end(bytes))
        .map_err(|error| changed(error.to_string()))?;
    if !digests.is_still(&path, &listed.file) && Digest::of(bytes) != listed.file {
        return Err(changed("the file changed while it was read".to_owned()));
    }
    Ok(decoded(bytes, settings).map_err(|refusal| {
        refusal.row(listed.image_id.clone(), listed.file.to_string(), imaging::dicom_tags(bytes))
    }))
}

fn decoded(bytes: &[u8], settings: Settings) -> Result<Decoded, Refusal> {
    let Radiograph { image: stored, facts } =
        imaging::decode_resized(bytes, settings.size, settings.fit).map_err(Refusal::Image)?;
    let png = imaging::encode_png(&stored).map_err(Refusal::Image)?;
    if png.len() > LARGEST_IMAGE {
        return Err(Refusal::StoredTooLarge(png.len()));
    }
    let picture = Picture::of(&stored).map_err(Refusal::Image)?;
    let traits = Traits {
        rows: facts.rows,
        columns: facts.columns,
        frames: facts.frames,
        view: facts.view,
        modality: facts.modality,
        text_risk: facts.text_risk,
        mean: picture.mean,
        contrast: picture.contrast,
        pixel_digest: Digest::of(&png).hex(), // one encoder: equal pixels, equal bytes
        perceptual_hash: picture.hash,
    };
    Ok(Decoded { traits, png })
}

/// The row of quarantine of an image that its table contradicts.
pub(crate) fn contradicted(listed: &Listed, traits: &Traits) -> Option<Quarantined> {
    let Traits { columns, rows, .. } = *traits;
    let outside = *listed.record.boxes.iter().find(|one| !one.meets(columns, rows))?;
    let refusal = Refusal::BoxOutside { outside, columns, rows };
    Some(refusal.row(listed.image_id.clone(), listed.file.to_string(), Tags::default()))
}

/// The shard's row and the index's entry of an image.
pub(crate) fn row(
    image: &Placed<'_>,
    Decoded { traits, png }: Decoded,
    settings: Settings,
    secret: &Secret,
) -> (ImageRow, IndexEntry) {
    let (listed, record) = (image.listed, &image.listed.record);
    let placement = imaging::placement(traits.columns, traits.rows, settings.size, settings.fit);
    let row = ImageRow {
        image_id: listed.image_id.clone(),
        patient_key: image.patient.clone(),
        study_key: record.study.as_ref().map(|study| secret.study(&record.source, study)),
        source: record.source.clone(),
        split: image.split,
        label: record.label,
        finding: record.finding.clone(),
        view: record.view.clone().or_else(|| traits.view.clone()),
        modality: record.modality.clone().or_else(|| traits.modality.clone()),
        rows: traits.rows,
        columns: traits.columns,
        boxes: record.boxes.iter().filter_map(|b| placement.place(b)).collect(),
        markers: record.markers.iter().filter_map(|b| placement.place(b)).collect(),
        source_digest: listed.file.to_string(),
        png,
    };
    let entry = IndexEntry {
        image_id: listed.image_id.clone(),
        patient_key: image.patient.clone(),
        source: record.source.clone(),
        split: image.split,
        label: record.label,
        finding: record.finding.clone(),
        fingerprint: listed.fingerprint.clone(),
        source_digest: listed.file.to_string(),
        traits,
    };
    (row, entry)
}

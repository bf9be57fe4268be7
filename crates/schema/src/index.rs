//! The index of a shard: what an ingest knows of each image besides its pixels. It stays in the store, beside the shard,
//! and outlives it in the history of the data set.
//!
//! ```text
//! image_id, patient_key, fingerprint, source_digest         utf8   keyed hashes and digests
//! source, split, finding                                    utf8
//! label                                                     int64
//! rows, columns, frames                                     int32  of the image as published
//! view, modality                                            utf8, null where the file does not say
//! text_risk                                                 bool, null where the file does not say
//! mean, contrast                                            float  of the stored image's greys, 0 to 255
//! pixel_digest, perceptual_hash                             utf8   of the stored image
//! ```
//! Rows stand in the order of the shard's rows.

use std::{path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, BooleanArray, Float32Array, Int32Array, Int64Array, StringArray},
    datatypes::{Float32Type, Int32Type, Int64Type},
};

use crate::{Error, ImageId, Label, PatientKey, PerceptualHash, Split, table};

/// What an ingest knows of one image besides its pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexEntry {
    /// The image.
    pub image_id: ImageId,
    /// Its patient.
    pub patient_key: PatientKey,
    /// The collection it comes from.
    pub source: String,
    /// The part it belongs to.
    pub split: Split,
    /// Its class.
    pub label: Label,
    /// The publisher's label text that gave the class.
    pub finding: String,
    /// Names the file and everything that the publisher's tables say of it.
    pub fingerprint: String,
    /// SHA-256 and size of the file.
    pub source_digest: String,
    /// What the file says of itself and what its pixels are like: the same for the same file and decoder.
    pub traits: Traits,
}

/// What follows from a file alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Traits {
    /// Height of the image as published, in pixels.
    pub rows: u32,
    /// Width of the image as published, in pixels.
    pub columns: u32,
    /// Number of frames in the file; the first is stored.
    pub frames: u32,
    /// View Position (0018,5101).
    pub view: Option<String>,
    /// Modality (0008,0060).
    pub modality: Option<String>,
    /// Whether the picture may show text of the patient.
    pub text_risk: Option<bool>,
    /// Mean grey of the stored image, `0..=255`.
    pub mean: f32,
    /// Standard deviation of the stored image's greys, `0..=127.5`.
    pub contrast: f32,
    /// SHA-256 of the stored image: equal for equal pixels.
    pub pixel_digest: String,
    /// Alike for pictures that look alike.
    pub perceptual_hash: PerceptualHash,
}

/// The part of an [`IndexEntry`] that says which file an image is of and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// See [`IndexEntry::patient_key`].
    pub patient_key: PatientKey,
    /// See [`IndexEntry::split`].
    pub split: Split,
    /// See [`IndexEntry::fingerprint`].
    pub fingerprint: String,
    /// See [`IndexEntry::source_digest`].
    pub source_digest: String,
    /// See [`Traits::pixel_digest`].
    pub pixel_digest: String,
}

/// Writes the index, in the order given.
pub fn write_index(path: &Path, rows: &[IndexEntry]) -> Result<(), Error> {
    table::write(path, columns(rows))
}

fn columns(rows: &[IndexEntry]) -> Vec<(&'static str, ArrayRef)> {
    let text = |get: fn(&IndexEntry) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(get)))
    };
    let stated = |get: fn(&Traits) -> Option<&str>| -> ArrayRef {
        Arc::new(rows.iter().map(|row| get(&row.traits)).collect::<StringArray>())
    };
    let whole = |get: fn(&Traits) -> u32| -> ArrayRef {
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| get(&row.traits) as i32)))
    };
    let real = |get: fn(&Traits) -> f32| -> ArrayRef {
        Arc::new(Float32Array::from_iter_values(rows.iter().map(|row| get(&row.traits))))
    };
    let labels = Int64Array::from_iter_values(rows.iter().map(|row| row.label.index()));
    let risks: BooleanArray = rows.iter().map(|row| row.traits.text_risk).collect();
    vec![
        ("image_id", text(|row| row.image_id.to_string())),
        ("patient_key", text(|row| row.patient_key.to_string())),
        ("source", text(|row| row.source.clone())),
        ("split", text(|row| row.split.name().to_owned())),
        ("label", Arc::new(labels)),
        ("finding", text(|row| row.finding.clone())),
        ("fingerprint", text(|row| row.fingerprint.clone())),
        ("source_digest", text(|row| row.source_digest.clone())),
        ("rows", whole(|traits| traits.rows)),
        ("columns", whole(|traits| traits.columns)),
        ("frames", whole(|traits| traits.frames)),
        ("view", stated(|traits| traits.view.as_deref())),
        ("modality", stated(|traits| traits.modality.as_deref())),
        ("text_risk", Arc::new(risks)),
        ("mean", real(|traits| traits.mean)),
        ("contrast", real(|traits| traits.contrast)),
        ("pixel_digest", text(|row| row.traits.pixel_digest.clone())),
        ("perceptual_hash", text(|row| row.traits.perceptual_hash.to_string())),
    ]
}

/// Reads the index.
pub fn read_index(path: &Path) -> Result<Vec<IndexEntry>, Error> {
    table::read(path, |row| {
        let whole = |name| row.number::<Int32Type>(name).map(i32::unsigned_abs);
        Some(IndexEntry {
            image_id: ImageId::from_stored(row.text("image_id")?),
            patient_key: PatientKey::from_stored(row.text("patient_key")?),
            source: row.text("source")?,
            split: Split::from_name(&row.text("split")?)?,
            label: Label::from_index(row.number::<Int64Type>("label")?)?,
            finding: row.text("finding")?,
            fingerprint: row.text("fingerprint")?,
            source_digest: row.text("source_digest")?,
            traits: Traits {
                rows: whole("rows")?,
                columns: whole("columns")?,
                frames: whole("frames")?,
                view: row.text("view"),
                modality: row.text("modality"),
                text_risk: row.flag("text_risk"),
                mean: row.number::<Float32Type>("mean")?,
                contrast: row.number::<Float32Type>("contrast")?,
                pixel_digest: row.text("pixel_digest")?,
                perceptual_hash: row.text("perceptual_hash")?.parse().ok()?,
            },
        })
    })
}

/// Reads part of the index, which is several times faster than the whole.
pub fn read_identities(path: &Path) -> Result<Vec<Identity>, Error> {
    let some = ["patient_key", "split", "fingerprint", "source_digest", "pixel_digest"];
    table::read_some(path, &columns(&[]), &some, |row| {
        Some(Identity {
            patient_key: PatientKey::from_stored(row.text("patient_key")?),
            split: Split::from_name(&row.text("split")?)?,
            fingerprint: row.text("fingerprint")?,
            source_digest: row.text("source_digest")?,
            pixel_digest: row.text("pixel_digest")?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("i.parquet");
        let entry = |id: &str, text_risk| IndexEntry {
            image_id: ImageId::from_stored(id),
            patient_key: PatientKey::from_stored("p"),
            source: "siim".into(),
            split: Split::Test,
            label: Label::Covid,
            finding: "Typical Appearance".into(),
            fingerprint: "f".into(),
            source_digest: "d-1".into(),
            traits: Traits {
                rows: 3,
                columns: 4,
                frames: 1,
                view: None,
                modality: Some("CR".into()),
                text_risk,
                mean: 127.5,
                contrast: 0.25,
                pixel_digest: "x".into(),
                perceptual_hash: PerceptualHash([1, 2, 3, u64::MAX]),
            },
        };
        let rows = [entry("b", None), entry("a", Some(true)), entry("c", Some(false))];
        write_index(&path, &rows).unwrap();
        assert_eq!(read_index(&path).unwrap(), rows);
        let identity = |row: &IndexEntry| Identity {
            patient_key: row.patient_key.clone(),
            split: row.split,
            fingerprint: row.fingerprint.clone(),
            source_digest: row.source_digest.clone(),
            pixel_digest: row.traits.pixel_digest.clone(),
        };
        assert_eq!(read_identities(&path).unwrap(), rows.each_ref().map(identity));
        table::write(&path, columns(&rows).split_off(1)).unwrap();
        assert!(read_identities(&path).is_err(), "an index of another version");
    }
}

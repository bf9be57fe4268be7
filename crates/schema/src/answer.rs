//! A model's answers where it tells several classes or findings apart, as a table: a row per image and finding.
//!
//! ```text
//! image_id, patient_key, source, split   utf8
//! finding                                utf8     what was asked
//! holds                                  bool     whether it is so
//! logit, probability                     float    the probability by softmax over classes, or of each finding by itself
//! ```

use std::{path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, BooleanArray},
    datatypes::Float32Type,
};

use crate::{Error, ImageId, ImageRow, PatientKey, Split, table};

/// What a model says of one finding in one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The image.
    pub image_id: ImageId,
    /// Its patient.
    pub patient_key: PatientKey,
    /// Its source.
    pub source: String,
    /// Its split.
    pub split: Split,
    /// What was asked.
    pub finding: String,
    /// Whether it is so.
    pub holds: bool,
    /// The model's logit.
    pub logit: f32,
    /// The model's probability, in `[0, 1]`.
    pub probability: f32,
}

impl Answer {
    /// What a model says of this finding in this image.
    pub fn of(row: &ImageRow, finding: &str, holds: bool, logit: f32, probability: f32) -> Self {
        Self {
            image_id: row.image_id.clone(),
            patient_key: row.patient_key.clone(),
            source: row.source.clone(),
            split: row.split,
            finding: finding.to_owned(),
            holds,
            logit,
            probability,
        }
    }
}

/// Writes the table, in the order given.
pub fn write_answers(path: &Path, rows: &[Answer]) -> Result<(), Error> {
    let holds: BooleanArray = rows.iter().map(|row| Some(row.holds)).collect();
    let mut columns = table::images(rows, |row| (&row.image_id, &row.patient_key, &row.source, row.split));
    columns.extend([
        ("finding", table::text(rows.iter().map(|row| row.finding.as_str()))),
        ("holds", Arc::new(holds) as ArrayRef),
        ("logit", table::real(rows.iter().map(|row| row.logit))),
        ("probability", table::real(rows.iter().map(|row| row.probability))),
    ]);
    table::write(path, columns)
}

/// Reads the table.
pub fn read_answers(path: &Path) -> Result<Vec<Answer>, Error> {
    table::read(path, |row| {
        let (image_id, patient_key, source, split) = row.image()?;
        Some(Answer {
            image_id,
            patient_key,
            source,
            split,
            finding: row.text("finding")?,
            holds: row.flag("holds")?,
            logit: row.number::<Float32Type>("logit")?,
            probability: row.number::<Float32Type>("probability")?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.parquet");
        let rows: Vec<Answer> = (0..4)
            .map(|index| Answer {
                image_id: ImageId::from_stored(format!("image {index}")),
                patient_key: PatientKey::from_stored("patient".to_owned()),
                source: "hospital".into(),
                split: Split::Test,
                finding: ["Effusion", "Mass"][index % 2].into(),
                holds: index > 1,
                logit: index as f32 - 2.0,
                probability: 0.25 * index as f32,
            })
            .collect();
        write_answers(&path, &rows).unwrap();
        assert_eq!(read_answers(&path).unwrap(), rows);
    }
}

//! A model's predictions, as a table.
//!
//! ```text
//! image_id, patient_key, source, split   utf8
//! label                                  int64    0 negative, 1 covid
//! logit_negative, logit_covid            float
//! probability                            float    of covid: the softmax of the logits
//! ```

use std::{path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, Int64Array},
    datatypes::{Float32Type, Int64Type},
};

use crate::{Error, ImageId, ImageRow, Label, PatientKey, Split, table};

/// What a model says of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The image.
    pub image_id: ImageId,
    /// Its patient.
    pub patient_key: PatientKey,
    /// Its source.
    pub source: String,
    /// Its split.
    pub split: Split,
    /// Its true class.
    pub label: Label,
    /// The logits of class 0 and class 1.
    pub logits: [f32; 2],
}

impl Prediction {
    /// What a model with these logits says of this image.
    pub fn of(row: &ImageRow, logits: [f32; 2]) -> Self {
        Self {
            image_id: row.image_id.clone(),
            patient_key: row.patient_key.clone(),
            source: row.source.clone(),
            split: row.split,
            label: row.label,
            logits,
        }
    }

    /// The logit of class 1 less that of class 0: ranks as the probability does, without its rounding at 0 and 1.
    pub fn score(&self) -> f64 {
        f64::from(self.logits[1]) - f64::from(self.logits[0])
    }

    /// The probability of class 1, in `[0, 1]`.
    pub fn probability(&self) -> f64 {
        probability(self.score())
    }
}

/// The probability that a score stands for, the logarithm of the odds: the logistic function.
pub fn probability(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

/// The scores of these images, and whether each is of class 1.
pub fn scored<'a>(rows: impl IntoIterator<Item = &'a Prediction>) -> (Vec<f64>, Vec<bool>) {
    rows.into_iter().map(|row| (row.score(), row.label == Label::Covid)).unzip()
}

/// Whether both are of the same images in the same order, so that models can be compared image by image.
pub fn same_images(one: &[&Prediction], other: &[&Prediction]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a.image_id == b.image_id)
}

/// Writes the table, in the order given.
pub fn write_predictions(path: &Path, rows: &[Prediction]) -> Result<(), Error> {
    let number = |get: fn(&Prediction) -> f32| table::real(rows.iter().map(get));
    let labels = Int64Array::from_iter_values(rows.iter().map(|row| row.label.index()));
    let mut columns = table::images(rows, |row| (&row.image_id, &row.patient_key, &row.source, row.split));
    columns.extend([
        ("label", Arc::new(labels) as ArrayRef),
        ("logit_negative", number(|row| row.logits[0])),
        ("logit_covid", number(|row| row.logits[1])),
        ("probability", number(|row| row.probability() as f32)),
    ]);
    table::write_full(path, columns)
}

/// Reads the table.
pub fn read_predictions(path: &Path) -> Result<Vec<Prediction>, Error> {
    table::read(path, |row| {
        let (image_id, patient_key, source, split) = row.image()?;
        let logit = |name| row.number::<Float32Type>(name);
        Some(Prediction {
            image_id,
            patient_key,
            source,
            split,
            label: Label::from_index(row.number::<Int64Type>("label")?)?,
            logits: [logit("logit_negative")?, logit("logit_covid")?],
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PatientId, Secret};

    #[test]
    fn there_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.parquet");
        let secret = Secret::new([1; 32]);
        let rows: Vec<Prediction> = (0..3)
            .map(|index| Prediction {
                image_id: secret.image("siim", &index.to_string()),
                patient_key: secret.patient("siim", &PatientId::new("p").unwrap()),
                source: "siim".into(),
                split: Split::Test,
                label: Label::ALL[index % 2],
                logits: [0.0, 40.0 * index as f32],
            })
            .collect();
        write_predictions(&path, &rows).unwrap();
        assert_eq!(read_predictions(&path).unwrap(), rows);
        assert!((rows[0].probability() - 0.5).abs() < 1e-12);
        assert!(rows[2].score() > rows[1].score(), "far apart although both probabilities round to 1");
    }
}

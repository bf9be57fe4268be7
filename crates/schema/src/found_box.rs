//! The boxes that a model found, as a table: a row per box; an image in which none was found has no row.
//!
//! ```text
//! image_id, patient_key, source, split   utf8
//! x, y, width, height                    float   fractions of the image's central square, as the model saw it
//! score                                  float   how sure the model is, in [0, 1]
//! ```

use std::path::Path;

use arrow::datatypes::Float32Type;

use crate::{Error, FractionBox, ImageId, ImageRow, PatientKey, Split, table};

/// A box that a model found in an image.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundBox {
    /// The image.
    pub image_id: ImageId,
    /// Its patient.
    pub patient_key: PatientKey,
    /// Its source.
    pub source: String,
    /// Its split.
    pub split: Split,
    /// Where it is.
    pub area: FractionBox,
    /// How sure the model is, in `[0, 1]`.
    pub score: f32,
}

impl FoundBox {
    /// A box found in this image.
    pub fn of(row: &ImageRow, area: FractionBox, score: f32) -> Self {
        Self {
            image_id: row.image_id.clone(),
            patient_key: row.patient_key.clone(),
            source: row.source.clone(),
            split: row.split,
            area,
            score,
        }
    }
}

/// Writes the table, in the order given.
pub fn write_found_boxes(path: &Path, rows: &[FoundBox]) -> Result<(), Error> {
    let number = |get: fn(&FoundBox) -> f32| table::real(rows.iter().map(get));
    let mut columns = table::images(rows, |row| (&row.image_id, &row.patient_key, &row.source, row.split));
    columns.extend([
        ("x", number(|row| row.area.x)),
        ("y", number(|row| row.area.y)),
        ("width", number(|row| row.area.width)),
        ("height", number(|row| row.area.height)),
        ("score", number(|row| row.score)),
    ]);
    table::write(path, columns)
}

/// Reads the table.
pub fn read_found_boxes(path: &Path) -> Result<Vec<FoundBox>, Error> {
    table::read(path, |row| {
        let (image_id, patient_key, source, split) = row.image()?;
        let number = |name| row.number::<Float32Type>(name);
        let (x, y, width, height) = (number("x")?, number("y")?, number("width")?, number("height")?);
        let area = FractionBox { x, y, width, height };
        Some(FoundBox { image_id, patient_key, source, split, area, score: number("score")? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("boxes.parquet");
        let one = |index: u8| FoundBox {
            image_id: ImageId::from_stored(format!("image {index}")),
            patient_key: PatientKey::from_stored("patient".to_owned()),
            source: "hospital".into(),
            split: Split::Test,
            area: FractionBox { x: 0.1, y: 0.2, width: 0.25, height: f32::from(index) / 10.0 },
            score: 0.75,
        };
        for count in [0, 3] {
            let rows: Vec<FoundBox> = (0..count).map(one).collect();
            write_found_boxes(&path, &rows).unwrap();
            assert_eq!(read_found_boxes(&path).unwrap(), rows);
        }
    }
}

//! A shard's rows, with or without their images.

use std::{fs::File, path::Path};

use arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::{Float32Type, Int32Type, Int64Type},
};
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};

use super::schema;
use crate::{Error, FractionBox, ImageId, ImageRow, Label, PatientKey, Split, StudyKey};

/// Whether to read the images along with what is known of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pixels {
    /// Read them.
    Read,
    /// Leave [`ImageRow::png`] empty.
    Skip,
}

/// Reads a shard.
pub fn read_shard(path: &Path, pixels: Pixels) -> Result<Vec<ImageRow>, Error> {
    let fail = |error| Error::parquet(path, error);
    let file = File::open(path).map_err(Error::io(path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(fail)?;
    let schema = schema();
    if builder.schema().fields() != schema.fields() {
        return Err(Error::Format { path: path.to_owned(), what: "its columns differ".into() });
    }
    let builder = match pixels {
        Pixels::Read => builder,
        Pixels::Skip => {
            let names =
                schema.fields().iter().map(|field| field.name().as_str()).filter(|name| *name != "image");
            let mask = ProjectionMask::columns(builder.parquet_schema(), names);
            builder.with_projection(mask)
        }
    };
    let mut rows = Vec::new();
    for batch in builder.build().map_err(fail)? {
        let batch =
            batch.map_err(|error| Error::Format { path: path.to_owned(), what: error.to_string() })?;
        for index in 0..batch.num_rows() {
            rows.push(row(&batch, index).ok_or_else(|| Error::Format {
                path: path.to_owned(),
                what: format!("row {} holds a value that this version does not know", rows.len()),
            })?);
        }
    }
    Ok(rows)
}

/// The row at `index`; `None` when a value is not one that this version writes.
fn row(batch: &RecordBatch, index: usize) -> Option<ImageRow> {
    let text = |name: &str| {
        let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
        column.is_valid(index).then(|| column.value(index).to_owned())
    };
    let whole = |name: &str| {
        Some(batch.column_by_name(name)?.as_primitive_opt::<Int32Type>()?.value(index).unsigned_abs())
    };
    let png = match batch.column_by_name("image") {
        Some(image) => image.as_struct_opt()?.column(0).as_binary_opt::<i32>()?.value(index).to_vec(),
        None => Vec::new(),
    };
    Some(ImageRow {
        image_id: ImageId::from_stored(text("image_id")?),
        patient_key: PatientKey::from_stored(text("patient_key")?),
        study_key: text("study_key").map(StudyKey::from_stored),
        source: text("source")?,
        split: Split::from_name(&text("split")?)?,
        label: Label::from_index(
            batch.column_by_name("label")?.as_primitive_opt::<Int64Type>()?.value(index),
        )?,
        finding: text("finding")?,
        view: text("view"),
        modality: text("modality"),
        rows: whole("rows")?,
        columns: whole("columns")?,
        boxes: boxes_at(batch, "boxes", index)?,
        markers: boxes_at(batch, "markers", index)?,
        source_digest: text("source_digest")?,
        png,
    })
}

fn boxes_at(batch: &RecordBatch, column: &str, index: usize) -> Option<Vec<FractionBox>> {
    let list = batch.column_by_name(column)?.as_list_opt::<i32>()?.value(index);
    let list = list.as_struct_opt()?;
    let number = |box_index: usize, column: usize| {
        Some(list.column(column).as_primitive_opt::<Float32Type>()?.value(box_index))
    };
    (0..list.len())
        .map(|i| {
            Some(FractionBox {
                x: number(i, 0)?,
                y: number(i, 1)?,
                width: number(i, 2)?,
                height: number(i, 3)?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_is_named_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.parquet");
        std::fs::write(&path, "not parquet").unwrap();
        assert!(read_shard(&path, Pixels::Skip).unwrap_err().to_string().contains("notes.parquet"));
    }
}

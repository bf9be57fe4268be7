//! Saliency maps, as a table.
//!
//! ```text
//! image_id        utf8
//! split           utf8
//! width, height   int32
//! map             list<float>   height · width values ≥ 0, row after row
//! ```

use std::{fs::File, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray, Float32Builder, Int32Array, ListBuilder, RecordBatch, StringArray},
    datatypes::{DataType, Field, Float32Type, Int32Type, Schema},
};
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};

use crate::{Error, ImageId, Split, table};

/// The saliency map of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Saliency {
    /// The image.
    pub image_id: ImageId,
    /// Its split.
    pub split: Split,
    /// Columns of the map.
    pub width: u32,
    /// Rows of the map.
    pub height: u32,
    /// `height · width` values ≥ 0, row after row.
    pub map: Vec<f32>,
}

/// Writes the table, in the order given.
pub fn write_saliency(path: &Path, rows: &[Saliency]) -> Result<(), Error> {
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    let schema = Arc::new(Schema::new(vec![
        Field::new("image_id", DataType::Utf8, false),
        Field::new("split", DataType::Utf8, false),
        Field::new("width", DataType::Int32, false),
        Field::new("height", DataType::Int32, false),
        Field::new("map", DataType::List(item), false),
    ]));
    let fail = |error| Error::parquet(path, error);
    let file = File::create(path).map_err(Error::io(path))?;
    let mut writer = ArrowWriter::try_new(file, schema.clone(), Some(table::properties())).map_err(fail)?;
    let mut maps = ListBuilder::new(Float32Builder::new());
    for row in rows {
        maps.values().append_slice(&row.map);
        maps.append(true);
    }
    let text = |get: fn(&Saliency) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(get)))
    };
    let whole = |get: fn(&Saliency) -> u32| -> ArrayRef {
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| get(row) as i32)))
    };
    let columns = vec![
        text(|row| row.image_id.as_str()),
        text(|row| row.split.name()),
        whole(|row| row.width),
        whole(|row| row.height),
        Arc::new(maps.finish()) as ArrayRef,
    ];
    writer
        .write(&RecordBatch::try_new(schema, columns).expect("columns are built after the schema"))
        .map_err(fail)?;
    writer.close().map_err(fail)?;
    Ok(())
}

/// Reads the table.
pub fn read_saliency(path: &Path) -> Result<Vec<Saliency>, Error> {
    let fail = |error| Error::parquet(path, error);
    let wrong = |what: String| Error::Format { path: path.to_owned(), what };
    let file = File::open(path).map_err(Error::io(path))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(ParquetRecordBatchReaderBuilder::build)
        .map_err(fail)?;
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| wrong(error.to_string()))?;
        for index in 0..batch.num_rows() {
            rows.push(row(&batch, index).ok_or_else(|| wrong(format!("row {} cannot be read", rows.len())))?);
        }
    }
    Ok(rows)
}

fn row(batch: &RecordBatch, index: usize) -> Option<Saliency> {
    let text = |name: &str| Some(batch.column_by_name(name)?.as_string_opt::<i32>()?.value(index).to_owned());
    let whole = |name: &str| {
        Some(batch.column_by_name(name)?.as_primitive_opt::<Int32Type>()?.value(index).unsigned_abs())
    };
    let map = batch.column_by_name("map")?.as_list_opt::<i32>()?.value(index);
    let map = map.as_primitive_opt::<Float32Type>()?;
    let (width, height) = (whole("width")?, whole("height")?);
    let (image_id, split) = (ImageId::from_stored(text("image_id")?), Split::from_name(&text("split")?)?);
    let whole = map.len() == (width * height) as usize;
    whole.then(|| Saliency { image_id, split, width, height, map: map.values().to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.parquet");
        let row = |id: &str, split| Saliency {
            image_id: ImageId::from_stored(id),
            split,
            width: 3,
            height: 2,
            map: vec![0.0, 0.5, 1.0, 2.0, 3.0, f32::MIN_POSITIVE],
        };
        let rows = [row("a", Split::Ood), row("b", Split::Test)];
        write_saliency(&path, &rows).unwrap();
        assert_eq!(read_saliency(&path).unwrap(), rows);
    }
}

//! What all tables beside the shards have in common.

use std::{fs::File, path::Path, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, Float32Array, RecordBatch, StringArray},
    datatypes::{ArrowPrimitiveType, Field, Schema},
};
use parquet::{
    arrow::{ArrowWriter, ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};

use crate::{Error, ImageId, PatientKey, Split};

/// Compressed, and the same bytes for the same rows in every release.
pub(crate) fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_created_by("sga".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).expect("level 3 exists")))
        .build()
}

/// The first columns of a table of what a model says of images: which image it is and whose.
pub(crate) fn images<T>(
    rows: &[T],
    image: impl Fn(&T) -> (&ImageId, &PatientKey, &str, Split),
) -> Vec<(&'static str, ArrayRef)> {
    let images = || rows.iter().map(&image);
    vec![
        ("image_id", text(images().map(|(image, ..)| image.as_str()))),
        ("patient_key", text(images().map(|(_, patient, ..)| patient.as_str()))),
        ("source", text(images().map(|(.., source, _)| source))),
        ("split", text(images().map(|(.., split)| split.name()))),
    ]
}

/// A column of texts.
pub(crate) fn text<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// A column of numbers.
pub(crate) fn real(values: impl Iterator<Item = f32>) -> ArrayRef {
    Arc::new(Float32Array::from_iter_values(values))
}

/// Writes named columns of equal length; every one may hold nulls.
pub(crate) fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) -> Result<(), Error> {
    write_columns(path, columns, true)
}

/// Writes named columns of equal length, none of which may hold nulls.
pub(crate) fn write_full(path: &Path, columns: Vec<(&str, ArrayRef)>) -> Result<(), Error> {
    write_columns(path, columns, false)
}

fn write_columns(path: &Path, columns: Vec<(&str, ArrayRef)>, nulls: bool) -> Result<(), Error> {
    let fields: Vec<Field> =
        columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), nulls)).collect();
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    let batch =
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("columns of equal length");
    let fail = |error| Error::parquet(path, error);
    let file = File::create(path).map_err(Error::io(path))?;
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties())).map_err(fail)?;
    writer.write(&batch).map_err(fail)?;
    writer.close().map_err(fail)?;
    Ok(())
}

/// Reads every row with `row`, which gives `None` for what this version does not write.
pub(crate) fn read<T>(path: &Path, row: impl Fn(Cells<'_>) -> Option<T>) -> Result<Vec<T>, Error> {
    rows(path, open(path)?, row)
}

/// Like [`read`], of some columns alone, from a table that has all `columns`.
pub(crate) fn read_some<T>(
    path: &Path,
    columns: &[(&str, ArrayRef)],
    some: &[&str],
    row: impl Fn(Cells<'_>) -> Option<T>,
) -> Result<Vec<T>, Error> {
    let table = open(path)?;
    let there = table.schema().fields().iter().map(|field| (field.name().as_str(), field.data_type()));
    if !there.eq(columns.iter().map(|(name, column)| (*name, column.data_type()))) {
        return Err(Error::Format { path: path.to_owned(), what: "its columns differ".into() });
    }
    let mask = ProjectionMask::columns(table.parquet_schema(), some.iter().copied());
    rows(path, table.with_projection(mask), row)
}

fn open(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, Error> {
    let file = File::open(path).map_err(Error::io(path))?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| Error::parquet(path, error))
}

fn rows<T>(
    path: &Path,
    table: ParquetRecordBatchReaderBuilder<File>,
    row: impl Fn(Cells<'_>) -> Option<T>,
) -> Result<Vec<T>, Error> {
    let wrong = |what: String| Error::Format { path: path.to_owned(), what };
    let mut rows = Vec::new();
    for batch in table.build().map_err(|error| Error::parquet(path, error))? {
        let batch = batch.map_err(|error| wrong(error.to_string()))?;
        for index in 0..batch.num_rows() {
            let cells = Cells { batch: &batch, index };
            rows.push(row(cells).ok_or_else(|| wrong(format!("row {} cannot be read", rows.len())))?);
        }
    }
    Ok(rows)
}

/// One row of a table.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'a> {
    batch: &'a RecordBatch,
    index: usize,
}

impl Cells<'_> {
    /// What [`images`] wrote; `None` as for [`Cells::text`].
    pub(crate) fn image(self) -> Option<(ImageId, PatientKey, String, Split)> {
        Some((
            ImageId::from_stored(self.text("image_id")?),
            PatientKey::from_stored(self.text("patient_key")?),
            self.text("source")?,
            Split::from_name(&self.text("split")?)?,
        ))
    }

    /// A text; `None` when it is null, or the column is missing or of another type.
    pub(crate) fn text(self, name: &str) -> Option<String> {
        let column = self.batch.column_by_name(name)?.as_string_opt::<i32>()?;
        column.is_valid(self.index).then(|| column.value(self.index).to_owned())
    }

    /// A number; `None` as for [`Cells::text`].
    pub(crate) fn number<T: ArrowPrimitiveType>(self, name: &str) -> Option<T::Native> {
        let column = self.batch.column_by_name(name)?.as_primitive_opt::<T>()?;
        column.is_valid(self.index).then(|| column.value(self.index))
    }

    /// A list of numbers; `None` as for [`Cells::text`].
    pub(crate) fn list<T: ArrowPrimitiveType>(self, name: &str) -> Option<Vec<T::Native>> {
        let column = self.batch.column_by_name(name)?.as_list_opt::<i32>()?;
        let values = column.is_valid(self.index).then(|| column.value(self.index))?;
        Some(values.as_primitive_opt::<T>()?.values().to_vec())
    }

    /// A truth value; `None` as for [`Cells::text`].
    pub(crate) fn flag(self, name: &str) -> Option<bool> {
        let column = self.batch.column_by_name(name)?.as_boolean_opt()?;
        column.is_valid(self.index).then(|| column.value(self.index))
    }
}

//! Parquet shards.
//!
//! ```text
//! image          struct<bytes: binary, path: utf8>   8-bit grey PNG; plain, uncompressed, no statistics
//! label          int64                               0 negative, 1 covid
//! image_id       utf8                                keyed hash
//! patient_key    utf8                                keyed hash
//! study_key      utf8, may be null                   keyed hash
//! source, split, finding                             utf8
//! view, modality utf8, may be null
//! rows, columns  int32                               of the image as published
//! boxes, markers list<struct<x, y, width, height: float>>   fractions of the stored image
//! source_digest  utf8                                SHA-256 and size of the source file
//! ```
//! Rows are sorted by `image_id`; the same rows give the same bytes. The `huggingface` metadata makes `image` a
//! picture and `label` a class for Hugging Face datasets, which wants exactly these types in this order.

use std::{
    collections::HashMap,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryBuilder, Float32Builder, Int32Array, Int64Array, ListBuilder,
        RecordBatch, StringArray, StringBuilder, StructArray, StructBuilder,
    },
    datatypes::{DataType, Field, Fields, Float32Type, Int32Type, Int64Type, Schema, SchemaRef},
};
use parquet::{
    arrow::{
        ArrowWriter, ProjectionMask,
        arrow_reader::{
            ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
        },
    },
    basic::{Compression, Encoding, ZstdLevel},
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties, WriterVersion},
    },
    schema::types::ColumnPath,
};

use crate::{Error, FractionBox, ImageId, ImageRow, Label, PatientKey, Split, StudyKey};

/// The largest stored image in bytes: readers built on Arrow C++ refuse larger values in one cell.
pub const LARGEST_IMAGE: usize = 8 << 20;

/// Image bytes per row group, about.
const ROW_GROUP: usize = 4 << 20;

/// Whether to read the images along with what is known of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pixels {
    /// Read them.
    Read,
    /// Leave [`ImageRow::png`] empty.
    Skip,
}

/// Writes a shard image by image, so that no more than a row group is in memory.
pub struct ShardWriter {
    path: PathBuf,
    writer: ArrowWriter<File>,
    group: Vec<ImageRow>,
    bytes: usize,
    last: Option<ImageId>,
}

impl ShardWriter {
    /// Begins a shard.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let file = File::create(path).map_err(Error::io(path))?;
        let writer = ArrowWriter::try_new(file, schema(), Some(properties()))
            .map_err(|error| Error::parquet(path, error))?;
        Ok(Self { path: path.to_owned(), writer, group: Vec::new(), bytes: 0, last: None })
    }

    /// Adds an image; they must come sorted by `image_id`.
    pub fn push(&mut self, row: ImageRow) -> Result<(), Error> {
        if self.last.as_ref().is_some_and(|last| *last >= row.image_id) {
            let what = format!("image {} is out of order", row.image_id);
            return Err(Error::Format { path: self.path.clone(), what });
        }
        self.last = Some(row.image_id.clone());
        self.bytes += row.png.len();
        self.group.push(row);
        if self.bytes >= ROW_GROUP { self.flush() } else { Ok(()) }
    }

    /// Ends the shard.
    pub fn close(mut self) -> Result<(), Error> {
        self.flush()?;
        self.writer.close().map_err(|error| Error::parquet(&self.path, error))?;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        if self.group.is_empty() {
            return Ok(());
        }
        let rows: Vec<&ImageRow> = self.group.iter().collect();
        let written = self.writer.write(&batch(&rows)).and_then(|()| self.writer.flush());
        written.map_err(|error| Error::parquet(&self.path, error))?;
        self.group.clear();
        self.bytes = 0;
        Ok(())
    }
}

/// Writes `rows` as one shard, sorted by image.
pub fn write_shard(path: &Path, rows: &[ImageRow]) -> Result<(), Error> {
    let mut rows: Vec<&ImageRow> = rows.iter().collect();
    rows.sort_by(|a, b| a.image_id.cmp(&b.image_id));
    let mut writer = ShardWriter::create(path)?;
    rows.into_iter().try_for_each(|row| writer.push(row.clone()))?;
    writer.close()
}

/// The stored images of a shard, by row.
pub struct StoredImages {
    path: PathBuf,
    file: File,
    metadata: ArrowReaderMetadata,
}

impl StoredImages {
    /// Opens a shard.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io(path))?;
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
            .map_err(|error| Error::parquet(path, error))?;
        Ok(Self { path: path.to_owned(), file, metadata })
    }

    /// Reads the images of some rows: `rows` in ascending order, each once. Other rows are passed over.
    pub fn read(&self, rows: &[usize]) -> Result<Vec<Vec<u8>>, Error> {
        let wrong = |what: String| Error::Format { path: self.path.clone(), what };
        let total = self.metadata.metadata().file_metadata().num_rows() as usize;
        if rows.last().is_some_and(|last| *last >= total) {
            return Err(wrong(format!("it has {total} rows")));
        }
        let ranges = rows.iter().map(|row| *row..row + 1);
        let selection = RowSelection::from_consecutive_ranges(ranges, total);
        self.bytes(rows.len(), |builder| builder.with_row_selection(selection))
    }

    /// The number of rows of each row group, the unit that is read fastest.
    pub fn groups(&self) -> Vec<usize> {
        let groups = self.metadata.metadata().row_groups();
        groups.iter().map(|group| group.num_rows() as usize).collect()
    }

    /// Reads the images of one row group.
    pub fn read_group(&self, group: usize) -> Result<Vec<Vec<u8>>, Error> {
        self.bytes(self.groups()[group], |builder| builder.with_row_groups(vec![group]))
    }

    /// The bytes of `count` images that `choose` leaves.
    fn bytes(
        &self,
        count: usize,
        choose: impl FnOnce(ParquetRecordBatchReaderBuilder<File>) -> ParquetRecordBatchReaderBuilder<File>,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let wrong = |what: String| Error::Format { path: self.path.clone(), what };
        let file = self.file.try_clone().map_err(Error::io(&self.path))?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone());
        let mask = ProjectionMask::columns(builder.parquet_schema(), ["image.bytes"]);
        let reader = choose(builder.with_projection(mask)).build();
        let mut images = Vec::with_capacity(count);
        for batch in reader.map_err(|error| Error::parquet(&self.path, error))? {
            let batch = batch.map_err(|error| wrong(error.to_string()))?;
            let bytes = batch
                .column_by_name("image")
                .and_then(|image| image.as_struct_opt()?.column(0).as_binary_opt::<i32>())
                .ok_or_else(|| wrong("its columns differ".into()))?;
            images.extend((0..bytes.len()).map(|index| bytes.value(index).to_vec()));
        }
        if images.len() == count { Ok(images) } else { Err(wrong(format!("{count} images were expected"))) }
    }
}

/// Reads the stored images of some rows of a shard: see [`StoredImages::read`].
pub fn read_images(path: &Path, rows: &[usize]) -> Result<Vec<Vec<u8>>, Error> {
    StoredImages::open(path)?.read(rows)
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

fn box_fields() -> Fields {
    Fields::from_iter(["x", "y", "width", "height"].map(|name| Field::new(name, DataType::Float32, true)))
}

fn image_fields() -> Fields {
    Fields::from(vec![Field::new("bytes", DataType::Binary, true), Field::new("path", DataType::Utf8, true)])
}

fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let boxes = || DataType::List(Arc::new(Field::new("item", DataType::Struct(box_fields()), true)));
    let fields = vec![
        Field::new("image", DataType::Struct(image_fields()), true),
        Field::new("label", DataType::Int64, true),
        text("image_id"),
        text("patient_key"),
        text("study_key"),
        text("source"),
        text("split"),
        text("finding"),
        text("view"),
        text("modality"),
        Field::new("rows", DataType::Int32, true),
        Field::new("columns", DataType::Int32, true),
        Field::new("boxes", boxes(), true),
        Field::new("markers", boxes(), true),
        text("source_digest"),
    ];
    Arc::new(Schema::new_with_metadata(fields, HashMap::from([("huggingface".to_owned(), hugging_face())])))
}

fn hugging_face() -> String {
    let names = Label::ALL.map(Label::name);
    format!(
        r#"{{"info":{{"features":{{"image":{{"_type":"Image"}},"label":{{"names":["{}"],"_type":"ClassLabel"}}}}}}}}"#,
        names.join(r#"",""#)
    )
}

fn properties() -> WriterProperties {
    let image = || ColumnPath::from(vec!["image".to_owned(), "bytes".to_owned()]);
    WriterProperties::builder()
        .set_created_by("sga".to_owned()) // pinned: the same rows give the same bytes in the next release too
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).expect("level 3 exists")))
        .set_column_compression(image(), Compression::UNCOMPRESSED) // PNG is compressed already
        .set_column_encoding(image(), Encoding::PLAIN)
        .set_column_dictionary_enabled(image(), false)
        .set_column_statistics_enabled(image(), EnabledStatistics::None)
        .set_key_value_metadata(Some(vec![KeyValue::new("huggingface".to_owned(), hugging_face())]))
        .build()
}

fn batch(rows: &[&ImageRow]) -> RecordBatch {
    let text = |get: fn(&ImageRow) -> Option<&str>| -> ArrayRef {
        Arc::new(rows.iter().map(|row| get(row)).collect::<StringArray>())
    };
    let whole = |get: fn(&ImageRow) -> u32| -> ArrayRef {
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| get(row) as i32)))
    };
    let columns: Vec<ArrayRef> = vec![
        images(rows),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.label.index()))),
        text(|row| Some(row.image_id.as_str())),
        text(|row| Some(row.patient_key.as_str())),
        text(|row| row.study_key.as_ref().map(StudyKey::as_str)),
        text(|row| Some(&row.source)),
        text(|row| Some(row.split.name())),
        text(|row| Some(&row.finding)),
        text(|row| row.view.as_deref()),
        text(|row| row.modality.as_deref()),
        whole(|row| row.rows),
        whole(|row| row.columns),
        boxes(rows, |row| &row.boxes),
        boxes(rows, |row| &row.markers),
        text(|row| Some(&row.source_digest)),
    ];
    RecordBatch::try_new(schema(), columns).expect("columns are built after the schema")
}

fn images(rows: &[&ImageRow]) -> ArrayRef {
    let mut bytes = BinaryBuilder::new();
    let mut path = StringBuilder::new();
    for row in rows {
        bytes.append_value(&row.png);
        path.append_value(format!("{}.png", row.image_id));
    }
    Arc::new(StructArray::new(image_fields(), vec![Arc::new(bytes.finish()), Arc::new(path.finish())], None))
}

fn boxes(rows: &[&ImageRow], get: fn(&ImageRow) -> &[FractionBox]) -> ArrayRef {
    let mut builder = ListBuilder::new(StructBuilder::from_fields(box_fields(), 0));
    for row in rows {
        for b in get(row) {
            let one = builder.values();
            for (index, value) in [b.x, b.y, b.width, b.height].into_iter().enumerate() {
                one.field_builder::<Float32Builder>(index).expect("four float columns").append_value(value);
            }
            one.append(true);
        }
        builder.append(true);
    }
    Arc::new(builder.finish())
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
pub(crate) mod tests {
    use super::*;
    use crate::Secret;

    pub(crate) fn example(name: &str) -> ImageRow {
        let secret = Secret::new([7; 32]);
        ImageRow {
            image_id: secret.image("siim", name),
            patient_key: secret.patient("siim", &crate::PatientId::new(name).unwrap()),
            study_key: (name != "b").then(|| secret.study("siim", name)),
            source: "siim".into(),
            split: Split::Validation,
            label: if name == "b" { Label::Covid } else { Label::Negative },
            finding: "Typical Appearance".into(),
            view: None,
            modality: Some("CR".into()),
            rows: 2991,
            columns: 2992,
            boxes: if name == "b" {
                vec![
                    FractionBox { x: 0.25, y: 0.5, width: 0.125, height: 0.25 },
                    FractionBox { x: 0.0, y: 0.0, width: 1.0, height: 1.0 },
                ]
            } else {
                Vec::new()
            },
            markers: if name == "c" {
                vec![FractionBox { x: 0.0, y: 0.0, width: 0.25, height: 0.125 }]
            } else {
                Vec::new()
            },
            source_digest: format!("{}-17", "0".repeat(64)),
            png: name.repeat(1000).into_bytes(),
        }
    }

    #[test]
    fn rows_come_back_sorted_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("1.parquet"), folder.path().join("2.parquet"));
        let mut rows: Vec<ImageRow> = ["a", "b", "c"].map(example).into();
        write_shard(&one, &rows).unwrap();
        rows.reverse();
        write_shard(&two, &rows).unwrap();
        assert_eq!(
            std::fs::read(&one).unwrap(),
            std::fs::read(&two).unwrap(),
            "order of rows leaves no trace"
        );
        rows.sort_by(|a, b| a.image_id.cmp(&b.image_id));
        assert_eq!(read_shard(&one, Pixels::Read).unwrap(), rows);
        for row in &mut rows {
            row.png.clear();
        }
        assert_eq!(read_shard(&one, Pixels::Skip).unwrap(), rows);
    }

    #[test]
    fn images_of_some_rows_are_read_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.parquet");
        // Three row groups and more: about 1 MB per image.
        let mut rows: Vec<ImageRow> = (0..13)
            .map(|index| ImageRow { png: vec![index; 1 << 20], ..example(&format!("i{index}")) })
            .collect();
        write_shard(&path, &rows).unwrap();
        rows.sort_by(|a, b| a.image_id.cmp(&b.image_id));
        let images = read_images(&path, &[0, 3, 4, 12]).unwrap();
        assert_eq!(images, [0, 3, 4, 12].map(|index: usize| rows[index].png.clone()));
        assert!(read_images(&path, &[13]).unwrap_err().to_string().contains("13 rows"));
    }

    #[test]
    fn a_writer_takes_images_in_order_only() {
        let folder = tempfile::tempdir().unwrap();
        let mut rows = ["a", "b"].map(example);
        rows.sort_by(|a, b| b.image_id.cmp(&a.image_id));
        let mut writer = ShardWriter::create(&folder.path().join("s.parquet")).unwrap();
        let [last, first] = rows;
        writer.push(last).unwrap();
        assert!(writer.push(first).unwrap_err().to_string().contains("out of order"));
    }

    #[test]
    fn hugging_face_sees_pictures_and_classes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.parquet");
        write_shard(&path, &[example("a")]).unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
        let key_values = builder.metadata().file_metadata().key_value_metadata().unwrap();
        let features: Vec<_> = key_values.iter().filter(|pair| pair.key == "huggingface").collect();
        assert_eq!(features.len(), 1);
        let features: serde_json::Value = serde_json::from_str(features[0].value.as_ref().unwrap()).unwrap();
        assert_eq!(features["info"]["features"]["label"]["names"], serde_json::json!(["negative", "covid"]));
        let image = builder.schema().field_with_name("image").unwrap();
        assert!(image.is_nullable());
        assert_eq!(image.data_type(), &DataType::Struct(image_fields()));
    }

    #[test]
    fn another_file_is_named_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.parquet");
        std::fs::write(&path, "not parquet").unwrap();
        assert!(read_shard(&path, Pixels::Skip).unwrap_err().to_string().contains("notes.parquet"));
    }
}

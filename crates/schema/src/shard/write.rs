//! Images into a shard.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::array::{
    ArrayRef, BinaryBuilder, Float32Builder, Int32Array, Int64Array, ListBuilder, RecordBatch, StringArray,
    StringBuilder, StructArray, StructBuilder,
};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, Encoding, ZstdLevel},
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties, WriterVersion},
    },
    schema::types::ColumnPath,
};

use super::{box_fields, hugging_face, image_fields, schema};
use crate::{Error, FractionBox, ImageId, ImageRow, StudyKey};

/// Image bytes per row group, about.
const ROW_GROUP: usize = 4 << 20;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::tests::example;

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
}

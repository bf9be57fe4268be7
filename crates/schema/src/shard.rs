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

mod images;
mod read;
mod write;

use std::{collections::HashMap, sync::Arc};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};

pub use images::{StoredImages, read_images};
pub use read::{Pixels, read_shard};
pub use write::{ShardWriter, write_shard};

use crate::Label;

/// The largest stored image in bytes: readers built on Arrow C++ refuse larger values in one cell.
pub const LARGEST_IMAGE: usize = 8 << 20;

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

#[cfg(test)]
pub(crate) mod tests {
    use std::fs::File;

    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;
    use crate::{FractionBox, ImageRow, Secret, Split};

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
}

//! Every text and every piece of bytes in a Parquet file, whichever wrote it.

use std::{fs::File, path::Path};

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::DataType,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::Error;

/// How a Parquet file begins.
const MAGIC: &[u8] = b"PAR1";

/// Whether these are the bytes of a Parquet file.
pub fn is_parquet(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) && bytes.ends_with(MAGIC)
}

/// Calls `seen` with the column and content of every text and binary value in a Parquet file, also of those in
/// structures and lists. Numbers are passed over.
pub fn each_cell(path: &Path, mut seen: impl FnMut(&str, &[u8])) -> Result<(), Error> {
    let fail = |error| Error::parquet(path, error);
    let file = File::open(path).map_err(Error::io(path))?;
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(file).and_then(ParquetRecordBatchReaderBuilder::build);
    for batch in reader.map_err(fail)? {
        let batch =
            batch.map_err(|error| Error::Format { path: path.to_owned(), what: error.to_string() })?;
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            within(column, &mut |value| seen(field.name(), value));
        }
    }
    Ok(())
}

fn within(column: &ArrayRef, seen: &mut dyn FnMut(&[u8])) {
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().iter().flatten().for_each(|text| seen(text.as_bytes())),
        DataType::LargeUtf8 => {
            column.as_string::<i64>().iter().flatten().for_each(|text| seen(text.as_bytes()));
        }
        DataType::Binary => column.as_binary::<i32>().iter().flatten().for_each(seen),
        DataType::LargeBinary => column.as_binary::<i64>().iter().flatten().for_each(seen),
        DataType::Struct(_) => column.as_struct().columns().iter().for_each(|part| within(part, seen)),
        DataType::List(_) => within(column.as_list::<i32>().values(), seen),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::tests::example;

    #[test]
    fn every_name_and_every_picture_of_a_shard_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.parquet");
        let rows = ["a", "b"].map(example);
        crate::write_shard(&path, &rows).unwrap();
        assert!(is_parquet(&std::fs::read(&path).unwrap()) && !is_parquet(b"PAR"));
        let mut cells = Vec::new();
        each_cell(&path, |column, value| cells.push((column.to_owned(), value.to_vec()))).unwrap();
        let has = |column: &str, value: &[u8]| cells.iter().any(|(c, v)| c == column && v == value);
        for row in &rows {
            assert!(has("image", &row.png) && has("source_digest", row.source_digest.as_bytes()));
            assert!(has("image_id", row.image_id.as_str().as_bytes()));
            assert!(has("patient_key", row.patient_key.as_str().as_bytes()));
        }
        assert!(has("study_key", rows[0].study_key.as_ref().unwrap().as_str().as_bytes()));
    }
}

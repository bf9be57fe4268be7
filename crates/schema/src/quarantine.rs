//! Files that ingest set aside, as a table of their own. It stays in the store and names paths: it is for the curator.

use std::{fs::File, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema},
};
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};

use crate::{Error, table};

/// One file set aside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quarantined {
    /// The file, relative to the data set's folder.
    pub path: String,
    /// SHA-256 and size of the file, or empty when it cannot be read.
    pub digest: String,
    /// A short word for the kind of reason.
    pub reason: String,
    /// The reason in full.
    pub detail: String,
}

const COLUMNS: [&str; 4] = ["path", "digest", "reason", "detail"];

/// Writes the table, sorted by path.
pub fn write_quarantine(path: &Path, rows: &[Quarantined]) -> Result<(), Error> {
    let mut rows: Vec<&Quarantined> = rows.iter().collect();
    rows.sort();
    let column = |get: fn(&Quarantined) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| get(row))))
    };
    let schema = Schema::new(COLUMNS.map(|name| Field::new(name, DataType::Utf8, false)).to_vec());
    let columns = vec![
        column(|row| &row.path),
        column(|row| &row.digest),
        column(|row| &row.reason),
        column(|row| &row.detail),
    ];
    let batch = RecordBatch::try_new(Arc::new(schema), columns).expect("columns are built after the schema");
    let fail = |error| Error::parquet(path, error);
    let file = File::create(path).map_err(Error::io(path))?;
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(table::properties())).map_err(fail)?;
    writer.write(&batch).map_err(fail)?;
    writer.close().map_err(fail)?;
    Ok(())
}

/// Reads the table.
pub fn read_quarantine(path: &Path) -> Result<Vec<Quarantined>, Error> {
    let fail = |error| Error::parquet(path, error);
    let wrong = |what: String| Error::Format { path: path.to_owned(), what };
    let file = File::open(path).map_err(Error::io(path))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(ParquetRecordBatchReaderBuilder::build)
        .map_err(fail)?;
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| wrong(error.to_string()))?;
        let columns = COLUMNS
            .map(|name| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>().cloned()))
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| wrong("its columns differ".into()))?;
        rows.extend((0..batch.num_rows()).map(|index| {
            let text = |column: usize| columns[column].value(index).to_owned();
            Quarantined { path: text(0), digest: text(1), reason: text(2), detail: text(3) }
        }));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("q.parquet");
        let row = |path: &str| Quarantined {
            path: path.into(),
            digest: String::new(),
            reason: "truncated".into(),
            detail: "ends early".into(),
        };
        write_quarantine(&path, &[row("b"), row("a")]).unwrap();
        assert_eq!(read_quarantine(&path).unwrap(), [row("a"), row("b")]);
    }
}

//! The column and row in which two Parquet files differ.

use std::path::Path;

use arrow::{array::RecordBatch, util::display::array_value_to_string};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::Error;

/// Rows in memory at a time.
const ROWS: usize = 256;

/// What is known of a column that differs.
struct Column {
    name: String,
    first: usize,
    rows: usize,
    values: Option<[String; 2]>,
}

/// The columns that differ, each with its first row, counted from 0, and the number of rows.
pub(super) fn differ(a: &Path, b: &Path) -> Result<Option<String>, Error> {
    let open = |path: &Path| -> Result<ParquetRecordBatchReader, Error> {
        let file = fs_err::File::open(path)?.into_parts().0;
        Ok(ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(ROWS).build()?)
    };
    let (mut of_a, mut of_b) = (open(a)?, open(b)?);
    let mut columns: Vec<Column> = Vec::new();
    let mut row = 0;
    loop {
        match (of_a.next().transpose()?, of_b.next().transpose()?) {
            (Some(a), Some(b)) => {
                if a.schema().fields() != b.schema().fields() {
                    return Ok(Some("their columns differ in name or type".to_owned()));
                }
                if a.num_rows() != b.num_rows() {
                    return Ok(Some(format!("their numbers of rows differ, from row {row} on")));
                }
                compare(&a, &b, row, &mut columns);
                row += a.num_rows();
            }
            (None, None) => break,
            _ => return Ok(Some(format!("their numbers of rows differ: one has {row}"))),
        }
    }
    let said: Vec<String> = columns.iter().map(Column::tell).collect();
    Ok((!said.is_empty()).then(|| format!("{} (of {row} rows)", said.join("; "))))
}

/// Notes the differences of two batches that begin at row `start`.
fn compare(a: &RecordBatch, b: &RecordBatch, start: usize, columns: &mut Vec<Column>) {
    for (index, field) in a.schema().fields().iter().enumerate() {
        let (a, b) = (a.column(index), b.column(index));
        if a == b {
            continue;
        }
        for row in (0..a.len()).filter(|row| a.slice(*row, 1) != b.slice(*row, 1)) {
            match columns.iter_mut().find(|column| column.name == *field.name()) {
                Some(column) => column.rows += 1,
                None => columns.push(Column {
                    name: field.name().clone(),
                    first: start + row,
                    rows: 1,
                    values: [a, b]
                        .map(|array| array_value_to_string(array, row).ok().filter(|text| text.len() <= 40))
                        .into_iter()
                        .collect::<Option<Vec<_>>>()
                        .and_then(|values| values.try_into().ok()),
                }),
            }
        }
    }
}

impl Column {
    fn tell(&self) -> String {
        let values = self.values.as_ref().map(|[a, b]| format!(": {a} and {b}")).unwrap_or_default();
        let more = match self.rows {
            1 => String::new(),
            rows => format!(", {rows} rows"),
        };
        format!("column {}, first in row {}{values}{more}", self.name, self.first)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float32Array, Int64Array};
    use parquet::arrow::ArrowWriter;

    use super::*;

    fn write(path: &Path, scores: &[f32]) {
        let labels = Int64Array::from_iter_values(0..scores.len() as i64);
        let columns: [(&str, ArrayRef); 2] =
            [("label", Arc::new(labels)), ("score", Arc::new(Float32Array::from(scores.to_vec())))];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = fs_err::File::create(path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    #[test]
    fn the_column_and_its_first_row_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
        let mut scores = vec![0.25; 600];
        write(&a, &scores);
        scores[300] = 0.5;
        scores[555] = 0.75;
        write(&b, &scores);
        let said = differ(&a, &b).unwrap().unwrap();
        assert_eq!(said, "column score, first in row 300: 0.25 and 0.5, 2 rows (of 600 rows)");
        assert_eq!(differ(&a, &a).unwrap(), None);
        write(&b, &[0.25; 599]);
        assert!(differ(&a, &b).unwrap().unwrap().contains("numbers of rows"));
    }
}

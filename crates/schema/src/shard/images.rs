//! Some of a shard's images, without their rows.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use arrow::array::{Array, AsArray};
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection},
};

use crate::Error;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ImageRow,
        shard::{tests::example, write_shard},
    };

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
}

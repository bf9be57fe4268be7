//! Saliency maps, as a table.
//!
//! ```text
//! image_id        utf8
//! split           utf8
//! width, height   int32
//! map             list<float>   height · width values ≥ 0, row after row
//! ```

use std::{path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, Float32Builder, Int32Array, ListBuilder},
    datatypes::{Float32Type, Int32Type},
};

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
    let mut maps = ListBuilder::new(Float32Builder::new());
    for row in rows {
        maps.values().append_slice(&row.map);
        maps.append(true);
    }
    let whole = |get: fn(&Saliency) -> u32| -> ArrayRef {
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| get(row) as i32)))
    };
    let columns = vec![
        ("image_id", table::text(rows.iter().map(|row| row.image_id.as_str()))),
        ("split", table::text(rows.iter().map(|row| row.split.name()))),
        ("width", whole(|row| row.width)),
        ("height", whole(|row| row.height)),
        ("map", Arc::new(maps.finish()) as ArrayRef),
    ];
    table::write_full(path, columns)
}

/// Reads the table.
pub fn read_saliency(path: &Path) -> Result<Vec<Saliency>, Error> {
    table::read(path, |cells| {
        let whole = |name: &str| u32::try_from(cells.number::<Int32Type>(name)?).ok();
        let (width, height, map) = (whole("width")?, whole("height")?, cells.list::<Float32Type>("map")?);
        let (image_id, split) = (cells.text("image_id")?, cells.text("split")?);
        let (image_id, split) = (ImageId::from_stored(image_id), Split::from_name(&split)?);
        let is_whole = map.len() as u64 == u64::from(width) * u64::from(height);
        is_whole.then_some(Saliency { image_id, split, width, height, map })
    })
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

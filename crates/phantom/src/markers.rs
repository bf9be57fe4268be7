//! `markers.csv`: where the markers lie. No publisher has such a table; it is the truth that generated images come with.

use std::path::Path;

use crate::exposure::Exposure;
use crate::hospital_a::write_table;
use crate::write::Error;

/// The name of an image as its publisher's table has it, then the marker's rectangle in pixels.
const HEADER: [&str; 5] = ["image", "x", "y", "width", "height"];

/// The row of an image that has a marker.
pub(crate) fn row(image: &str, exposure: &Exposure) -> Option<[String; 5]> {
    let area = exposure.marker_area()?;
    let [x, y, width, height] =
        [area.x, area.y, area.width, area.height].map(|pixels| format!("{pixels:.2}"));
    Some([image.to_owned(), x, y, width, height])
}

/// Writes the table into a hospital's folder, sorted.
pub(crate) fn write<'r>(root: &Path, rows: impl Iterator<Item = &'r [String; 5]>) -> Result<(), Error> {
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    write_table(&root.join("markers.csv"), &HEADER, rows)
}

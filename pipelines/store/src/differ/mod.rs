//! In what two files of one kind differ: the column, the tensor, the field.

mod json;
mod parquet;
mod safetensors;

use std::path::Path;

/// Why two files could not be compared by their contents.
type Error = Box<dyn std::error::Error>;

/// Says in one line in what two files differ that are outputs of this name.
pub(crate) fn differ(name: &str, a: &Path, b: &Path) -> String {
    let said = match Path::new(name).extension().and_then(|end| end.to_str()) {
        Some("parquet") => parquet::differ(a, b),
        Some("safetensors") => safetensors::differ(a, b),
        Some("json") => json::differ(a, b),
        _ => Ok(None),
    };
    match said {
        Ok(Some(said)) => said,
        Ok(None) => bytes(a, b),
        Err(error) => format!("{} (not compared by content: {error})", bytes(a, b)),
    }
}

/// The first byte that differs.
fn bytes(a: &Path, b: &Path) -> String {
    let (Ok(a), Ok(b)) = (fs_err::read(a), fs_err::read(b)) else {
        return "one of them is missing".to_owned();
    };
    match a.iter().zip(&b).position(|(a, b)| a != b) {
        Some(place) => format!("bytes differ from byte {place} on"),
        None => format!("{} bytes and {} bytes, alike as far as the shorter goes", a.len(), b.len()),
    }
}

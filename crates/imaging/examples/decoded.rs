//! Writes what this crate reads from DICOM files, for `tools/conformance.py` to compare.
//!
//! ```text
//! decoded FOLDER < paths     one path a line
//! ```
//!
//! For path number *n* (from 0): `FOLDER/n.grey`, display grey of the first frame, a byte per pixel, and
//! `FOLDER/n.samples`, its stored samples as 64-bit little-endian integers. On standard output a line per path:
//! `ok`, rows, columns and frames, or the reason and the message of the error, between tabs.

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).expect("usage: decoded FOLDER < paths");
    let mut out = io::stdout().lock();
    for (number, path) in io::stdin().lock().lines().enumerate() {
        let bytes = fs_err::read(path?)?;
        match imaging::decode(&bytes) {
            Ok(radiograph) => {
                write(&folder, number, "grey", &radiograph.image.pixels)?;
                if let Ok(stored) = imaging::stored_samples(&bytes) {
                    let samples: Vec<u8> =
                        stored.values.iter().flat_map(|value| value.to_le_bytes()).collect();
                    write(&folder, number, "samples", &samples)?;
                }
                let facts = radiograph.facts;
                writeln!(out, "ok\t{}\t{}\t{}", facts.rows, facts.columns, facts.frames)?;
            }
            Err(error) => {
                writeln!(out, "{}\t{}", error.reason(), error.to_string().replace(['\n', '\t'], " "))?;
            }
        }
    }
    Ok(())
}

fn write(folder: &Path, number: usize, kind: &str, bytes: &[u8]) -> io::Result<()> {
    fs_err::write(folder.join(format!("{number}.{kind}")), bytes)
}

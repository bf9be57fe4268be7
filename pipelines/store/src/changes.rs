//! `do=changes`: what has changed in a folder since it was kept.

use std::path::{Path, PathBuf};

use indicatif::HumanCount;
use stage::{Parameters, Result};
use store::Store;

use crate::kept::{Watched, failure, folder_of, name, place, version};

/// Lists what has changed in the folder since the version `name=`.
pub(crate) fn changes(store: &Store, run: &Parameters) -> Result<()> {
    let name = name(run)?;
    let version = version(store, name)?;
    let folder = folder_of(name);
    let watch = Watched::new("reading");
    let path = place(store, run, folder)?;
    let found = folder::changes(store, folder, &version, &path, &watch).map_err(failure)?;
    watch.0.finish_and_clear();
    for (what, paths) in [("added", &found.added), ("changed", &found.changed), ("removed", &found.removed)] {
        for path in paths {
            println!("{what:8} {}", printable(path));
        }
    }
    let count = |paths: &Vec<PathBuf>| HumanCount(paths.len() as u64);
    println!(
        "{name}: {} added, {} changed, {} removed in {}",
        count(&found.added),
        count(&found.changed),
        count(&found.removed),
        path.display()
    );
    Ok(())
}

/// A path on one line, whatever is in it.
fn printable(path: &Path) -> String {
    let one_line = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    path.to_string_lossy().chars().map(one_line).collect()
}

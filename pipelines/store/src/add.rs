//! `do=add`: keeps a folder of files as it is.

use folder::{Added, Sizes};
use indicatif::HumanCount;
use stage::{Failure, Parameters, Result};
use store::Store;

use crate::kept::{Watched, described, failure, name, place};

/// Keeps the folder `path=` as the next version of `name=`.
pub(crate) fn add(store: &Store, run: &Parameters) -> Result<()> {
    let name = name(run)?;
    if name.contains('.') {
        return Err(Failure::usage(format!("name={name}: the dot is kept for the number of a version")));
    }
    let watch = Watched::new("reading");
    let path = place(store, run, name)?;
    let added = folder::add(store, name, &path, Sizes::default(), &watch).map_err(failure)?;
    watch.0.finish_and_clear();
    let Added { version, name, unchanged, read } = added;
    let state = if unchanged { "unchanged, " } else { "" };
    println!("{name}: {state}{}, {} read", described(&version), HumanCount(read as u64));
    Ok(())
}

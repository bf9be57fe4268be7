//! `do=export`: writes a kept folder back.

use std::path::Path;

use stage::{Parameters, Result};
use store::Store;

use crate::kept::{Watched, described, failure, name, version};

/// Writes the version `name=` to the folder `out=`.
pub(crate) fn export(store: &Store, run: &Parameters) -> Result<()> {
    let name = name(run)?;
    let out = run.required("out")?;
    let version = version(store, name)?;
    let watch = Watched::new("writing");
    folder::export(store, &version, Path::new(out), &watch).map_err(failure)?;
    watch.0.finish_and_clear();
    println!("{name}: {} in {out}", described(&version));
    Ok(())
}

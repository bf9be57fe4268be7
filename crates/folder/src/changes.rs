//! What has changed in a folder since it was kept.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use store::{Digest, Store};

use crate::{
    Entry, Error, Listing, Result, Version, Watch,
    scan::{Scan, Unread},
    version,
};

/// The difference between a folder and a version of it, each in the order of paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Not in the version.
    pub added: Vec<PathBuf>,
    /// In both, with other content, permissions, target or kind.
    pub changed: Vec<PathBuf>,
    /// In the version only.
    pub removed: Vec<PathBuf>,
    /// How many files were read to know.
    pub read: usize,
}

/// Compares the folder `root` with a version of `name`. Files that are as they were are not read.
pub fn changes(
    store: &Store,
    name: &str,
    version: &Version,
    root: &Path,
    watch: &impl Watch,
) -> Result<Changes> {
    let root = fs_err::canonicalize(root).map_err(Error::Unreadable)?;
    let mut memory = version::memory(store, name);
    let mut scan = Scan::of(store, &root, &memory)?;
    let unread = scan.unread(|_| true);
    watch.to_read(unread.iter().map(Unread::size).sum());
    let digest = |file: &Unread| {
        let digest = file.read(|_| {
            Digest::of_file(&file.path).map_err(|error| match error {
                store::Error::Io(error) => Error::Unreadable(error),
                other => other.into(),
            })
        })?;
        watch.read(file.size());
        Ok((file.index, digest))
    };
    scan.set(unread.par_iter().map(digest).collect::<Result<Vec<_>>>()?);
    scan.remember(&mut memory)?;
    Ok(Changes { read: unread.len(), ..between(&version.listing, &scan.listing()) })
}

fn between(before: &Listing, after: &Listing) -> Changes {
    let mut gone: HashMap<&Path, &Entry> =
        before.entries().iter().map(|entry| (entry.path.as_path(), entry)).collect();
    let mut changes = Changes::default();
    for entry in after.entries() {
        match gone.remove(entry.path.as_path()) {
            None => changes.added.push(entry.path.clone()),
            Some(old) if old != entry => changes.changed.push(entry.path.clone()),
            Some(_) => {}
        }
    }
    changes.removed = gone.into_keys().map(Path::to_owned).collect();
    changes.removed.sort_unstable();
    changes
}

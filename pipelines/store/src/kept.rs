//! What `do=add`, `do=changes` and `do=export` share.

use std::path::PathBuf;

use folder::{Content, Version, Watch};
use indicatif::{HumanBytes, HumanCount, ProgressBar};
use stage::{Failure, Parameters, Result, progress};
use store::{Holder, Store};

/// The word `name=`.
pub(crate) fn name(run: &Parameters) -> Result<&str> {
    run.required("name").map_err(|failure| failure.remedy("just store do=add path=/data/siim name=siim-raw"))
}

/// Where the folder lies: `path=`, or where it lay when it was kept last.
pub(crate) fn place(store: &Store, run: &Parameters, name: &str) -> Result<PathBuf> {
    let given = run.text("path").map(PathBuf::from);
    given.or_else(|| folder::root(store, name)).ok_or_else(|| {
        Failure::usage(format!("no folder has been kept as {name} on this machine"))
            .remedy("say where it lies: path=…")
    })
}

/// The version of this name.
pub(crate) fn version(store: &Store, name: &str) -> Result<Version> {
    Version::open(store, name).map_err(failure)?.ok_or_else(|| {
        let folder = folder_of(name);
        let there = folder::versions(store, folder).unwrap_or_default();
        Failure::usage(format!("no folder is kept as {name}")).remedy(match there.last() {
            Some(last) => format!("{folder} has the versions {folder}.1 to {last}"),
            None => "`just store` lists what is kept, under the stage folder".to_owned(),
        })
    })
}

/// The folder of which a name is a version.
pub(crate) fn folder_of(name: &str) -> &str {
    name.split_once('.').map_or(name, |(folder, _)| folder)
}

/// How much is in a version.
pub(crate) fn described(version: &Version) -> String {
    let entries = version.listing.entries();
    let files = entries.iter().filter(|entry| matches!(entry.content, Content::File(_))).count();
    let bytes = version.listing.contents().map(|digest| digest.size).sum();
    format!("{} files, {}", HumanCount(files as u64), HumanBytes(bytes))
}

/// What to tell the user.
pub(crate) fn failure(error: folder::Error) -> Failure {
    use folder::Error;
    match error {
        Error::Store(error) => error.into(),
        Error::Unreadable(_) => {
            Failure::data(error).remedy("nothing was kept; make it readable and run again")
        }
        Error::Special(_) => Failure::data(error).remedy("nothing was kept; move it out of the folder"),
        Error::Changed(_) => {
            Failure::data(error).remedy("nothing was kept; run again when nothing writes into the folder")
        }
        Error::StoreInside(_) => {
            Failure::usage(error).remedy("keep the store elsewhere: store=… or SGA_STORE")
        }
        Error::Occupied(_) => Failure::usage(error).remedy("name another folder: out=…"),
        Error::Unwritable(_) => Failure::other(error),
    }
}

/// Shows the progress.
pub(crate) struct Watched(pub(crate) ProgressBar);

impl Watched {
    pub(crate) fn new(doing: &str) -> Self {
        Self(progress::bytes(doing, 0))
    }
}

impl Watch for Watched {
    fn waiting(&self, holder: &Holder) {
        progress::line(&format!("waiting to keep this folder: {holder}"));
    }
    fn to_read(&self, bytes: u64) {
        self.0.set_length(bytes);
    }
    fn read(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

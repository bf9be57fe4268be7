//! Every change of a store's folder, one step at a time: a test can stop at each of them.

use std::{fmt, io, path::Path};

/// A change that is about to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A temporary file is made and written.
    Write,
    /// A finished file is synced to the disk.
    Sync,
    /// A folder is made.
    MakeFolder,
    /// A finished file is moved to its place.
    Place,
    /// A folder is synced, so that what was moved there stays there.
    SyncFolder,
    /// A file is removed.
    Remove,
}

/// Is asked before every step. An error takes the place of the step: the disk is full, or the file system failed.
pub trait Steps: fmt::Debug + Send + Sync {
    /// The step is about to be made on this file or folder.
    fn before(&self, step: Step, path: &Path) -> io::Result<()>;
}

/// Lets everything happen.
#[derive(Debug)]
pub(crate) struct Unwatched;

impl Steps for Unwatched {
    fn before(&self, _: Step, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

//! What can go wrong with a folder.

use std::{io, path::PathBuf};

/// A failed operation on a folder.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A file or folder cannot be read; the message names it.
    #[error("{0}")]
    Unreadable(io::Error),
    /// A socket, pipe or device: it has no content to keep.
    #[error("{} is neither a file, nor a folder, nor a link", .0.display())]
    Special(PathBuf),
    /// Something wrote to the file while it was read.
    #[error("{} changed while it was read", .0.display())]
    Changed(PathBuf),
    /// The store lies in the folder: it would be kept in itself.
    #[error("the store lies in the folder: {}", .0.display())]
    StoreInside(PathBuf),
    /// A folder is written back to a place of its own only.
    #[error("{} exists and is not an empty folder", .0.display())]
    Occupied(PathBuf),
    /// What is written back cannot be written; the message names it.
    #[error("{0}")]
    Unwritable(io::Error),
}

/// The result of an operation on a folder.
pub type Result<T, E = Error> = std::result::Result<T, E>;

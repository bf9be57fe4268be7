//! What can go wrong in a store.

use std::{io, path::PathBuf};

use crate::{Digest, Holder, RefName};

/// A failed store operation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refused; the message names the file.
    #[error(transparent)]
    Io(io::Error),
    /// The disk or the quota is full.
    #[error("no space left: {0}")]
    NoSpace(io::Error),
    /// Something in the store is not what it was when it was written.
    #[error("the store is damaged: {}: {what}", path.display())]
    Damaged {
        /// The damaged file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The folder holds something else, or a store of another version.
    #[error("{} is not a store of this version of sga: {what}", path.display())]
    NotAStore {
        /// The folder.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// Another process is at work where nobody else may be.
    #[error("process {} on {} has been at work in the store since {}", .holder.pid, .holder.host, .holder.since)]
    Busy {
        /// The process.
        holder: Holder,
        /// Its lock.
        lock: PathBuf,
    },
    /// Somebody was told to stop waiting for a lock.
    #[error("interrupted while another process was waited for")]
    GivenUp,
    /// A content did not arrive as it was sent.
    #[error("object {digest} did not arrive as it was sent: {what}")]
    Garbled {
        /// What was asked for.
        digest: Digest,
        /// What came instead.
        what: String,
    },
    /// A store elsewhere cannot be used.
    #[error("{address}: {what}")]
    Remote {
        /// The store's address.
        address: String,
        /// What kind of trouble it is.
        trouble: Trouble,
        /// What happened.
        what: String,
    },
    /// Nothing has this name.
    #[error("{address} has no ref {name}")]
    NoRef {
        /// The name.
        name: RefName,
        /// The store that was asked.
        address: String,
    },
    /// A ref name that cannot be a file name.
    #[error("`{0}` cannot be a name: use letters, digits, '.', '_', '=', ',' and '-'")]
    BadName(String),
    /// A digest that cannot be read.
    #[error("`{0}` is not a digest (64 hexadecimal digits, '-', size)")]
    BadDigest(String),
}

/// Why a store elsewhere cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The address cannot be understood.
    Address,
    /// There is no store at the address.
    NoStore,
    /// Whoever asks may not.
    Denied,
    /// It does not answer, or only with errors.
    Unreachable,
    /// A name was moved there by somebody else.
    Moved,
}

/// A store operation's result.
pub type Result<T> = std::result::Result<T, Error>;

/// Whether there is no room for what was to be written.
pub fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// Whether this user may not do it there, or nobody may.
pub fn is_forbidden(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        if is_full(&error) { Self::NoSpace(error) } else { Self::Io(error) }
    }
}

impl From<tempfile::PersistError> for Error {
    fn from(error: tempfile::PersistError) -> Self {
        error.error.into()
    }
}

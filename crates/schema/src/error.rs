//! What can go wrong with a shard.

use std::path::PathBuf;

/// A shard that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The shard.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// Not the Parquet file that this version writes.
    #[error("{}: not a shard of this version: {what}", path.display())]
    Format {
        /// The shard.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

impl Error {
    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// A Parquet error is the file system's when that is what lies below it.
    pub(crate) fn parquet(path: &std::path::Path, error: parquet::errors::ParquetError) -> Self {
        let path = path.to_owned();
        match error {
            parquet::errors::ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
                Ok(source) => Self::Io { path, source: *source },
                Err(inner) => Self::Format { path, what: inner.to_string() },
            },
            other => Self::Format { path, what: other.to_string() },
        }
    }
}

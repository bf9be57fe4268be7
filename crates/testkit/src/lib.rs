//! For tests and examples: an S3-compatible server on this machine that fails as it is told, networks with made-up weights,
//! words.
//!
//! What asks for much stands behind a feature, so that what needs no libtorch is tested without it.

#[cfg(feature = "networks")]
mod network;
#[cfg(feature = "server")]
mod server;
mod words;

use std::path::Path;

#[cfg(feature = "networks")]
pub use network::made_up;
#[cfg(feature = "server")]
pub use server::{BUCKET, Fault, PREFIX, Server};
pub use words::Words;

/// A folder in memory where there is one, so that syncing costs nothing.
pub fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a temporary folder can be made")
}

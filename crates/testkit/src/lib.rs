//! For tests: an S3-compatible server on this machine that fails as it is told.

mod server;

use std::path::Path;

pub use server::{BUCKET, Fault, PREFIX, Server};

/// A folder in memory where there is one, so that syncing costs nothing.
pub fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a temporary folder can be made")
}

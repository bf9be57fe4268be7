//! Digests of files outside the store, without reading again what has not changed.

use std::{
    collections::HashMap,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Digest, Result, Store};

/// What the file system says of a file; any change of content changes one of these.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stat {
    device: u64,
    inode: u64,
    size: u64,
    modified: i128,
    changed: i128,
}

/// Files changed this close to the moment they were hashed may change again within one clock step of their file
/// system (two seconds on FAT), unseen: they are read again next time (git's "racy" rule).
const RACY_NANOSECONDS: i128 = 2_000_000_000;

/// Digests of the files of one data set, remembered between runs. Losing the memory costs time, nothing else.
pub struct FileDigests {
    path: PathBuf,
    known: HashMap<PathBuf, (Stat, Digest)>,
    store: Store,
}

impl FileDigests {
    /// The memory of this name.
    pub fn open(store: &Store, name: &str) -> Self {
        let path = store.cache().join(format!("{name}.files"));
        let known =
            fs_err::read(&path).ok().and_then(|bytes| postcard::from_bytes(&bytes).ok()).unwrap_or_default();
        Self { path, known, store: store.clone() }
    }

    /// The digests of these files, in order; `seen` is called once per file, from several threads. Remembers them.
    /// A file that cannot be read gives its own error.
    pub fn digest_all(&mut self, paths: &[PathBuf], seen: impl Fn() + Sync) -> Result<Vec<Result<Digest>>> {
        let scan = Timestamp::now().as_nanosecond();
        let digests: Vec<(Option<Stat>, Result<Digest>)> = paths
            .par_iter()
            .map(|path| {
                let answer = self.digest(path);
                seen();
                answer
            })
            .collect();
        let known: HashMap<PathBuf, (Stat, Digest)> = paths
            .iter()
            .zip(&digests)
            .filter_map(|(path, (stat, digest))| Some((path.clone(), ((*stat)?, *digest.as_ref().ok()?))))
            .filter(|(_, (stat, _))| stat.modified.max(stat.changed) + RACY_NANOSECONDS < scan)
            .collect();
        if known != self.known {
            let bytes = postcard::to_stdvec(&known).expect("digests are plain data");
            self.store.publish_over(self.store.written(&bytes, 0o600)?, &self.path)?;
            self.known = known;
        }
        Ok(digests.into_iter().map(|(_, digest)| digest).collect())
    }

    fn digest(&self, path: &Path) -> (Option<Stat>, Result<Digest>) {
        let stat = match stat(path) {
            Ok(stat) => stat,
            Err(error) => return (None, Err(error)),
        };
        match self.known.get(path) {
            Some((known, digest)) if *known == stat => (Some(stat), Ok(*digest)),
            _ => (Some(stat), Digest::of_file(path)),
        }
    }
}

fn stat(path: &Path) -> Result<Stat> {
    let data = fs_err::metadata(path)?;
    let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    Ok(Stat {
        device: data.dev(),
        inode: data.ino(),
        size: data.size(),
        modified: nanoseconds(data.mtime(), data.mtime_nsec()),
        changed: nanoseconds(data.ctime(), data.ctime_nsec()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_within_the_clock_step_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let file = folder.path().join("image");
        let paths = [file.clone()];
        for content in ["one", "two"] {
            fs_err::write(&file, content).unwrap(); // same size, perhaps the same time stamp
            let digests = FileDigests::open(&store, "d").digest_all(&paths, || {}).unwrap();
            assert_eq!(*digests[0].as_ref().unwrap(), Digest::of(content.as_bytes()));
        }
    }

    #[test]
    fn an_absent_file_is_its_own_error() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let present = folder.path().join("present");
        fs_err::write(&present, "x").unwrap();
        let paths = [folder.path().join("absent"), present];
        let digests = FileDigests::open(&store, "d").digest_all(&paths, || {}).unwrap();
        assert!(digests[0].as_ref().unwrap_err().to_string().contains("absent"));
        assert!(digests[1].is_ok());
    }
}

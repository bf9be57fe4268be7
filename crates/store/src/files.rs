//! Digests of files outside the store, without reading again what has not changed.

use std::{
    collections::HashMap,
    fs::Metadata,
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Digest, Result, Store, refs::names};

/// What the file system says of a file; any change of content changes one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stat {
    device: u64,
    inode: u64,
    /// Size in bytes.
    pub size: u64,
    modified: i128,
    changed: i128,
}

/// Files changed this close to the moment they were hashed may change again within one clock step of their file
/// system (two seconds on FAT), unseen: they are read again next time (git's "racy" rule).
const RACY_NANOSECONDS: i128 = 2_000_000_000;

/// Digests of the files of one data set, remembered between runs. Losing the memory costs time, nothing else.
///
/// It knows files by device and inode and holds no path: file names may hold patient numbers.
pub struct FileDigests {
    name: String,
    known: HashMap<Stat, [u8; 32]>,
    store: Store,
}

impl FileDigests {
    /// The memory of this name.
    pub fn open(store: &Store, name: &str) -> Self {
        let name = format!("{name}.digests");
        let known: Option<Vec<(Stat, [u8; 32])>> =
            store.recall(&name).and_then(|bytes| postcard::from_bytes(&bytes).ok());
        Self { name, known: known.unwrap_or_default().into_iter().collect(), store: store.clone() }
    }

    /// The digests of these files, in order; `seen` is called once per file, from several threads. Remembers those that
    /// `keep` lets pass, by index and digest. A file that cannot be read gives its own error.
    pub fn digest_all(
        &mut self,
        paths: &[PathBuf],
        keep: impl Fn(usize, &Digest) -> bool,
        seen: impl Fn() + Sync,
    ) -> Result<Vec<Result<Digest>>> {
        let scan = Timestamp::now();
        let answers: Vec<(Option<Stat>, Result<Digest>)> = paths
            .par_iter()
            .map(|path| {
                let stat = fs_err::metadata(path).map(|data| Stat::of(&data));
                let digest = match &stat {
                    // A pipe would be waited for, for ever.
                    Ok(_) if !path.is_file() => Err(io::Error::from(io::ErrorKind::InvalidInput).into()),
                    Ok(stat) => self.known(stat).map_or_else(|| Digest::of_file(path), Ok),
                    Err(_) => Digest::of_file(path),
                };
                seen();
                (stat.ok(), digest)
            })
            .collect();
        let read = answers.iter().enumerate().filter_map(|(index, (stat, digest))| {
            let digest = *digest.as_ref().ok()?;
            keep(index, &digest).then_some(((*stat)?, digest))
        });
        self.remember(scan, read)?;
        Ok(answers.into_iter().map(|(_, digest)| digest).collect())
    }

    /// The digest of a file that is as it was when it was remembered.
    pub fn known(&self, stat: &Stat) -> Option<Digest> {
        self.known.get(stat).map(|&sha256| Digest { sha256, size: stat.size })
    }

    /// Remembers these files and forgets all others. What changed shortly before `scan`, the moment before any of them
    /// was looked at, or while it was read, is not remembered.
    pub fn remember(&mut self, scan: Timestamp, files: impl Iterator<Item = (Stat, Digest)>) -> Result<()> {
        let known = files
            .filter(|(stat, digest)| stat.settled(scan) && stat.size == digest.size)
            .map(|(stat, digest)| (stat, digest.sha256))
            .collect();
        if self.known != known {
            self.known = known;
            self.save()?;
        }
        Ok(())
    }

    /// Forgets the files with these digests, in the memory of every name. Returns how many there were.
    pub fn forget(store: &Store, digests: impl Fn(&Digest) -> bool) -> Result<usize> {
        let mut forgotten = 0;
        for name in store.remembered()? {
            let mut memory = Self::open(store, &name);
            let before = memory.known.len();
            memory.known.retain(|stat, sha256| !digests(&Digest { sha256: *sha256, size: stat.size }));
            if memory.known.len() < before {
                memory.save()?;
                forgotten += before - memory.known.len();
            }
        }
        Ok(forgotten)
    }

    fn save(&self) -> Result<()> {
        let entries: Vec<_> = self.known.iter().collect();
        let bytes = postcard::to_stdvec(&entries).expect("digests are plain data");
        self.store.remember(&self.name, &bytes)
    }

    /// Whether the file is still the one with this digest, by all that the file system says of it; `false` too where that
    /// is not enough to tell, since it had changed shortly before it was hashed.
    pub fn is_still(&self, path: &Path, digest: &Digest) -> bool {
        fs_err::metadata(path).is_ok_and(|data| self.known(&Stat::of(&data)).as_ref() == Some(digest))
    }
}

impl Store {
    /// The names of all memories.
    fn remembered(&self) -> Result<Vec<String>> {
        let names = names(&self.cache(), std::fs::FileType::is_file)?;
        Ok(names.iter().filter_map(|name| Some(name.strip_suffix(".digests")?.to_owned())).collect())
    }
}

impl Stat {
    /// Of a file whose status was asked for.
    pub fn of(data: &Metadata) -> Self {
        let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            device: data.dev(),
            inode: data.ino(),
            size: data.size(),
            modified: nanoseconds(data.mtime(), data.mtime_nsec()),
            changed: nanoseconds(data.ctime(), data.ctime_nsec()),
        }
    }

    /// Nothing that happens after `scan` goes unseen.
    fn settled(&self, scan: Timestamp) -> bool {
        self.modified.max(self.changed) + RACY_NANOSECONDS < scan.as_nanosecond()
    }
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
            let digests = FileDigests::open(&store, "d").digest_all(&paths, |_, _| true, || {}).unwrap();
            assert_eq!(*digests[0].as_ref().unwrap(), Digest::of(content.as_bytes()));
        }
    }

    #[test]
    fn what_is_remembered_is_not_read_again_and_names_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let file = folder.path().join("patient-0017.png");
        fs_err::write(&file, "pixels").unwrap();
        let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(long_ago).unwrap();

        // As if the file had been hashed once and its status had last changed long before that.
        let mut memory = FileDigests::open(&store, "d");
        let stat = |path| Stat::of(&fs_err::metadata(path).unwrap());
        let (before, digest) = (stat(&file), Digest::of(b"pixels"));
        let changed_at =
            |later| Timestamp::from_nanosecond(before.changed + RACY_NANOSECONDS + later).unwrap();
        memory.remember(changed_at(0), [(before, digest)].into_iter()).unwrap();
        assert_eq!(memory.known(&before), None, "changed too lately");
        memory.remember(changed_at(1), [(before, digest)].into_iter()).unwrap();
        let memory = FileDigests::open(&store, "d");
        assert_eq!(memory.known(&before), Some(digest));
        assert!(memory.is_still(&file, &digest));
        assert!(!memory.is_still(&file, &Digest::of(b"pixelS")));

        let bytes = store.recall("d.digests").unwrap();
        assert!(!bytes.windows(4).any(|window| window == b"0017"));
        fs_err::write(&file, "pixelS").unwrap();
        assert_eq!(memory.known(&stat(&file)), None);
        assert!(!memory.is_still(&file, &digest));
    }

    #[test]
    fn what_must_not_be_remembered_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let stat = |inode| Stat { device: 1, inode, size: 3, modified: 0, changed: 0 };
        let [one, two] = [b"one", b"two"].map(|bytes| Digest::of(bytes));
        for name in ["siim", "hospital-c"] {
            let mut memory = FileDigests::open(&store, name);
            memory.known = HashMap::from([(stat(1), one.sha256), (stat(2), two.sha256)]);
            memory.save().unwrap();
        }
        assert_eq!(FileDigests::forget(&store, |digest| *digest == one).unwrap(), 2);
        for name in ["siim", "hospital-c"] {
            assert_eq!(FileDigests::open(&store, name).known, HashMap::from([(stat(2), two.sha256)]));
        }
        assert_eq!(FileDigests::forget(&store, |_| false).unwrap(), 0);
    }

    #[test]
    fn an_absent_file_is_its_own_error() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let present = folder.path().join("present");
        fs_err::write(&present, "x").unwrap();
        let paths = [folder.path().join("absent"), present];
        let digests = FileDigests::open(&store, "d").digest_all(&paths, |_, _| true, || {}).unwrap();
        assert!(digests[0].as_ref().unwrap_err().to_string().contains("absent"));
        assert!(digests[1].is_ok());
    }
}

//! Digests of files outside the store, without reading again what has not changed.

use std::{
    collections::HashMap,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Digest, Result, Store, refs::names};

/// What the file system says of a file; any change of content changes one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
///
/// It knows files by device and inode and holds no path: file names may hold patient numbers.
pub struct FileDigests {
    path: PathBuf,
    known: HashMap<Stat, [u8; 32]>,
    store: Store,
}

/// A file's digest, and what it may be remembered by.
struct Answer {
    stat: Option<Stat>,
    digest: Result<Digest>,
    remembered: bool,
}

impl FileDigests {
    /// The memory of this name.
    pub fn open(store: &Store, name: &str) -> Self {
        let path = store.cache().join(format!("{name}.digests"));
        let known: Option<Vec<(Stat, [u8; 32])>> =
            fs_err::read(&path).ok().and_then(|bytes| postcard::from_bytes(&bytes).ok());
        Self { path, known: known.unwrap_or_default().into_iter().collect(), store: store.clone() }
    }

    /// The digests of these files, in order; `seen` is called once per file, from several threads. Remembers those that
    /// `keep` lets pass, by index and digest. A file that cannot be read gives its own error.
    pub fn digest_all(
        &mut self,
        paths: &[PathBuf],
        keep: impl Fn(usize, &Digest) -> bool,
        seen: impl Fn() + Sync,
    ) -> Result<Vec<Result<Digest>>> {
        let scan = Timestamp::now().as_nanosecond();
        let answers: Vec<Answer> = paths
            .par_iter()
            .map(|path| {
                let answer = self.digest(path);
                seen();
                answer
            })
            .collect();
        let (mut known, mut anew) = (HashMap::new(), false);
        for (index, answer) in answers.iter().enumerate() {
            let Some((stat, sha256)) = answer.worth_remembering(scan) else { continue };
            if keep(index, &Digest { sha256, size: stat.size }) {
                known.insert(stat, sha256);
                anew |= !answer.remembered;
            }
        }
        if anew || known.len() != self.known.len() {
            self.known = known;
            self.save()?;
        }
        Ok(answers.into_iter().map(|answer| answer.digest).collect())
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
        self.store.publish_over(self.store.written(&bytes, 0o600)?, &self.path)
    }

    /// Whether the file is still the one with this digest, by all that the file system says of it; `false` too where that
    /// is not enough to tell, since it had changed shortly before it was hashed.
    pub fn is_still(&self, path: &Path, digest: &Digest) -> bool {
        let known = stat(path).ok().and_then(|stat| Some((stat.size, self.known.get(&stat)?)));
        known == Some((digest.size, &digest.sha256))
    }

    fn digest(&self, path: &Path) -> Answer {
        let stat = match stat(path) {
            Ok(stat) => stat,
            Err(error) => return Answer { stat: None, digest: Err(error), remembered: false },
        };
        let known = self.known.get(&stat).map(|&sha256| Digest { sha256, size: stat.size });
        let remembered = known.is_some();
        Answer { stat: Some(stat), digest: known.map_or_else(|| Digest::of_file(path), Ok), remembered }
    }
}

impl Store {
    /// The names of all memories.
    fn remembered(&self) -> Result<Vec<String>> {
        let names = names(&self.cache(), std::fs::FileType::is_file)?;
        Ok(names.iter().filter_map(|name| Some(name.strip_suffix(".digests")?.to_owned())).collect())
    }
}

impl Answer {
    /// What to remember of a file; nothing of one that changed lately or while it was read.
    fn worth_remembering(&self, scan: i128) -> Option<(Stat, [u8; 32])> {
        let (stat, digest) = (self.stat?, self.digest.as_ref().ok()?);
        let settled = stat.modified.max(stat.changed) + RACY_NANOSECONDS < scan;
        (settled && digest.size == stat.size).then_some((stat, digest.sha256))
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
        let answer = memory.digest(&file);
        let later = answer.stat.unwrap().changed + RACY_NANOSECONDS + 1;
        assert_eq!(answer.worth_remembering(later - 1), None, "changed too lately");
        let (stat, sha256) = answer.worth_remembering(later).unwrap();
        memory.known.insert(stat, sha256);
        let again = memory.digest(&file);
        assert!(again.remembered);
        assert_eq!(again.digest.unwrap(), Digest::of(b"pixels"));
        assert!(memory.is_still(&file, &Digest::of(b"pixels")));
        assert!(!memory.is_still(&file, &Digest::of(b"pixelS")));

        let bytes = postcard::to_stdvec(&memory.known.iter().collect::<Vec<_>>()).unwrap();
        assert!(!bytes.windows(4).any(|window| window == b"0017"));
        fs_err::write(&file, "pixelS").unwrap();
        assert!(!memory.digest(&file).remembered);
        assert!(!memory.is_still(&file, &Digest::of(b"pixels")));
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

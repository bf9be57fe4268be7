//! A look at a folder: names, permissions and status of everything in it, without reading a file.

use std::{
    fs::Metadata,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rayon::prelude::*;
use store::{Digest, FileDigests, Stat, Store};
use walkdir::WalkDir;

use crate::{
    Content, Entry, Error, Listing, Result,
    listing::{ROOT, permissions},
};

/// A folder as it was found.
pub(crate) struct Scan {
    root: PathBuf,
    /// The moment before anything was looked at.
    began: Timestamp,
    found: Vec<Found>,
}

struct Found {
    path: PathBuf,
    mode: u32,
    kind: Kind,
}

enum Kind {
    File { stat: Stat, digest: Option<Digest> },
    Link(PathBuf),
    Folder,
}

/// A file whose content has to be read.
pub(crate) struct Unread {
    /// Which entry it is.
    pub(crate) index: usize,
    /// Where it lies.
    pub(crate) path: PathBuf,
    stat: Stat,
}

impl Scan {
    /// Lists everything below `root`, in the order of paths. `memory` knows the contents of files that have not changed.
    pub(crate) fn of(store: &Store, root: &Path, memory: &FileDigests) -> Result<Self> {
        let began = Timestamp::now();
        let inside = fs_err::metadata(store.root()).map_err(store::Error::from)?;
        let listed: Vec<walkdir::DirEntry> = WalkDir::new(root)
            .sort_by_file_name()
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(|error| Error::Unreadable(error.into()))?;
        let found = listed
            .into_par_iter()
            .map(|entry| {
                // A link that the user names stands for the folder that it leads to; any other stands for itself.
                let data = if entry.depth() == 0 {
                    fs_err::metadata(root)
                } else {
                    fs_err::symlink_metadata(entry.path())
                };
                let data = data.map_err(Error::Unreadable)?;
                if data.is_dir() && (data.dev(), data.ino()) == (inside.dev(), inside.ino()) {
                    return Err(Error::StoreInside(entry.into_path()));
                }
                Found::new(root, entry.path(), &data, memory)
            })
            .collect::<Vec<_>>()
            .into_iter()
            .collect::<Result<_>>()?; // the first error in the order of paths
        Ok(Self { root: root.to_owned(), began, found })
    }

    /// The files whose content is not known, or not among those that `kept` knows.
    pub(crate) fn unread(&self, kept: impl Fn(&Digest) -> bool) -> Vec<Unread> {
        let files = self.found.iter().enumerate().filter_map(|(index, found)| match &found.kind {
            Kind::File { stat, digest } if !digest.as_ref().is_some_and(&kept) => {
                Some(Unread { index, path: self.root.join(&found.path), stat: *stat })
            }
            _ => None,
        });
        files.collect()
    }

    /// The digests of files that were read, by their entries.
    pub(crate) fn set(&mut self, read: impl IntoIterator<Item = (usize, Digest)>) {
        for (index, content) in read {
            if let Kind::File { digest, .. } = &mut self.found[index].kind {
                *digest = Some(content);
            }
        }
    }

    /// Remembers the files' contents. All must be known.
    pub(crate) fn remember(&self, memory: &mut FileDigests) -> Result<()> {
        let files = self.found.iter().filter_map(|found| match &found.kind {
            Kind::File { stat, digest } => Some((*stat, (*digest)?)),
            _ => None,
        });
        Ok(memory.remember(self.began, files)?)
    }

    /// The listing. All contents must be known.
    pub(crate) fn listing(&self) -> Listing {
        let entry = |found: &Found| {
            let content = match &found.kind {
                Kind::File { digest, .. } => Content::File(digest.expect("every unknown file was read")),
                Kind::Link(target) => Content::Link(target.clone()),
                Kind::Folder => Content::Folder,
            };
            Entry { path: found.path.clone(), mode: found.mode, content }
        };
        Listing::new(self.found.iter().map(entry).collect())
    }
}

impl Found {
    fn new(root: &Path, path: &Path, data: &Metadata, memory: &FileDigests) -> Result<Self> {
        let kind = data.file_type();
        let kind = if kind.is_file() {
            let stat = Stat::of(data);
            Kind::File { stat, digest: memory.known(&stat) }
        } else if kind.is_symlink() {
            Kind::Link(fs_err::read_link(path).map_err(Error::Unreadable)?)
        } else if kind.is_dir() {
            Kind::Folder
        } else {
            return Err(Error::Special(path.to_owned()));
        };
        let mode = if matches!(kind, Kind::Link(_)) { 0 } else { permissions(data.permissions().mode()) };
        let below = path.strip_prefix(root).expect("a walk stays below its root");
        let path = if below == Path::new("") { ROOT.into() } else { below.to_owned() };
        Ok(Self { path, mode, kind })
    }
}

impl Unread {
    /// Size in bytes when it was looked at.
    pub(crate) fn size(&self) -> u64 {
        self.stat.size
    }

    /// What `read` makes of the open file.
    ///
    /// # Errors
    /// [`Error::Changed`] when the file is not the one that was looked at, or was written to while it was read.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&mut fs_err::File) -> Result<T>) -> Result<T> {
        let mut file = fs_err::File::open(&self.path).map_err(Error::Unreadable)?;
        let read = read(&mut file)?;
        let after = file.metadata().map_err(Error::Unreadable)?;
        if Stat::of(&after) == self.stat { Ok(read) } else { Err(Error::Changed(self.path.clone())) }
    }
}

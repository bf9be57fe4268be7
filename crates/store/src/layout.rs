//! Where things lie in a store, and how one comes to be.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::TempDir;

use crate::{
    Digest, Error, Key, Origin, RefTarget, Result, Steps, if_there, lock, origin::ORIGIN, steps::Unwatched,
};

/// The files that make a folder a store, in the order in which they are written: a store with a format file is complete.
pub const MARKS: [(&str, &str); 2] = [("CACHEDIR.TAG", CACHEDIR_TAG), ("format", FORMAT)];

const FORMAT: &str = "sga store 1\n";
const CACHEDIR_TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
    # An sga store: models and shards that `just` can make again from the data sets.\n";

/// An open store. Cheap to clone; any number of processes may have it open.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
    steps: Arc<dyn Steps>,
    pub(crate) origin: Option<Arc<dyn Origin>>,
}

impl Store {
    /// Opens the store in `root`, making it when the folder is absent or empty.
    ///
    /// # Errors
    /// [`Error::NotAStore`] when the folder holds something else.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        Self::open_watched(root, Arc::new(Unwatched))
    }

    /// Opens the store; `steps` is asked before every change of its folder. For tests of what a crash leaves.
    pub fn open_watched(root: impl Into<PathBuf>, steps: Arc<dyn Steps>) -> Result<Self> {
        let store = Self::open_any(root.into(), steps)?;
        match store.private(ORIGIN)? {
            Some(origin) => {
                Err(store.is_not(format!("it is a cache of {}", String::from_utf8_lossy(&origin))))
            }
            None => Ok(store),
        }
    }

    /// Opens a store that may be a cache.
    pub(crate) fn open_any(root: PathBuf, steps: Arc<dyn Steps>) -> Result<Self> {
        let store = Self { root, steps, origin: None };
        match if_there(fs_err::read_to_string(store.root.join("format")))? {
            Some(format) if format == FORMAT => {
                if !store.tmp().exists() {
                    // Some tools copy no empty folders. Where it cannot be made, nothing else can be written either.
                    let _ = fs_err::create_dir(store.tmp());
                }
            }
            Some(format) => {
                let what = format!("its format is `{}`, expected `{}`", format.trim(), FORMAT.trim());
                return Err(Error::NotAStore { path: store.root, what });
            }
            None => store.create()?,
        }
        Ok(store)
    }

    fn create(&self) -> Result<()> {
        fs_err::create_dir_all(&self.root)?;
        let foreign = fs_err::read_dir(&self.root)?
            .filter_map(std::result::Result::ok)
            .find(|entry| !matches!(entry.file_name().to_str(), Some("tmp" | "CACHEDIR.TAG" | "format")));
        if let Some(entry) = foreign {
            let what = format!("it holds `{}`", entry.file_name().display());
            return Err(Error::NotAStore { path: self.root.clone(), what });
        }
        fs_err::create_dir_all(self.tmp())?;
        for (name, content) in MARKS {
            self.publish_new(self.written(content.as_bytes(), 0o644)?, &self.root.join(name))?;
        }
        Ok(())
    }

    pub(crate) fn steps(&self) -> &dyn Steps {
        &*self.steps
    }

    /// The store's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A temporary folder on the store's file system; deleted when dropped.
    pub fn temporary_folder(&self) -> Result<TempDir> {
        let name = format!("{}-", lock::Holder::this_process().label());
        Ok(tempfile::Builder::new().prefix(&name).tempdir_in(self.tmp())?)
    }

    /// Deletes the temporary files and folders of processes that are gone.
    pub fn sweep_temporary(&self) -> Result<()> {
        for entry in fs_err::read_dir(self.tmp())? {
            let entry = entry?;
            if lock::is_of_a_dead_process(&entry.file_name().to_string_lossy()) {
                // Another process may sweep at the same time.
                let _ = if entry.file_type()?.is_dir() {
                    fs_err::remove_dir_all(entry.path())
                } else {
                    fs_err::remove_file(entry.path())
                };
            }
        }
        Ok(())
    }

    /// The private file that holds the secret.
    pub const SECRET: &str = "secret";

    /// The store's secret, made at random on first use (mode 0600).
    pub fn secret(&self) -> Result<[u8; 32]> {
        let path = self.root.join(Self::SECRET);
        if !path.exists() {
            self.publish_new(self.written(&rand::random::<[u8; 32]>(), 0o600)?, &path)?;
        }
        let bytes = fs_err::read(&path)?;
        bytes.try_into().map_err(|_| Error::Damaged { path, what: "a secret has 32 bytes".into() })
    }

    /// What a private file beside the secret holds; `None` where there is none.
    pub fn private(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(if_there(fs_err::read(self.root.join(name)))?)
    }

    /// Writes a private file beside the secret (mode 0600), in place of what stood there.
    pub fn put_private(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.publish_over(self.written(bytes, 0o600)?, &self.root.join(name))
    }

    pub(crate) fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }
    pub(crate) fn objects(&self) -> PathBuf {
        self.root.join("objects/sha256")
    }
    pub(crate) fn refs(&self) -> PathBuf {
        self.root.join("refs")
    }
    pub(crate) fn locks(&self) -> PathBuf {
        self.root.join("locks")
    }
    pub(crate) fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// Where the object with this digest lies, if the store has it.
    pub fn object_path(&self, digest: &Digest) -> PathBuf {
        self.root.join(digest.place())
    }

    pub(crate) fn action_folder(&self, key: &Key) -> PathBuf {
        self.root.join(key.place())
    }
}

impl Digest {
    /// Where an object of this digest lies, from the root of a store: `objects/sha256/ab/cdef…`.
    pub fn place(&self) -> String {
        let hex = self.hex();
        format!("objects/sha256/{}/{}", &hex[..2], &hex[2..])
    }
}

impl Key {
    /// The folder of the results under this key, from the root of a store: `actions/sha256/ab/cdef…`.
    pub fn place(&self) -> String {
        let hex = self.hex();
        format!("actions/sha256/{}/{}", &hex[..2], &hex[2..])
    }
}

impl RefTarget {
    /// Where the result lies, from the root of a store: `actions/sha256/ab/cdef…/<outputs' hash>.json`.
    pub fn place(&self) -> String {
        format!("{}/{}.json", self.key.place(), self.result.hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_other_things_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("thesis.docx"), "").unwrap();
        assert!(matches!(Store::open(folder.path()), Err(Error::NotAStore { .. })));
        assert_eq!(fs_err::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_secret_stays_and_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let secret = store.secret().unwrap();
        assert_eq!(Store::open(store.root()).unwrap().secret().unwrap(), secret);
        let mode = fs_err::metadata(store.root().join("secret")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

//! Objects: immutable contents, named by their digest.

use std::{
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tempfile::{NamedTempFile, TempPath};

use crate::{Digest, Error, Result, Store, is_forbidden};

impl Store {
    /// Publishes these bytes.
    pub fn put_bytes(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        if !self.has_for_long(&digest) {
            self.publish_new(self.written(bytes, 0o444)?, &self.object_path(&digest))?;
        }
        Ok(digest)
    }

    /// Publishes a finished file of a temporary folder of this store; the file moves away.
    pub fn put_file(&self, path: &Path) -> Result<Digest> {
        let digest = Digest::of_file(path)?;
        if !self.has_for_long(&digest) {
            let file = fs_err::File::open(path)?.into_parts().0;
            fs_err::set_permissions(path, PermissionsExt::from_mode(0o444))?;
            let file = NamedTempFile::from_parts(file, TempPath::try_from_path(path)?);
            self.publish_new(file, &self.object_path(&digest))?;
        }
        Ok(digest)
    }

    /// Whether an object of this digest's name and size is here. Does not read it: see [`Store::verify`].
    pub fn has(&self, digest: &Digest) -> bool {
        fs_err::metadata(self.object_path(digest))
            .is_ok_and(|data| data.is_file() && data.len() == digest.size)
    }

    /// Like [`Store::has`], and keeps the object from a collection that runs now: it counts as young again.
    pub fn has_for_long(&self, digest: &Digest) -> bool {
        // Looked at again: a collection takes a file away before it looks at its age for the last time.
        self.has(digest) && freshen(&self.object_path(digest)).is_ok() && self.has(digest)
    }

    /// The path of an object that must be here; a cache brings it.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it is not, or has another size.
    pub fn object(&self, digest: &Digest) -> Result<PathBuf> {
        if let Some(origin) = self.origin() {
            // Its time of modification tells when it was used last.
            let used = touch(&self.object_path(digest)).is_ok();
            if !(used && self.has(digest)) {
                origin.bring(digest)?;
            }
        }
        if self.has(digest) { Ok(self.object_path(digest)) } else { Err(self.absent(digest)) }
    }

    /// Like [`Store::object`], and its content has been checked against its digest.
    pub fn verified(&self, digest: &Digest) -> Result<PathBuf> {
        let path = self.object(digest)?;
        if Digest::of_file(&path)? == *digest {
            return Ok(path);
        }
        self.read(digest)?; // fetches it anew from the store elsewhere, or says that it is damaged
        Ok(path)
    }

    /// What is wrong with an object that is not here.
    pub(crate) fn absent(&self, digest: &Digest) -> Error {
        let path = self.object_path(digest);
        let what = if path.exists() { "has another size than its digest" } else { "is missing" };
        Error::Damaged { path, what: what.into() }
    }

    /// The content of an object that must be here, checked against its digest.
    pub fn read(&self, digest: &Digest) -> Result<Vec<u8>> {
        let path = self.object(digest)?;
        let bytes = fs_err::read(&path)?;
        if Digest::of(&bytes) == *digest {
            return Ok(bytes);
        }
        match self.origin() {
            Some(origin) if origin.has(digest)? => {
                self.remove(&path)?;
                origin.bring(digest)?; // checks what arrives
                Ok(fs_err::read(&path)?)
            }
            _ => Err(Error::Damaged { path, what: "its content does not match its digest".into() }),
        }
    }
}

/// A file of this age or less needs no new time of modification.
pub(crate) const RECENT: Duration = Duration::from_mins(10);

/// Sets a file's time of modification to now, where this user may.
pub(crate) fn touch(path: &Path) -> io::Result<()> {
    set_modified(&fs_err::File::open(path)?, SystemTime::now())
}

/// Sets a file's time of modification to now, unless it is recent, where this user may.
pub(crate) fn freshen(path: &Path) -> io::Result<()> {
    let file = fs_err::File::open(path)?;
    let now = SystemTime::now();
    match now.duration_since(file.metadata()?.modified()?) {
        Ok(age) if age > RECENT => set_modified(&file, now),
        _ => Ok(()),
    }
}

/// Of a file of another user's, or in a store that can only be read, the time stays: what is there can be used all the same.
fn set_modified(file: &fs_err::File, time: SystemTime) -> io::Result<()> {
    match file.file().set_modified(time) {
        Err(error) if is_forbidden(&error) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_may_not_be_set_stays() {
        let kept = Path::new("/proc/version"); // nobody may set its time
        assert!(touch(kept).is_ok());
        assert_eq!(touch(Path::new("/proc/absent")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_goes_in_comes_out_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let work = store.temporary_folder().unwrap();
        let file = work.path().join("shard");
        fs_err::write(&file, b"pixels").unwrap();
        let digest = store.put_file(&file).unwrap();
        assert!(!file.exists());
        assert_eq!(store.put_bytes(b"pixels").unwrap(), digest);
        assert_eq!(store.read(&digest).unwrap(), b"pixels");
        let mode = fs_err::metadata(store.object_path(&digest)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o444);
    }

    #[test]
    fn a_flipped_byte_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let digest = store.put_bytes(b"pixels").unwrap();
        let path = store.object_path(&digest);
        fs_err::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        fs_err::write(&path, b"pixelS").unwrap();
        assert!(matches!(store.read(&digest), Err(Error::Damaged { .. })));
        assert!(matches!(store.verified(&digest), Err(Error::Damaged { .. })));
        fs_err::write(&path, b"pix").unwrap();
        assert!(matches!(store.object(&digest), Err(Error::Damaged { .. })));
    }
}

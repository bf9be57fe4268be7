//! An object that arrives from elsewhere: hashed while it is written, visible only when it is what it should be.

use std::io::{self, Write};

use tempfile::NamedTempFile;

use crate::{Digest, Error, Hasher, Result, Step, Store};

/// A content on its way into the store. Dropped, it leaves nothing.
#[derive(Debug)]
pub struct Incoming {
    store: Store,
    file: NamedTempFile,
    hasher: Hasher,
}

impl Store {
    /// A content that will be written piece by piece.
    pub fn incoming(&self) -> Result<Incoming> {
        Ok(Incoming { store: self.clone(), file: self.written(&[], 0o444)?, hasher: Hasher::default() })
    }
}

impl Write for Incoming {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.store.steps().before(Step::Write, self.file.path())?;
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Incoming {
    /// Publishes what was written.
    ///
    /// # Errors
    /// [`Error::Garbled`] when it is not the content that was expected; then nothing is published.
    pub fn publish(self, expected: &Digest) -> Result<()> {
        let arrived = self.hasher.digest();
        if arrived != *expected {
            return Err(Error::Garbled { digest: *expected, what: format!("{arrived} came") });
        }
        if !self.store.has_for_long(expected) {
            self.store.publish_over(self.file, &self.store.object_path(expected))?; // what stands there is cut short
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_what_was_expected_arrives() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let expected = Digest::of(b"pixels");
        for sent in [&b"pixelS"[..], b"pixel", b"pixels!", b""] {
            let mut incoming = store.incoming().unwrap();
            incoming.write_all(sent).unwrap();
            assert!(matches!(incoming.publish(&expected), Err(Error::Garbled { .. })));
            assert!(!store.object_path(&expected).exists());
        }
        let mut incoming = store.incoming().unwrap();
        incoming.write_all(b"pix").unwrap();
        incoming.write_all(b"els").unwrap();
        incoming.publish(&expected).unwrap();
        assert_eq!(store.read(&expected).unwrap(), b"pixels");
        let mode = fs_err::metadata(store.object_path(&expected)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o444);
        assert_eq!(fs_err::read_dir(store.root().join("tmp")).unwrap().count(), 0);
    }
}

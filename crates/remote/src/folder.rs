//! A store in a shared folder: an ordinary store, written by the store's own means (synced, then moved into place).
//! `object_store` writes folders too, but cannot move a ref only if nobody else has, and knows no file modes.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use store::{Digest, Error, Key, RefName, RefTarget, Result, Store, Swap, Trouble};

use crate::{Absent, Remote};

/// A store in a folder that others see too.
#[derive(Debug)]
pub struct Folder {
    address: String,
    store: Store,
}

impl Folder {
    /// Opens the store in this folder.
    pub fn open(path: PathBuf, absent: Absent) -> Result<Self> {
        if absent == Absent::Refuse && !path.join("format").exists() {
            let (address, what) = (path.display().to_string(), "there is no store in this folder".to_owned());
            return Err(Error::Remote { address, trouble: Trouble::NoStore, what });
        }
        let store = Store::open(path)?;
        store.sweep_temporary()?;
        Self::of(store)
    }

    /// An open store, seen as one elsewhere.
    pub fn of(store: Store) -> Result<Self> {
        Ok(Self { address: fs_err::canonicalize(store.root())?.display().to_string(), store })
    }
}

impl Remote for Folder {
    fn address(&self) -> &str {
        &self.address
    }

    fn has(&self, digest: &Digest) -> Result<bool> {
        Ok(self.store.has_for_long(digest))
    }

    fn fetch(&self, digest: &Digest, into: &mut dyn Write) -> Result<()> {
        let mut file = fs_err::File::open(self.store.object(digest)?)?;
        io::copy(&mut file, into)?;
        Ok(())
    }

    fn offer(&self, digest: &Digest, file: &Path, sent: &(dyn Fn(u64) + Sync)) -> Result<()> {
        let mut file = fs_err::File::open(file)?;
        let mut incoming = self.store.incoming()?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            match file.read(&mut buffer)? {
                0 => return incoming.publish(digest),
                read => {
                    incoming.write_all(&buffer[..read])?;
                    sent(read as u64);
                }
            }
        }
    }

    fn result(&self, target: &RefTarget) -> Result<Option<Vec<u8>>> {
        self.store.result_file(target)
    }

    fn put_result(&self, target: &RefTarget, file: &[u8]) -> Result<()> {
        self.store.put_result_file(target, file)
    }

    fn results(&self, key: &Key) -> Result<Vec<Vec<u8>>> {
        let results = self.store.results(key)?.into_iter();
        let targets = results.map(|result| RefTarget { key: *key, result: result.fingerprint() });
        let files = targets.map(|target| self.store.result_file(&target));
        Ok(files.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    fn refs(&self) -> Result<BTreeMap<RefName, Option<String>>> {
        Ok(self.store.all_refs()?.into_iter().map(|name| (name, None)).collect())
    }

    fn ref_target(&self, name: &RefName) -> Result<Option<RefTarget>> {
        self.store.ref_target(&name.stage, &name.name)
    }

    fn swap_ref(&self, name: &RefName, from: Option<&RefTarget>, to: &RefTarget) -> Result<Swap> {
        self.store.swap_ref(name, from, to)
    }
}

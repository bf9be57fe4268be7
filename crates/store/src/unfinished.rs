//! What a stage has so far, kept when it ends before it is done: the checkpoints of a training, say.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{Key, Result, Store, if_there};

impl Store {
    /// The folder for what there is so far of the answer to a question; it outlives the process, may not exist yet, and
    /// belongs to whoever holds the key's lock.
    pub fn unfinished(&self, key: &Key) -> PathBuf {
        self.all_unfinished().join(key.hex())
    }

    /// Deletes what there is so far: the answer is there, or nobody wants it any more.
    pub fn drop_unfinished(&self, key: &Key) -> Result<()> {
        remove(&self.unfinished(key))
    }

    /// Deletes what there is so far of all answers. Nothing else may run.
    pub fn drop_all_unfinished(&self) -> Result<()> {
        remove(&self.all_unfinished())
    }

    /// The folders that nobody has gone on with since `cutoff`, nor goes on with now.
    pub(crate) fn old_unfinished(&self, cutoff: SystemTime) -> Result<Vec<PathBuf>> {
        let mut held = self.held_locks()?;
        held.retain(|(_, holder)| !holder.is_dead());
        let mut old = Vec::new();
        for folder in if_there(fs_err::read_dir(self.all_unfinished()))?.into_iter().flatten() {
            let folder = folder?;
            let is_held = held.iter().any(|(key, _)| folder.file_name() == key.as_str());
            if folder.metadata()?.modified()? < cutoff && !is_held {
                old.push(folder.path());
            }
        }
        old.sort();
        Ok(old)
    }

    /// Deletes those of these folders that are still old.
    pub(crate) fn drop_old_unfinished(&self, folders: &[PathBuf], cutoff: SystemTime) -> Result<()> {
        let old = self.old_unfinished(cutoff)?;
        folders.iter().filter(|folder| old.contains(folder)).try_for_each(|folder| remove(folder))
    }

    fn all_unfinished(&self) -> PathBuf {
        self.root().join("unfinished")
    }
}

fn remove(folder: &Path) -> Result<()> {
    if_there(fs_err::remove_dir_all(folder))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_is_the_stores_own_and_goes_when_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let keys = ["a", "b"].map(|question| Key::of(question.as_bytes()));
        for key in &keys {
            fs_err::create_dir_all(store.unfinished(key).join("epoch-1")).unwrap();
            fs_err::write(store.unfinished(key).join("epoch-1/tensors"), "weights").unwrap();
        }
        assert_eq!(store.verify(|_| {}).unwrap().damage, []);
        let (long_ago, soon) =
            (SystemTime::now() - Duration::from_hours(1), SystemTime::now() + Duration::from_secs(1));
        assert!(store.old_unfinished(long_ago).unwrap().is_empty(), "all are younger than that");
        assert_eq!(store.old_unfinished(soon).unwrap().len(), 2);
        store.drop_unfinished(&keys[0]).unwrap();
        store.drop_unfinished(&keys[0]).unwrap();
        assert!(store.unfinished(&keys[1]).exists());
        let held = store.lock(&keys[1].hex(), |_| {}).unwrap();
        assert!(store.old_unfinished(soon).unwrap().is_empty(), "somebody goes on with it");
        drop(held);
        assert_eq!(store.old_unfinished(soon).unwrap(), [store.unfinished(&keys[1])]);
        store.drop_old_unfinished(&[store.unfinished(&keys[1])], soon).unwrap();
        assert!(!store.unfinished(&keys[1]).exists());
    }
}

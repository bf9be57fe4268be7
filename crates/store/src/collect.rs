//! Freeing what no ref reaches.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::{ActionResult, Result, Store, action::read_json, object::RECENT};

/// What a stage takes up counts as made when the stage began, less this: such a file is only marked as young again when
/// it is older than [`RECENT`], and the clocks of a file server and of its clients differ.
const BEFORE_A_STAGE: Duration = Duration::from_secs(2 * RECENT.as_secs());

/// What a collection frees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Nothing younger than this goes.
    cutoff: SystemTime,
    /// Results that no ref names: deleted first, so that none is ever left without its objects.
    pub results: Vec<PathBuf>,
    /// Objects that no kept result names.
    pub objects: Vec<PathBuf>,
    /// Bytes of those objects.
    pub bytes: u64,
}

impl Store {
    /// What can be freed: results that no ref names and objects that no kept result names, all older than `lease` and
    /// older than every stage that runs now (it publishes objects some time before the ref that keeps them).
    pub fn unreachable(&self, lease: Duration) -> Result<Collection> {
        let cutoff = self.cutoff(lease)?;
        let mut named = HashSet::new();
        for stage in self.stages()? {
            for name in self.refs_of(&stage)? {
                if let Some(target) = self.ref_target(&stage, &name)? {
                    named.insert(self.result_path(&target.key, &target.result));
                }
            }
        }
        let (results, kept): (Vec<_>, Vec<_>) =
            self.result_files().into_iter().partition(|path| !named.contains(path) && older(path, cutoff));
        let mut reached = HashSet::new();
        for path in kept {
            let result: ActionResult = read_json(&path)?;
            reached.extend(result.outputs.values().map(|digest| self.object_path(digest)));
        }
        let objects: Vec<PathBuf> = self
            .object_files()
            .into_iter()
            .filter(|path| !reached.contains(path) && older(path, cutoff))
            .collect();
        let bytes =
            objects.iter().filter_map(|path| fs_err::metadata(path).ok()).map(|data| data.len()).sum();
        Ok(Collection { cutoff, results, objects, bytes })
    }

    /// Deletes what [`Store::unreachable`] listed, but for what a stage has taken up since.
    pub fn collect(&self, collection: &Collection) -> Result<()> {
        for path in collection.results.iter().chain(&collection.objects) {
            if older(path, collection.cutoff) {
                self.remove(path)?;
            }
        }
        self.sweep_temporary()
    }

    /// Nothing younger is ever freed.
    fn cutoff(&self, lease: Duration) -> Result<SystemTime> {
        let leased = SystemTime::now() - lease;
        let running = self.oldest_lock()?.map(|since| SystemTime::from(since) - BEFORE_A_STAGE);
        Ok(running.map_or(leased, |running| leased.min(running)))
    }
}

/// Whether a file was last modified at `cutoff` or before; a file that is gone was not.
fn older(path: &Path, cutoff: SystemTime) -> bool {
    fs_err::metadata(path).and_then(|data| data.modified()).is_ok_and(|modified| modified <= cutoff)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Digest, Key};

    #[test]
    fn what_a_ref_reaches_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let shared = store.put_bytes(b"shared").unwrap();
        for (name, named) in [("kept", true), ("old", false)] {
            let own = store.put_bytes(name.as_bytes()).unwrap();
            let result = ActionResult {
                stage: "train".into(),
                document: serde_json::Value::Null,
                inputs: BTreeMap::new(),
                outputs: BTreeMap::from([("own".to_owned(), own), ("shared".to_owned(), shared)]),
                provenance: serde_json::Value::Null,
            };
            let key = Key::of(name.as_bytes());
            store.put_result(&key, &result).unwrap();
            if named {
                store.set_ref("train", name, &key, &result).unwrap();
            }
        }
        let leased = store.unreachable(Duration::from_secs(3600)).unwrap();
        assert_eq!((leased.results.len(), leased.objects.len()), (0, 0), "all are young");
        let free = store.unreachable(Duration::ZERO).unwrap();
        assert_eq!((free.results.len(), free.objects.len(), free.bytes), (1, 1, 3));
        store.collect(&free).unwrap();
        assert!(store.verify(|_| {}).unwrap().damage.is_empty());
        assert!(store.resolve("train", "kept").unwrap().is_some());
    }

    fn age(store: &Store, digest: &Digest, seconds: u64) {
        let file = fs_err::File::open(store.object_path(digest)).unwrap();
        file.file().set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    }

    #[test]
    fn what_a_running_stage_may_need_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let [old, young] =
            [b"made long before".as_slice(), b"made by the stage"].map(|text| store.put_bytes(text).unwrap());
        age(&store, &old, 7200);
        let lock = store.lock("key", |_| {}).unwrap();
        let free = store.unreachable(Duration::ZERO).unwrap();
        assert_eq!(free.objects, [store.object_path(&old)]);
        store.collect(&free).unwrap();
        assert!(store.has(&young) && !store.has(&old));
        drop(lock);
        assert_eq!(store.unreachable(Duration::ZERO).unwrap().objects, [store.object_path(&young)]);
    }

    #[test]
    fn what_is_taken_up_again_after_the_listing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let digest = store.put_bytes(b"shared").unwrap();
        age(&store, &digest, 7200);
        let free = store.unreachable(Duration::from_secs(3600)).unwrap();
        assert_eq!(free.objects.len(), 1);
        store.put_bytes(b"shared").unwrap(); // another stage makes the same bytes and finds them here
        store.collect(&free).unwrap();
        assert!(store.has(&digest));
    }
}

//! Freeing what no ref reaches.

use std::{
    collections::HashSet,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use crate::{ActionResult, Result, Store, action::read_json};

/// What a collection frees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collection {
    /// Results that no ref names: deleted first, so that none is ever left without its objects.
    pub results: Vec<PathBuf>,
    /// Objects that no kept result names.
    pub objects: Vec<PathBuf>,
    /// Bytes of those objects.
    pub bytes: u64,
}

impl Store {
    /// What can be freed: results that no ref names and objects that no kept result names, all older than `lease`
    /// (a running stage publishes objects some time before the ref that keeps them).
    pub fn unreachable(&self, lease: Duration) -> Result<Collection> {
        let now = SystemTime::now();
        let old = |path: &PathBuf| {
            fs_err::metadata(path)
                .and_then(|data| data.modified())
                .is_ok_and(|modified| now.duration_since(modified).is_ok_and(|age| age >= lease))
        };
        let mut named = HashSet::new();
        for stage in self.stages()? {
            for name in self.refs_of(&stage)? {
                if let Some(target) = self.ref_target(&stage, &name)? {
                    let folder = self.action_folder(&target.key);
                    named.insert(folder.join(format!("{}.json", target.result.hex())));
                }
            }
        }
        let (free, kept): (Vec<_>, Vec<_>) =
            self.result_files().into_iter().partition(|path| !named.contains(path) && old(path));
        let mut reached = HashSet::new();
        for path in kept {
            let result: ActionResult = read_json(&path)?;
            reached.extend(result.outputs.values().map(|digest| self.object_path(digest)));
        }
        let objects: Vec<PathBuf> =
            self.object_files().into_iter().filter(|path| !reached.contains(path) && old(path)).collect();
        let bytes =
            objects.iter().filter_map(|path| fs_err::metadata(path).ok()).map(|data| data.len()).sum();
        Ok(Collection { results: free, objects, bytes })
    }

    /// Deletes what [`Store::unreachable`] listed.
    pub fn collect(&self, collection: &Collection) -> Result<()> {
        for path in collection.results.iter().chain(&collection.objects) {
            fs_err::remove_file(path)?;
        }
        self.sweep_temporary()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::Key;

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
                outputs: BTreeMap::from([("own".to_owned(), own), ("shared".to_owned(), shared)]),
                provenance: serde_json::Value::Null,
            };
            let key = Key::of(name.as_bytes());
            store.put_result(&key, &result).unwrap();
            if named {
                store.set_ref("train", name, &key, &result).unwrap();
            }
        }
        assert_eq!(
            store.unreachable(Duration::from_secs(3600)).unwrap(),
            Collection::default(),
            "all are young"
        );
        let free = store.unreachable(Duration::ZERO).unwrap();
        assert_eq!((free.results.len(), free.objects.len(), free.bytes), (1, 1, 3));
        store.collect(&free).unwrap();
        assert!(store.verify(|_| {}).unwrap().damage.is_empty());
        assert!(store.resolve("train", "kept").unwrap().is_some());
    }
}

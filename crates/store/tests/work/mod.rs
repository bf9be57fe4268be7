//! What stages do with a store, in small.

use std::{collections::BTreeMap, path::Path, time::Duration};

use store::{ActionResult, Digest, Key, Result, Store};
use tempfile::TempDir;

/// Everything that a stage and its user do: work in a temporary folder, publish, name, find again, rename, collect.
/// Stories of different numbers share some contents.
#[derive(Clone, Copy, Debug)]
pub struct Story(pub u64);

impl Story {
    /// Tells the story, from wherever an earlier telling stopped, and returns the digests of its outputs.
    pub fn tell(self, store: &Store) -> Result<Vec<Digest>> {
        store.secret()?;
        let mut digests = Vec::new();
        for part in 0..2 {
            let (key, name) = (self.key(part), format!("story-{}-{part}", self.0));
            let result = match store.result(&key)? {
                Some(result) => result,
                None => self.make(store, part, &key)?,
            };
            store.set_ref("story", &name, &key, &result)?;
            store.set_ref("story", &format!("latest-{}", self.0), &key, &result)?;
            digests.extend(result.outputs.values());
        }
        store.set_ref("story", "passing", &self.key(0), &store.result(&self.key(0))?.expect("just made"))?;
        store.remove_ref("story", "passing")?;
        // A day's lease: as users collect.
        store.collect(&store.unreachable(Duration::from_hours(24))?)?;
        Ok(digests)
    }

    /// What [`Story::tell`] returns.
    pub fn told(self) -> Vec<Digest> {
        (0..2).flat_map(|part| self.contents(part)).map(|(_, content)| Digest::of(&content)).collect()
    }

    fn make(self, store: &Store, part: u64, key: &Key) -> Result<ActionResult> {
        let _lock = store.lock(&key.hex(), |_| {})?;
        store.sweep_temporary()?;
        let folder = store.temporary_folder()?;
        let mut outputs = BTreeMap::new();
        for (name, content) in self.contents(part) {
            let digest = if name == "figures" {
                store.put_bytes(&content)?
            } else {
                let path = folder.path().join(name);
                fs_err::write(&path, &content)?;
                store.put_file(&path)?
            };
            outputs.insert(name.to_owned(), digest);
        }
        let result = ActionResult {
            stage: "story".into(),
            document: self.document(part),
            inputs: BTreeMap::new(),
            outputs,
            provenance: serde_json::Value::Null,
        };
        store.put_result(key, &result)?;
        Ok(result)
    }

    fn key(self, part: u64) -> Key {
        Key::of_document(&self.document(part))
    }

    fn document(self, part: u64) -> serde_json::Value {
        serde_json::json!({"story": self.0, "part": part})
    }

    /// By name, in the order of names.
    fn contents(self, part: u64) -> [(&'static str, Vec<u8>); 3] {
        [
            ("figures", format!("{{\"auroc\": 0.{}}}", self.0 * 2 + part).into_bytes()),
            ("model", vec![self.0 as u8; 4096]),
            ("shard", vec![(self.0 / 4) as u8; 100]),
        ]
    }
}

/// A folder in memory where there is one, so that syncing costs nothing.
pub fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// Nothing is damaged, and every name leads somewhere.
pub fn check(store: &Store) {
    assert_eq!(store.verify(|_| {}).unwrap().damage, []);
    for stage in store.stages().unwrap() {
        for name in store.refs_of(&stage).unwrap() {
            store.resolve(&stage, &name).unwrap().expect("a name leads to a result");
        }
    }
}

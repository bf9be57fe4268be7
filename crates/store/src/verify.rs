//! Reading everything again.

use std::path::PathBuf;

use rayon::prelude::*;
use walkdir::WalkDir;

use crate::{ActionResult, Digest, Result, Store, action::read_json};

/// One thing that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub what: String,
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Objects read.
    pub objects: usize,
    /// Bytes read.
    pub bytes: u64,
    /// What is wrong, sorted by path.
    pub damage: Vec<Damage>,
}

impl Store {
    /// Hashes every object again and follows every ref and result; `seen` is called with each object's size.
    pub fn verify(&self, seen: impl Fn(u64) + Sync) -> Result<Verification> {
        let objects = self.object_files();
        let checked: Vec<(u64, Option<Damage>)> = objects
            .par_iter()
            .map(|path| {
                let name = path.parent().and_then(|folder| folder.file_name()).zip(path.file_name());
                let expected =
                    name.map(|(head, tail)| format!("{}{}", head.to_string_lossy(), tail.to_string_lossy()));
                let (size, what) = match Digest::of_file(path) {
                    Ok(digest) if Some(digest.hex()) == expected => (digest.size, None),
                    Ok(digest) => (digest.size, Some("its content does not match its name".to_owned())),
                    Err(error) => (0, Some(error.to_string())),
                };
                seen(size);
                (size, what.map(|what| Damage { path: path.clone(), what }))
            })
            .collect();
        let mut found = Verification {
            objects: objects.len(),
            bytes: checked.iter().map(|(size, _)| size).sum(),
            damage: checked.into_iter().filter_map(|(_, damage)| damage).collect(),
        };
        for path in self.result_files() {
            match read_json::<ActionResult>(&path) {
                Ok(result) => {
                    let missing = result.outputs.iter().filter(|(_, digest)| !self.has(digest));
                    found.damage.extend(missing.map(|(name, digest)| Damage {
                        path: path.clone(),
                        what: format!("its output {name} ({}) is missing or cut short", digest.short()),
                    }));
                }
                Err(error) => found.damage.push(Damage { path, what: error.to_string() }),
            }
        }
        for stage in self.stages()? {
            for name in self.refs_of(&stage)? {
                if let Err(error) = self.resolve(&stage, &name) {
                    let path = self.refs().join(&stage).join(&name);
                    found.damage.push(Damage { path, what: error.to_string() });
                }
            }
        }
        found.damage.sort();
        Ok(found)
    }

    /// Bytes of all objects.
    pub fn size(&self) -> u64 {
        self.object_files().iter().filter_map(|path| fs_err::metadata(path).ok()).map(|data| data.len()).sum()
    }

    /// Every file of the store, whatever it is for.
    pub fn files(&self) -> Vec<PathBuf> {
        files_below(self.root().to_owned())
    }

    pub(crate) fn object_files(&self) -> Vec<PathBuf> {
        files_below(self.objects())
    }

    pub(crate) fn result_files(&self) -> Vec<PathBuf> {
        files_below(self.actions())
    }
}

fn files_below(folder: PathBuf) -> Vec<PathBuf> {
    WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .filter_map(std::result::Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::Key;

    #[test]
    fn flipped_and_missing_bytes_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let digests = [b"one", b"two"].map(|content| store.put_bytes(content).unwrap());
        let outputs = BTreeMap::from([("a".to_owned(), digests[0]), ("b".to_owned(), digests[1])]);
        let result = ActionResult {
            stage: "ingest".into(),
            document: serde_json::Value::Null,
            inputs: BTreeMap::new(),
            outputs,
            provenance: serde_json::Value::Null,
        };
        let key = Key::of(b"d");
        store.put_result(&key, &result).unwrap();
        store.set_ref("ingest", "siim", &key, &result).unwrap();
        assert_eq!(
            store.verify(|_| {}).unwrap(),
            Verification { objects: 2, bytes: 6, damage: Vec::new() },
            "a clean store is clean"
        );

        let path = store.object_path(&digests[0]);
        fs_err::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        fs_err::write(&path, "onE").unwrap();
        let damage = store.verify(|_| {}).unwrap().damage;
        assert_eq!(damage.iter().map(|damage| &damage.path).collect::<Vec<_>>(), [&path]);

        fs_err::remove_file(&path).unwrap();
        let damage = store.verify(|_| {}).unwrap().damage;
        assert_eq!(damage.len(), 2, "the result and the ref both miss it: {damage:?}");
    }
}

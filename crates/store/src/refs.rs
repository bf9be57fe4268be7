//! Refs: the human names of results.

use std::io;

use serde::{Deserialize, Serialize};

use crate::{ActionResult, Digest, Error, Key, Result, Store, action::read_json};

/// What a ref points to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefTarget {
    /// The key of the result.
    pub key: Key,
    /// Which result under that key: the digest that names its outputs.
    pub result: Digest,
}

impl Store {
    /// Names a published result.
    pub fn set_ref(&self, stage: &str, name: &str, key: &Key, result: &ActionResult) -> Result<()> {
        let target = RefTarget { key: *key, result: result.fingerprint() };
        let path = self.refs().join(checked(stage)?).join(checked(name)?);
        if self.ref_target(stage, name)?.as_ref() == Some(&target) {
            return Ok(());
        }
        let text = serde_json::to_vec(&target).expect("a ref is plain data");
        self.publish_over(self.written(&text, 0o644)?, &path)
    }

    /// Where a ref points to.
    pub fn ref_target(&self, stage: &str, name: &str) -> Result<Option<RefTarget>> {
        let path = self.refs().join(checked(stage)?).join(checked(name)?);
        match fs_err::metadata(&path) {
            Ok(_) => read_json(&path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The result a ref names.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the ref points to a result, or a result to objects, that are not here.
    pub fn resolve(&self, stage: &str, name: &str) -> Result<Option<(Key, ActionResult)>> {
        let Some(target) = self.ref_target(stage, name)? else { return Ok(None) };
        let path = self.result_path(&target.key, &target.result);
        if !path.exists() {
            return Err(Error::Damaged {
                path,
                what: format!("ref {stage}/{name} points to it, but it is missing"),
            });
        }
        let result: ActionResult = read_json(&path)?;
        for digest in result.outputs.values() {
            self.object(digest)?;
        }
        Ok(Some((target.key, result)))
    }

    /// The names of a stage's refs, sorted.
    pub fn refs_of(&self, stage: &str) -> Result<Vec<String>> {
        names(&self.refs().join(checked(stage)?))
    }

    /// The stages that have refs, sorted.
    pub fn stages(&self) -> Result<Vec<String>> {
        names(&self.refs())
    }

    /// Forgets a name; what it named stays until the next collection. Returns whether it was there.
    pub fn remove_ref(&self, stage: &str, name: &str) -> Result<bool> {
        self.remove(&self.refs().join(checked(stage)?).join(checked(name)?))
    }
}

/// The names of what lies in a folder, sorted; none where there is no folder.
pub(crate) fn names(folder: &std::path::Path) -> Result<Vec<String>> {
    let entries = match fs_err::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut names = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn checked(name: &str) -> Result<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._=,-".contains(c);
    if name.is_empty() || name.starts_with('.') || name.len() > 200 || !name.chars().all(plain) {
        return Err(Error::BadName(name.to_owned()));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn result(store: &Store, content: &[u8]) -> ActionResult {
        ActionResult {
            stage: "train".into(),
            document: serde_json::json!({"k": 0.1}),
            inputs: BTreeMap::new(),
            outputs: BTreeMap::from([("model".to_owned(), store.put_bytes(content).unwrap())]),
            provenance: serde_json::Value::Null,
        }
    }

    #[test]
    fn a_name_leads_to_outputs_and_misses_are_damage() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let key = Key::of(b"document");
        assert_eq!(store.resolve("train", "sga").unwrap(), None);
        let result = result(&store, b"weights");
        store.put_result(&key, &result).unwrap();
        store.set_ref("train", "sga", &key, &result).unwrap();
        assert_eq!(store.resolve("train", "sga").unwrap(), Some((key, result.clone())));
        assert_eq!(store.refs_of("train").unwrap(), ["sga"]);

        fs_err::remove_file(store.object_path(&result.outputs["model"])).unwrap();
        assert!(matches!(store.resolve("train", "sga"), Err(Error::Damaged { .. })));
        assert_eq!(store.result(&key).unwrap(), None, "a result without its objects is no hit");
    }

    #[test]
    fn a_result_is_never_published_before_its_objects() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let mut result = result(&store, b"weights");
        result.outputs.insert("absent".into(), Digest::of(b"never stored"));
        assert!(store.put_result(&Key::of(b"d"), &result).is_err());
        assert_eq!(store.results(&Key::of(b"d")).unwrap(), []);
    }

    #[test]
    fn two_answers_to_one_question_are_both_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let key = Key::of(b"d");
        for content in [b"one", b"two", b"one"] {
            store.put_result(&key, &result(&store, content)).unwrap();
        }
        assert_eq!(store.results(&key).unwrap().len(), 2);
    }

    #[test]
    fn names_cannot_leave_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        for name in ["", "..", "../secret", "a/b", ".hidden", "a b"] {
            assert!(matches!(store.ref_target("train", name), Err(Error::BadName(_))), "{name}");
        }
    }
}

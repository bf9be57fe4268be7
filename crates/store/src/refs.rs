//! Refs: the human names of results.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use crate::{
    ActionResult, Digest, Error, Key, Record, Result, Store,
    action::{read_json, read_json_if_there},
    if_there,
};

/// What a ref points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefTarget {
    /// The key of the result.
    pub key: Key,
    /// Which result under that key: the digest that names its outputs.
    pub result: Digest,
}

/// A ref: `<stage>/<name>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RefName {
    /// The stage that made what it names, or [`PIN`].
    pub stage: String,
    /// The name.
    pub name: String,
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stage, self.name)
    }
}

/// Where a stage's name stands in other refs, this stands in pins: refs that only a user sets and removes.
pub const PIN: &str = "pin";

impl FromStr for RefName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (stage, name) = text.split_once('/').ok_or_else(|| Error::BadName(text.to_owned()))?;
        Ok(Self { stage: checked(stage)?.to_owned(), name: checked(name)?.to_owned() })
    }
}

impl RefName {
    /// Where the ref lies, from the root of a store: `refs/<stage>/<name>`.
    pub fn place(&self) -> String {
        format!("refs/{self}")
    }
}

/// What became of a ref that was to be moved from where it was last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    /// It points where it should.
    Done,
    /// It was not where it was last seen, and stays: here.
    Moved(Option<RefTarget>),
}

impl Store {
    /// Names a published result. If a collection has taken it away just now, it is published again.
    pub fn set_ref(&self, stage: &str, name: &str, key: &Key, result: &ActionResult) -> Result<()> {
        let target = RefTarget { key: *key, result: result.fingerprint() };
        self.place_ref(stage, name, &target)?;
        // Looked at after the ref is there: a collection looks at refs after it has taken a result away.
        if !self.result_path(key, &target.result).exists() {
            self.put_result(key, result)?;
        }
        self.publish_ref(&RefName { stage: stage.to_owned(), name: name.to_owned() }, &target)
    }

    fn publish_ref(&self, name: &RefName, target: &RefTarget) -> Result<()> {
        self.origin().map_or(Ok(()), |origin| origin.publish(self, name, target))
    }

    /// Moves a name to a published result if it still points to `from` (`None`: if it does not exist). Returns where it
    /// points to otherwise. Moves by this function wait for each other; [`Store::set_ref`] does not ask.
    pub fn swap_ref(&self, name: &RefName, from: Option<&RefTarget>, to: &RefTarget) -> Result<Swap> {
        let _lock = self.lock(&Digest::of(name.place().as_bytes()).hex(), |_| {})?;
        let found = self.ref_target(&name.stage, &name.name)?;
        if found.as_ref() != from {
            return Ok(Swap::Moved(found));
        }
        self.place_ref(&name.stage, &name.name, to)?;
        self.publish_ref(name, to)?;
        Ok(Swap::Done)
    }

    fn place_ref(&self, stage: &str, name: &str, target: &RefTarget) -> Result<()> {
        let path = self.refs().join(checked(stage)?).join(checked(name)?);
        if self.ref_target(stage, name)?.as_ref() == Some(target) {
            return Ok(());
        }
        let text = serde_json::to_vec(target).expect("a ref is plain data");
        self.publish_over(self.written(&text, 0o644)?, &path)
    }

    /// Where a ref points to.
    pub fn ref_target(&self, stage: &str, name: &str) -> Result<Option<RefTarget>> {
        read_json_if_there(&self.refs().join(checked(stage)?).join(checked(name)?))
    }

    /// The file of a ref.
    pub fn ref_path(&self, name: &RefName) -> PathBuf {
        self.refs().join(&name.stage).join(&name.name)
    }

    /// The one result that a damaged ref still tells of: a key or an outputs' hash in it is whole.
    pub fn mentioned<'a>(&self, name: &RefName, records: &'a [Record]) -> Option<&'a Record> {
        let bytes = fs_err::read(self.ref_path(name)).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let told =
            |record: &&Record| text.contains(&record.key.hex()) || text.contains(&record.fingerprint().hex());
        let mut told = records.iter().filter(told);
        told.next().filter(|_| told.next().is_none())
    }

    /// The result a ref names.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the ref points to a result, or a result to objects, that are not here.
    pub fn resolve(&self, stage: &str, name: &str) -> Result<Option<(Key, ActionResult)>> {
        let mut target = self.ref_target(stage, name)?;
        loop {
            let Some(at) = target else { return Ok(None) };
            match self.follow(stage, name, &at) {
                Ok(result) => return Ok(Some((at.key, result))),
                Err(error) => {
                    // The name may have gone, and then what it named: that is no damage.
                    target = self.ref_target(stage, name)?;
                    if target.as_ref() == Some(&at) {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// The result that a ref points to, all its outputs here.
    fn follow(&self, stage: &str, name: &str, target: &RefTarget) -> Result<ActionResult> {
        let path = self.result_path(&target.key, &target.result);
        if !path.exists() {
            return Err(Error::Damaged {
                path,
                what: format!("ref {stage}/{name} points to it, but it is missing"),
            });
        }
        let result: ActionResult = read_json(&path)?;
        for digest in result.outputs.values() {
            self.must_reach(digest)?;
        }
        Ok(result)
    }

    /// The record of the result that a name leads to, also where objects of it are lost.
    pub fn recorded(&self, stage: &str, name: &str) -> Result<Option<ActionResult>> {
        let Some(target) = self.ref_target(stage, name)? else { return Ok(None) };
        Ok(Some(Record::read(&self.result_path(&target.key, &target.result))?.result))
    }

    /// The names of a stage's refs, sorted.
    pub fn refs_of(&self, stage: &str) -> Result<Vec<String>> {
        names(&self.refs().join(checked(stage)?), fs::FileType::is_file)
    }

    /// The stages that have refs, sorted; [`PIN`] is among them when there are pins.
    pub fn stages(&self) -> Result<Vec<String>> {
        names(&self.refs(), fs::FileType::is_dir)
    }

    /// Every ref, sorted.
    pub fn all_refs(&self) -> Result<Vec<RefName>> {
        let mut all = Vec::new();
        for stage in self.stages()? {
            let names = self.refs_of(&stage)?;
            all.extend(names.into_iter().map(|name| RefName { stage: stage.clone(), name }));
        }
        Ok(all)
    }

    /// Forgets a name; what it named stays until the next collection. Returns whether it was there.
    pub fn remove_ref(&self, stage: &str, name: &str) -> Result<bool> {
        self.remove(&self.refs().join(checked(stage)?).join(checked(name)?))
    }
}

/// The names in a folder of what is of this kind and can be a name; anything else is for [`Store::verify`] to tell.
pub(crate) fn names(folder: &Path, of_kind: fn(&fs::FileType) -> bool) -> Result<Vec<String>> {
    let entries = if_there(fs_err::read_dir(folder))?;
    let mut names = Vec::new();
    for entry in entries.into_iter().flatten() {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if of_kind(&entry.file_type()?) && is_name(&name) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Whether a ref or a stage can be called this.
pub(crate) fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._=,-".contains(c);
    !name.is_empty() && !name.starts_with('.') && name.len() <= 200 && name.chars().all(plain)
}

/// A name that can be a file name.
pub(crate) fn checked(name: &str) -> Result<&str> {
    if is_name(name) { Ok(name) } else { Err(Error::BadName(name.to_owned())) }
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
    fn a_name_is_moved_only_from_where_it_was_seen() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let [one, two] = [b"one", b"two"].map(|content| {
            let result = result(&store, content);
            store.put_result(&Key::of(content), &result).unwrap();
            RefTarget { key: Key::of(content), result: result.fingerprint() }
        });
        let name: RefName = "train/sga".parse().unwrap();
        let swap = |from, to| store.swap_ref(&name, from, to).unwrap();
        assert_eq!(swap(Some(&two), &one), Swap::Moved(None));
        assert_eq!(swap(None, &one), Swap::Done);
        assert_eq!(swap(None, &two), Swap::Moved(Some(one)));
        assert_eq!(store.ref_target("train", "sga").unwrap(), Some(one));
        assert_eq!(swap(Some(&one), &two), Swap::Done);
        assert_eq!(store.ref_target("train", "sga").unwrap(), Some(two));
    }

    #[test]
    fn names_cannot_leave_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        for name in ["", "..", "../secret", "a/b", ".hidden", "a b"] {
            assert!(matches!(store.ref_target("train", name), Err(Error::BadName(_))), "{name}");
            assert!(format!("train/{name}").parse::<RefName>().is_err(), "{name}");
        }
    }
}

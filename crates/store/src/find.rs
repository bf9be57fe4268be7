//! From what a user types to what it means.

use std::collections::BTreeMap;

use crate::{Digest, Record, RefName, Result, Store};

/// Shorter beginnings of digests are not looked up.
pub const SHORTEST_PREFIX: usize = 6;

/// Something in the store that a word may mean.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// A ref.
    Ref(RefName),
    /// All results under one key.
    Results(Vec<Record>),
    /// An object.
    Object(Digest),
}

impl Store {
    /// What a word may mean: a ref as `<stage>/<name>` or by its name alone, a digest, or the first digits of an
    /// object's digest or of a key, at least [`SHORTEST_PREFIX`]. More than one thing: the word is ambiguous.
    pub fn find(&self, word: &str) -> Result<Vec<Found>> {
        let refs = self.all_refs()?.into_iter();
        let mut found: Vec<Found> =
            refs.filter(|name| name.to_string() == word || name.name == word).map(Found::Ref).collect();
        let digits = word.split('-').next().unwrap_or_default();
        let is_prefix = (SHORTEST_PREFIX..=64).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
            && (digits.len() == word.len() || word.parse::<Digest>().is_ok());
        if !found.is_empty() || !is_prefix {
            return Ok(found);
        }
        let digits = digits.to_ascii_lowercase();
        let mut answers: BTreeMap<String, Vec<Record>> = BTreeMap::new();
        for record in self.records().into_iter().filter(|record| record.key.hex().starts_with(&digits)) {
            answers.entry(record.key.hex()).or_default().push(record);
        }
        found.extend(answers.into_values().map(Found::Results));
        found.extend(self.objects_with(&digits).into_iter().map(Found::Object));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ActionResult, Key};

    #[test]
    fn names_and_unique_beginnings_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let object = store.put_bytes(b"weights").unwrap();
        let document = serde_json::json!({"k": 0.1});
        let result = ActionResult {
            stage: "train".into(),
            document: document.clone(),
            inputs: BTreeMap::new(),
            outputs: BTreeMap::from([("model".to_owned(), object)]),
            provenance: serde_json::Value::Null,
        };
        let key = Key::of_document(&document);
        store.put_result(&key, &result).unwrap();
        store.set_ref("train", "sga", &key, &result).unwrap();
        let name = Found::Ref(RefName { stage: "train".into(), name: "sga".into() });
        for word in ["train/sga", "sga"] {
            assert_eq!(store.find(word).unwrap(), std::slice::from_ref(&name), "{word}");
        }
        for word in
            [object.to_string(), object.hex(), object.hex()[..6].to_owned(), object.hex().to_uppercase()]
        {
            assert_eq!(store.find(&word).unwrap(), [Found::Object(object)], "{word}");
        }
        assert!(
            matches!(&store.find(&key.short()).unwrap()[..], [Found::Results(records)] if records.len() == 1)
        );
        for word in ["", "train", &object.hex()[..5], "../secret", "ffffff-x"] {
            assert_eq!(store.find(word).unwrap(), [], "{word}");
        }
        let mut contents = (0..).map(|number: u32| number.to_string().into_bytes());
        let twin = contents.find(|bytes| Digest::of(bytes).hex()[..2] == object.hex()[..2]).unwrap();
        store.put_bytes(&twin).unwrap();
        assert_eq!(store.objects_with(&object.hex()[..2]).len(), 2, "both begin alike");
    }
}

//! Action results: what a stage made of its inputs, under the key of those inputs.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Digest, Error, RefTarget, Result, Store, collect::modified, if_there, object};

/// A parameter's value as users write it: text without its quotes.
pub fn spelled(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The name of a stage's question: the digest of its key document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(Digest);

impl Key {
    /// The key of a key document in canonical form.
    pub fn of(document: &[u8]) -> Self {
        Self(Digest::of(document))
    }

    /// The key of a key document: the digest of its canonical JSON (RFC 8785), which has one spelling per number and one
    /// order of names; whole numbers beyond 2⁵³ count as text.
    pub fn of_document(document: &Value) -> Self {
        Self::of(&canonical(document))
    }

    /// 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        self.0.hex()
    }

    /// The first eight hexadecimal digits: for people, not for look-ups.
    pub fn short(&self) -> String {
        self.0.short()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

/// One answer to a stage's question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActionResult {
    /// The stage's name.
    pub stage: String,
    /// The key document: every parameter and input digest.
    pub document: Value,
    /// The objects that the stage read, by input: the way back from what it made to what that was made from. Not part
    /// of the key, where each input stands as one digest.
    #[serde(default)]
    pub inputs: BTreeMap<String, Vec<Digest>>,
    /// The files that the stage made, by name.
    pub outputs: BTreeMap<String, Digest>,
    /// What is worth knowing but does not make the result: library versions, device, wall time.
    pub provenance: Value,
}

impl ActionResult {
    /// The digest of one output.
    ///
    /// # Errors
    /// [`Error::Damaged`] when the stage made no such file.
    pub fn output(&self, name: &str) -> Result<&Digest> {
        self.outputs.get(name).ok_or_else(|| Error::Damaged {
            path: name.into(),
            what: format!("this output is missing in a result of stage {}", self.stage),
        })
    }

    /// The names of the outputs in which another result differs, also of those that one of both lacks.
    pub fn differing<'a>(&'a self, other: &'a Self) -> Vec<&'a str> {
        let names: BTreeSet<&String> = self.outputs.keys().chain(other.outputs.keys()).collect();
        let differ = names.into_iter().filter(|name| self.outputs.get(*name) != other.outputs.get(*name));
        differ.map(String::as_str).collect()
    }

    /// Names the outputs as a whole: two runs that made the same files have the same fingerprint.
    pub fn fingerprint(&self) -> Digest {
        let lines: Vec<String> =
            self.outputs.iter().map(|(name, digest)| format!("{name} {digest}\n")).collect();
        Digest::of(lines.concat().as_bytes())
    }
}

impl Store {
    /// Where the result with this fingerprint lies.
    pub(crate) fn result_path(&self, key: &Key, fingerprint: &Digest) -> PathBuf {
        self.root().join(RefTarget { key: *key, result: *fingerprint }.place())
    }

    /// Publishes a result; all its outputs must have been published before.
    pub fn put_result(&self, key: &Key, result: &ActionResult) -> Result<()> {
        for digest in result.outputs.values() {
            self.must_reach(digest)?;
        }
        let target = self.result_path(key, &result.fingerprint());
        let mut file = serde_json::to_value(result).expect("a result is plain data");
        file[SEAL] = Digest::of(&canonical(&file)).to_string().into();
        let text = serde_json::to_vec_pretty(&file).expect("a result is plain data");
        self.publish_new(self.written(&text, 0o444)?, &target)?;
        Ok(())
    }

    /// A result under this key whose outputs are all here. What it reaches counts as young again, so that a collection
    /// that runs now leaves it.
    pub fn result(&self, key: &Key) -> Result<Option<ActionResult>> {
        if let Some(result) = self.complete_result(key)? {
            return Ok(Some(result));
        }
        let Some(origin) = self.origin() else { return Ok(None) };
        origin.bring_results(self, key)?;
        self.complete_result(key)
    }

    fn complete_result(&self, key: &Key) -> Result<Option<ActionResult>> {
        let mut results = self.results(key)?;
        let taken_up = |result: &ActionResult| modified(&self.result_path(key, &result.fingerprint()));
        results.sort_by_key(|result| Reverse(taken_up(result))); // of several answers that which is in use
        for result in results {
            let mut complete = true;
            for digest in result.outputs.values() {
                complete = complete && (self.has_for_long(digest) || self.origin_has(digest)?);
            }
            if complete {
                let _ = object::freshen(&self.result_path(key, &result.fingerprint())); // may be gone by now
                return Ok(Some(result));
            }
        }
        Ok(None)
    }

    /// The file of the result that a ref points to, as it lies in the store.
    pub fn result_file(&self, target: &RefTarget) -> Result<Option<Vec<u8>>> {
        Ok(if_there(fs_err::read(self.root().join(target.place())))?)
    }

    /// Publishes the file of a result of another store; all its outputs must have been published before.
    pub fn put_result_file(&self, target: &RefTarget, file: &[u8]) -> Result<()> {
        let path = self.root().join(target.place());
        for digest in Record::parse(&path, file)?.result.outputs.values() {
            self.must_reach(digest)?;
        }
        if !self.publish_new(self.written(file, 0o444)?, &path)? {
            object::freshen(&path)?;
        }
        Ok(())
    }

    /// Every result under this key, whether or not its outputs are here. More than one means that the stage is not
    /// deterministic.
    pub fn results(&self, key: &Key) -> Result<Vec<ActionResult>> {
        let entries = if_there(fs_err::read_dir(self.action_folder(key)))?;
        let mut paths =
            entries.into_iter().flatten().map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        paths.sort();
        paths.iter().map(|path| read_json(path)).collect()
    }

    /// Every result in the store that can be read, sorted by key.
    pub fn records(&self) -> Vec<Record> {
        self.result_files().iter().filter_map(|path| Record::read(path).ok()).collect()
    }
}

/// The name under which a result's file holds the digest of all the rest in canonical JSON: what neither the key nor the
/// outputs' hash covers cannot change unseen either.
const SEAL: &str = "seal";

/// Canonical JSON (RFC 8785), but for whole numbers that a double cannot hold: it would write two of them alike.
fn canonical(document: &Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(&exact(document)).expect("plain data have a canonical form")
}

/// The same document with whole numbers beyond 2⁵³ as text.
fn exact(value: &Value) -> Value {
    const LARGEST: u64 = 1 << 53;
    match value {
        Value::Number(number) => match number.as_i64().map(i64::unsigned_abs).or(number.as_u64()) {
            Some(size) if size > LARGEST => number.to_string().into(),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(exact).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), exact(value))).collect(),
        _ => value.clone(),
    }
}

/// A result and where it lies.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its file.
    pub path: PathBuf,
    /// The key it answers.
    pub key: Key,
    /// What it says.
    pub result: ActionResult,
}

impl Record {
    /// What a ref to it says.
    pub fn target(&self) -> RefTarget {
        RefTarget { key: self.key, result: self.fingerprint() }
    }

    /// Reads a result's file and holds it to its name, which the key document and the outputs make, and to its seal.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        Self::parse(path, &fs_err::read(path)?)
    }

    /// Like reading the file at `path`, which may be of another store and holds `bytes`.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it is not as it was written.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let damaged = |what: &str| Error::Damaged { path: path.to_owned(), what: what.to_owned() };
        let mut file: Map<String, Value> =
            serde_json::from_slice(bytes).map_err(|error| damaged(&error.to_string()))?;
        let seal = file.remove(SEAL);
        let names: Vec<String> = file.keys().cloned().collect();
        let file = Value::from(file);
        let intact = seal.as_ref().is_none_or(|seal| *seal == Digest::of(&canonical(&file)).to_string());
        let result: ActionResult =
            serde_json::from_value(file).map_err(|error| damaged(&error.to_string()))?;
        // A result of an earlier version has no seal, but no other names either.
        let known = serde_json::to_value(&result).expect("a result is plain data");
        if !intact || (seal.is_none() && names.iter().any(|name| known.get(name).is_none())) {
            return Err(damaged("it is not as it was written"));
        }
        let record = Self { path: path.to_owned(), key: Key::of_document(&result.document), result };
        if !path.ends_with(record.place()) {
            return Err(damaged("its key document or its outputs do not match its name"));
        }
        Ok(record)
    }

    /// The outputs as a whole have this digest; a ref holds it beside the key.
    pub fn fingerprint(&self) -> Digest {
        self.result.fingerprint()
    }

    /// `<key>/<outputs' hash>.json`, with the folders that keys are spread over.
    fn place(&self) -> PathBuf {
        let hex = self.key.hex();
        Path::new(&hex[..2]).join(&hex[2..]).join(format!("{}.json", self.fingerprint().hex()))
    }

    /// Bytes of all outputs.
    pub fn size(&self) -> u64 {
        self.result.outputs.values().map(|digest| digest.size).sum()
    }
}

/// Reads a JSON file that the store wrote.
pub(crate) fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T> {
    parse_json(path, &fs_err::read(path)?)
}

/// Reads a JSON file that the store wrote, if it is there.
pub(crate) fn read_json_if_there<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Option<T>> {
    if_there(fs_err::read(path))?.map(|bytes| parse_json(path, &bytes)).transpose()
}

fn parse_json<T: for<'a> Deserialize<'a>>(path: &Path, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::Damaged { path: path.to_owned(), what: error.to_string() })
}

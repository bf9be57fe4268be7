//! Action results: what a stage made of its inputs, under the key of those inputs.

use std::{collections::BTreeMap, fmt, io, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Digest, Error, Result, Store, object};

/// The name of a stage's question: the digest of its key document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(Digest);

impl Key {
    /// The key of a key document in canonical form.
    pub fn of(document: &[u8]) -> Self {
        Self(Digest::of(document))
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
    pub document: serde_json::Value,
    /// The objects that the stage read, by input: the way back from what it made to what that was made from. Not part
    /// of the key, where each input stands as one digest.
    #[serde(default)]
    pub inputs: BTreeMap<String, Vec<Digest>>,
    /// The files that the stage made, by name.
    pub outputs: BTreeMap<String, Digest>,
    /// What is worth knowing but does not make the result: library versions, device, wall time.
    pub provenance: serde_json::Value,
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
        self.action_folder(key).join(format!("{}.json", fingerprint.hex()))
    }

    /// Publishes a result; all its outputs must have been published before.
    pub fn put_result(&self, key: &Key, result: &ActionResult) -> Result<()> {
        for digest in result.outputs.values() {
            self.object(digest)?;
        }
        let target = self.result_path(key, &result.fingerprint());
        let text = serde_json::to_vec_pretty(result).expect("a result is plain data");
        self.publish_new(self.written(&text, 0o444)?, &target)?;
        Ok(())
    }

    /// A result under this key whose outputs are all here. What it reaches counts as young again, so that a collection
    /// that runs now leaves it.
    pub fn result(&self, key: &Key) -> Result<Option<ActionResult>> {
        for result in self.results(key)? {
            if result.outputs.values().all(|digest| self.has_for_long(digest)) {
                let _ = object::freshen(&self.result_path(key, &result.fingerprint())); // may belong to somebody else
                return Ok(Some(result));
            }
        }
        Ok(None)
    }

    /// Every result under this key, whether or not its outputs are here. More than one means that the stage is not
    /// deterministic.
    pub fn results(&self, key: &Key) -> Result<Vec<ActionResult>> {
        let entries = match fs_err::read_dir(self.action_folder(key)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        paths.sort();
        paths.iter().map(|path| read_json(path)).collect()
    }
}

/// Reads a JSON file that the store wrote.
pub(crate) fn read_json<T: for<'a> Deserialize<'a>>(path: &std::path::Path) -> Result<T> {
    serde_json::from_slice(&fs_err::read(path)?)
        .map_err(|error| Error::Damaged { path: path.to_owned(), what: error.to_string() })
}

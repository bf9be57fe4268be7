//! Run or reuse.

use std::{collections::BTreeMap, path::Path, time::Instant};

use jiff::{Timestamp, Unit};
use serde_json::{Map, Value, json};
use store::{ActionResult, Digest, Key, Store};

use crate::{Result, interrupt};

/// A stage's question: everything its result depends on, and nothing else.
#[derive(Clone, Debug)]
pub struct Action {
    /// The stage's name.
    pub stage: &'static str,
    /// Raised whenever the stage would give something else for the same question.
    pub version: u32,
    /// Every parameter with its default filled in.
    pub parameters: Map<String, Value>,
    /// What the stage reads, by name.
    pub inputs: BTreeMap<String, Input>,
}

/// One of the things that a stage reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// An object of the store.
    Object(Digest),
    /// Objects of the store whose order means nothing.
    Objects(Vec<Digest>),
    /// Something outside the store, named by a digest of its content.
    Outside(String),
}

impl Input {
    /// What stands for the input in the key document.
    pub fn digest(&self) -> String {
        match self {
            Self::Object(digest) => digest.to_string(),
            Self::Objects(digests) => {
                let mut lines: Vec<String> = digests.iter().map(|digest| format!("{digest}\n")).collect();
                lines.sort();
                Digest::of(lines.concat().as_bytes()).to_string()
            }
            Self::Outside(digest) => digest.clone(),
        }
    }

    /// The objects of the store among it.
    pub fn objects(&self) -> &[Digest] {
        match self {
            Self::Object(digest) => std::slice::from_ref(digest),
            Self::Objects(digests) => digests,
            Self::Outside(_) => &[],
        }
    }
}

impl Action {
    /// The key document.
    pub fn document(&self) -> Value {
        let inputs: BTreeMap<&String, String> =
            self.inputs.iter().map(|(name, input)| (name, input.digest())).collect();
        json!({
            "stage": self.stage,
            "version": self.version,
            "parameters": self.parameters,
            "inputs": inputs,
        })
    }

    /// The digest of the key document in canonical JSON (RFC 8785).
    pub fn key(&self) -> Key {
        Key::of_document(&self.document())
    }
}

/// What a stage's work gives besides the files in its folder.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// What is worth knowing but does not make the result: library versions, device, wall time.
    pub provenance: Value,
    /// Outputs that are in the store already, by name.
    pub objects: BTreeMap<String, Digest>,
}

/// A result, and whether it was there already.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The question's key.
    pub key: Key,
    /// The answer.
    pub result: ActionResult,
    /// Nothing was done: the answer was there.
    pub reused: bool,
}

/// Answers `action` from the store, or by `work`, which writes its files into the folder it is given. The files are
/// published first, then the result; naming it with a ref is the caller's. While another process answers the same
/// question, this one waits.
pub fn run_or_reuse(
    store: &Store,
    action: &Action,
    work: impl FnOnce(&Path) -> Result<Made>,
) -> Result<Outcome> {
    let key = action.key();
    let hit = |result| Outcome { key, result, reused: true };
    if let Some(result) = store.result(&key)? {
        return Ok(hit(result));
    }
    let _lock = lock(store, action)?;
    if let Some(result) = store.result(&key)? {
        return Ok(hit(result));
    }
    run(store, action, work)
}

/// What running again has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Again {
    /// There is nothing to compare with.
    First,
    /// The same came out.
    Same,
    /// Something else came out; in words for people: which files, and what was otherwise. If nothing was, the stage is not
    /// deterministic.
    Other(String),
}

/// Answers `action` by `work` although the store may have the answer. When something else comes out than before, both
/// answers are kept.
pub fn run_again(
    store: &Store,
    action: &Action,
    work: impl FnOnce(&Path) -> Result<Made>,
) -> Result<(Outcome, Again)> {
    let _lock = lock(store, action)?;
    let before = store.results(&action.key())?;
    let outcome = run(store, action, work)?;
    let Some(first) = before.first() else { return Ok((outcome, Again::First)) };
    if before.iter().any(|result| result.outputs == outcome.result.outputs) {
        return Ok((outcome, Again::Same));
    }
    let differ = first.differing(&outcome.result);
    let otherwise = otherwise(&first.provenance, &outcome.result.provenance);
    let stage = action.stage;
    let blame = if otherwise.is_empty() {
        format!("{stage} is not deterministic: ran again")
    } else {
        format!("{stage}: ran again, otherwise than before ({})", otherwise.join(", "))
    };
    let said = format!(
        "{blame}, and other files came out: {}; `just store do=compare what={}` shows where they differ",
        differ.join(", "),
        outcome.key.short()
    );
    Ok((outcome, Again::Other(said)))
}

/// Where two provenances tell of other circumstances.
fn otherwise(was: &Value, is: &Value) -> Vec<String> {
    let circumstances = ["by", "libtorch", "cudnn", "device", "name", "threads", "processes"].into_iter();
    circumstances
        .filter_map(|name| Some((name, was.get(name)?, is.get(name)?)))
        .filter(|(_, was, is)| was != is)
        .map(|(name, was, is)| format!("{name} {was} → {is}"))
        .collect()
}

fn lock(store: &Store, action: &Action) -> Result<store::Lock> {
    Ok(store.lock_unless(interrupt::asked, &action.key().hex(), |holder| {
        eprintln!(
            "waiting for the same {}: {holder}{}",
            action.stage,
            if holder.is_here() { "" } else { "; if that machine is gone: `just store do=unlock`" }
        );
    })?)
}

/// Runs the work and publishes what it made; the caller holds the lock.
fn run(store: &Store, action: &Action, work: impl FnOnce(&Path) -> Result<Made>) -> Result<Outcome> {
    let key = action.key();
    let began = Instant::now();
    store.sweep_temporary()?;
    let folder = store.temporary_folder()?;
    let Made { provenance, objects: mut outputs } = work(folder.path())?;
    for entry in fs_err::read_dir(folder.path())? {
        let entry = entry?;
        outputs.insert(entry.file_name().to_string_lossy().into_owned(), store.put_file(&entry.path())?);
    }
    let inputs = action.inputs.iter().map(|(name, input)| (name.clone(), input.objects().to_vec())).collect();
    let document = action.document();
    let provenance = stamped(provenance, began);
    let result = ActionResult { stage: action.stage.to_owned(), document, inputs, outputs, provenance };
    store.put_result(&key, &result)?;
    store.drop_unfinished(&key)?;
    Ok(Outcome { key, result, reused: false })
}

/// Provenance with when it was made, by which version, and in how many seconds.
pub fn stamped(provenance: Value, began: Instant) -> Value {
    let mut stamped = match provenance {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let now = Timestamp::now().round(Unit::Second).unwrap_or_else(|_| Timestamp::now());
    stamped.insert("made".to_owned(), now.to_string().into());
    stamped.insert("by".to_owned(), concat!("sga ", env!("CARGO_PKG_VERSION")).into());
    stamped.insert("seconds".to_owned(), began.elapsed().as_secs().into());
    Value::Object(stamped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Failure;

    fn action(k: f64) -> Action {
        Action {
            stage: "train",
            version: 1,
            parameters: Map::from_iter([("k".to_owned(), k.into())]),
            inputs: BTreeMap::from([("train".to_owned(), Input::Outside("d".to_owned()))]),
        }
    }

    #[test]
    fn the_same_question_is_answered_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let work = |folder: &Path| {
            fs_err::write(folder.join("model"), "w")?;
            Ok(Made::default())
        };
        let first = run_or_reuse(&store, &action(0.1), work).unwrap();
        let second = run_or_reuse(&store, &action(0.1), |_| panic!("asked again")).unwrap();
        assert_eq!((first.reused, second.reused), (false, true));
        assert_eq!(first.result, second.result);
        assert!(
            !run_or_reuse(&store, &action(0.2), work).unwrap().reused,
            "another parameter is another question"
        );
    }

    #[test]
    fn what_ran_otherwise_is_told_apart_from_chance() {
        let was = json!({"made": "then", "read": 3, "device": "cpu", "processes": 1});
        let is = |processes: u64| json!({"made": "now", "read": 0, "device": "cpu", "processes": processes});
        assert_eq!(otherwise(&was, &is(1)), Vec::<String>::new());
        assert_eq!(otherwise(&was, &is(2)), ["processes 1 → 2"]);
        assert_eq!(otherwise(&json!({"made": "by an earlier version"}), &is(2)), Vec::<String>::new());
    }

    #[test]
    fn what_fails_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let failed = run_or_reuse(&store, &action(0.1), |folder| {
            fs_err::write(folder.join("model"), "half")?;
            Err(Failure::other("power cut"))
        });
        assert!(failed.is_err());
        assert_eq!(store.verify(|_| {}).unwrap().objects, 0);
        assert_eq!(fs_err::read_dir(store.root().join("tmp")).unwrap().count(), 0);
    }

    #[test]
    fn the_key_holds_all_and_nothing_else() {
        let base = action(0.1);
        let mut others = vec![base.clone(); 4];
        others[0].version = 2;
        others[1].stage = "eval";
        others[2].inputs.insert("train".to_owned(), Input::Outside("e".to_owned()));
        others[3].parameters.insert("seed".to_owned(), 1.into());
        for other in others {
            assert_ne!(other.key(), base.key(), "{other:?}");
        }
        // sha256 of {"inputs":{"train":"d"},"parameters":{"k":0.1},"stage":"train","version":1}: keys must not change
        // between releases, or every user computes everything again.
        assert_eq!(
            base.key(),
            Key::of(br#"{"inputs":{"train":"d"},"parameters":{"k":0.1},"stage":"train","version":1}"#)
        );
    }
}

//! `do=show`: one thing, where it comes from and what it is used for.

use indicatif::HumanBytes;
use serde_json::{Value, json};
use stage::{Failure, Parameters, Result};
use store::{Digest, Found, Record, SHORTEST_PREFIX, Store};

use crate::describe::{Names, age, damaged, print_json, words};

/// Prints what `what=` means.
pub(crate) fn show(store: &Store, run: &Parameters) -> Result<()> {
    let word = run.required("what")?;
    let known = Known { store, names: Names::of(store)?, records: store.records() };
    let document = match one(store, word)? {
        Found::Object(digest) => known.object(&digest),
        Found::Results(records) => json!({
            "is": "results",
            "results": records.iter().map(|record| known.result(record)).collect::<Vec<_>>(),
        }),
        Found::Ref(name) => {
            let (key, result) = store
                .resolve(&name.stage, &name.name)?
                .ok_or_else(|| damaged(format!("{name} leads nowhere")))?;
            let record = known.records.iter().find(|record| record.key == key && record.result == result);
            known.result(record.ok_or_else(|| damaged(format!("the result of {name} is damaged")))?)
        }
    };
    if run.flag("json") {
        print_json(&document);
    } else {
        tell(&document, 0);
    }
    Ok(())
}

/// The one thing that a word means.
pub(crate) fn one(store: &Store, word: &str) -> Result<Found> {
    let mut found = store.find(word)?;
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Failure::usage(format!("what={word}: nothing in the store is called so")).remedy(format!(
            "`just ls` lists names; of a digest or key the first {SHORTEST_PREFIX} digits are enough"
        ))),
        _ => {
            let candidates: Vec<String> = found
                .iter()
                .map(|found| match found {
                    Found::Ref(name) => name.to_string(),
                    Found::Results(records) => format!("{} (a result's key)", records[0].key.hex()),
                    Found::Object(digest) => format!("{} (an object)", digest.hex()),
                })
                .collect();
            Err(Failure::usage(format!("what={word} may be {}", candidates.join(", ")))
                .remedy("give more of it: of a name the stage before it, of a digest more digits"))
        }
    }
}

/// Everything that says who made and who used a thing.
struct Known<'a> {
    store: &'a Store,
    names: Names,
    records: Vec<Record>,
}

impl Known<'_> {
    fn object(&self, digest: &Digest) -> Value {
        let makers = self.records.iter().flat_map(|record| {
            let outputs = record.result.outputs.iter().filter(|(_, output)| *output == digest);
            outputs.map(|(name, _)| format!("{name} of {}", self.names.title(record)))
        });
        json!({
            "is": "object",
            "digest": digest,
            "size": HumanBytes(digest.size).to_string(),
            "path": self.store.object_path(digest),
            "made by": makers.collect::<Vec<_>>(),
            "used by": self.users(&[digest]),
        })
    }

    fn result(&self, record: &Record) -> Value {
        let result = &record.result;
        let outputs = result.outputs.iter().map(|(name, digest)| {
            let missing = if self.store.reaches(digest).unwrap_or(false) { "" } else { ", missing" };
            (name.clone(), json!(format!("{digest} ({}{missing})", HumanBytes(digest.size))))
        });
        let inputs = result.document["inputs"].as_object().into_iter().flatten().map(|(name, digest)| {
            let objects = result.inputs.get(name).map(Vec::as_slice).unwrap_or_default();
            (name.clone(), self.input(digest, objects))
        });
        let made: Vec<&Digest> = result.outputs.values().collect();
        json!({
            "is": "result",
            "made by": format!("{} (version {})", result.stage, result.document["version"]),
            "key": record.key,
            "names": self.names.all(record).map(ToString::to_string).collect::<Vec<_>>(),
            "size": HumanBytes(record.size()).to_string(),
            "last used": age(&record.path).map(|age| format!("{age} ago")),
            "parameters": words(record),
            "provenance": result.provenance,
            "inputs": inputs.collect::<serde_json::Map<_, _>>(),
            "outputs": outputs.collect::<serde_json::Map<_, _>>(),
            "used by": self.users(&made),
        })
    }

    /// An input: what it is and who made it.
    fn input(&self, digest: &Value, objects: &[Digest]) -> Value {
        if objects.is_empty() {
            return json!(format!("{} (outside the store)", digest.as_str().unwrap_or_default()));
        }
        let made = |record: &&Record| record.result.outputs.values().any(|output| objects.contains(output));
        let mut makers: Vec<String> = self
            .records
            .iter()
            .filter(made)
            .filter(|record| self.names.all(record).next().is_some())
            .map(|record| self.names.title(record))
            .collect();
        makers.sort();
        let bytes: u64 = objects.iter().map(|digest| digest.size).sum();
        json!({
            "objects": objects.len(),
            "size": HumanBytes(bytes).to_string(),
            "made by": makers,
            "digests": objects,
        })
    }

    /// The results that one of these objects went into.
    fn users(&self, digests: &[&Digest]) -> Vec<String> {
        let uses =
            |record: &&Record| record.result.inputs.values().flatten().any(|input| digests.contains(&input));
        self.records.iter().filter(uses).map(|record| self.names.title(record)).collect()
    }
}

/// Prints a document as indented lines; long lists of digests are counted only.
fn tell(value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    for (name, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                println!("{indent}{name}");
                tell(value, depth + 1);
            }
            Value::Array(items) if items.iter().any(Value::is_object) => {
                for item in items {
                    println!("{indent}{name}");
                    tell(item, depth + 1);
                }
            }
            Value::Array(_) if name == "digests" => {}
            Value::Array(items) if items.is_empty() => println!("{indent}{name:<12} –"),
            Value::Array(items) => {
                let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                let between = if name == "parameters" { " " } else { ", " };
                println!("{indent}{name:<12} {}", items.join(between));
            }
            Value::Null => {}
            Value::String(text) => println!("{indent}{name:<12} {text}"),
            value => println!("{indent}{name:<12} {value}"),
        }
    }
}

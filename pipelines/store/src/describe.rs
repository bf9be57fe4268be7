//! How things of a store are told to people and to programs.

use std::{path::Path, time::SystemTime};

use indicatif::HumanDuration;
use serde_json::Value;
use stage::{Exit, Failure, Result};
use store::{Record, RefName, Store};

/// Prints the one JSON document that `json=true` asks for.
pub(crate) fn print_json(document: &Value) {
    println!("{document}");
}

/// The name that `ref=` gives.
pub(crate) fn named(text: &str) -> Result<RefName> {
    text.parse().map_err(|_| Failure::usage(format!("ref={text}: expected STAGE/NAME")))
}

/// The parameters of a result as words, the plain ones.
pub(crate) fn words(record: &Record) -> Vec<String> {
    let parameters = record.result.document["parameters"].as_object();
    parameters
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some(format!("{name}={}", word(value)?)))
        .collect()
}

/// A parameter's value as a user writes it; a value of several parts has no such form.
pub(crate) fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// A text in at most this many characters.
pub(crate) fn short(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// How long ago a file was written or taken up.
pub(crate) fn age(path: &Path) -> Option<String> {
    let modified = fs_err::metadata(path).and_then(|data| data.modified()).ok()?;
    Some(HumanDuration(SystemTime::now().duration_since(modified).unwrap_or_default()).to_string())
}

/// The names that lead to results.
pub(crate) struct Names(Vec<(RefName, store::RefTarget)>);

impl Names {
    /// All refs that can be read.
    pub(crate) fn of(store: &Store) -> Result<Self> {
        let refs = store.all_refs()?.into_iter();
        let targets = refs.filter_map(|name| {
            let target = store.ref_target(&name.stage, &name.name).ok().flatten()?;
            Some((name, target))
        });
        Ok(Self(targets.collect()))
    }

    /// The names of this result.
    pub(crate) fn all<'a>(&'a self, record: &'a Record) -> impl Iterator<Item = &'a RefName> {
        let named = record.target();
        self.0.iter().filter(move |(_, target)| *target == named).map(|(name, _)| name)
    }

    /// Its names in one line, or what it is where it has none.
    pub(crate) fn title(&self, record: &Record) -> String {
        let names: Vec<String> = self.all(record).map(ToString::to_string).collect();
        if names.is_empty() {
            format!("{} {}", record.result.stage, record.key.short())
        } else {
            names.join(", ")
        }
    }
}

/// The failure of a command that found damage.
pub(crate) fn damaged(what: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Store, what).remedy(
        "`just store do=repair` shows what can be made again, and with dry_run=false does it; nothing is deleted",
    )
}

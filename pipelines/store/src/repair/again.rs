//! From a result's record to the command that makes it again.

use std::{fmt, path::Path, process::Command};

use cohort::{
    History,
    named::{self, model_of},
};
use store::{ActionResult, Record, RefName, Store};

use crate::describe::word;

/// The stages that a repair runs, each after those whose results it reads. `sanity` and `gallery` are made by `explain`.
pub(super) const STAGES: &[&str] =
    &["ingest", History::STAGE, "train", "eval", "explain", "sanity", "gallery", "report"];

/// Parameters in a key document that are no words of the stage: they follow from what the stage reads.
const DERIVED: &[(&str, &[&str])] = &[
    ("ingest", &["about", "codecs", "secret", "withdrawn"]),
    ("train", &["platform"]),
    ("eval", &["size", "findings", "attack_version"]),
    ("explain", &["size", "findings", "explainer_version", "target_version"]),
    ("sanity", &["size", "findings", "explainer_version", "target_version"]),
    ("gallery", &["explainer_version", "target_version"]),
];

/// A stage's command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Again {
    program: String,
    words: Vec<String>,
    /// It writes files for people, which a repair keeps out of their way.
    writes: bool,
}

impl fmt::Display for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sga-{} {}", self.program, self.words.join(" "))
    }
}

impl Again {
    /// The command that made this result under this name.
    pub(super) fn of(store: &Store, record: &Record, name: &RefName) -> Result<Self, String> {
        let stage = record.result.stage.as_str();
        let mut words = words_of(&record.result)?;
        let (program, first) = match stage {
            "ingest" => (stage, Some(format!("dataset={}", name.name))),
            "train" => {
                if record.result.document["parameters"].get("platform").is_some() {
                    words.push("strict=true".to_owned());
                }
                (stage, dataset(store, record).map(|name| format!("data={name}")))
            }
            "report" => (stage, None),
            "eval" | "explain" => (stage, Some(format!("model={}", model_of(&name.name)))),
            "gallery" if name.name == named::BOXES => ("explain", Some("do=boxes".to_owned())),
            "gallery" if named::is_of_all(&name.name) => ("explain", None),
            "gallery" => ("explain", Some(format!("model={}", model_of(&name.name)))),
            "sanity" => {
                words.push("do=sanity".to_owned());
                ("explain", Some(format!("model={}", model_of(&name.name))))
            }
            History::STAGE => {
                return Err("it is of an earlier ingest, whose files may be others by now".to_owned());
            }
            other => return Err(format!("no program is known to make what stage {other} makes")),
        };
        words.splice(0..0, first);
        Ok(Self { program: program.to_owned(), words, writes: matches!(program, "explain" | "report") })
    }

    /// Runs the program that lies beside this one. What it writes for people goes into `folder`.
    pub(super) fn run(&self, store: &Store, folder: &Path) -> Result<(), String> {
        let name = format!("sga-{}", self.program);
        let program = std::env::current_exe().map_err(|error| error.to_string())?.with_file_name(&name);
        if !program.exists() {
            return Err(format!("the program {} is missing; `just build` makes it", program.display()));
        }
        let mut command = Command::new(&program);
        command.args(&self.words).arg(format!("store={}", store.address()));
        if self.writes {
            command.arg(format!("out={}", folder.display()));
        }
        let status = command.status().map_err(|error| format!("{}: {error}", program.display()))?;
        match status.code() {
            Some(0) => Ok(()),
            Some(code) => Err(format!("{name} ended with exit code {code}; what it said stands above")),
            None => Err(format!("{name} was ended by a signal")),
        }
    }
}

/// The words that a stage was given for a result.
pub(crate) fn words_of(result: &ActionResult) -> Result<Vec<String>, String> {
    let derived = DERIVED.iter().find(|(of, _)| *of == result.stage).map_or(&[][..], |(_, names)| names);
    let parameters = result.document["parameters"].as_object().into_iter().flatten();
    let given = parameters.filter(|(name, _)| !derived.contains(&name.as_str()));
    let as_word = |(name, value)| {
        let value = word(value).ok_or_else(|| format!("its parameter {name} cannot be written as a word"))?;
        Ok(format!("{name}={value}"))
    };
    given.map(as_word).collect()
}

/// The data set that a model was trained on, when it was one.
fn dataset(store: &Store, record: &Record) -> Option<String> {
    let shards: Vec<_> = record.result.inputs.values().flatten().collect();
    let mut names = store.refs_of("ingest").ok()?;
    names.retain(|name| {
        let ingested = store.recorded("ingest", name).ok().flatten();
        ingested.is_some_and(|result| result.outputs.values().any(|digest| shards.contains(&digest)))
    });
    let [name] = <[String; 1]>::try_from(names).ok()?;
    Some(name)
}

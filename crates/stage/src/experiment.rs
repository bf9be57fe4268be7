//! Named experiments: a TOML file with the words of each stage.
//!
//! ```toml
//! store = "demo/store"        # every stage that has this parameter
//! [[ingest]]                  # one table per call; a stage without a table is not run
//! dataset = "phantom-a"
//! [train]
//! method = ["nt", "sga"]      # an array is a sweep
//! ```

use std::path::PathBuf;

use crate::{Failure, Parameter, Result, Sweep, parameters::find};

/// The folder in which `experiment=NAME` looks for `NAME.toml`.
const FOLDER: &str = "pipelines";

/// Every stage that an experiment may speak of.
const STAGES: &[&str] = &["phantom", "ingest", "curate", "train", "eval", "explain", "report"];

/// The calls of `stage` in the experiment `name` (a name in `pipelines/` or a path ending in `.toml`).
pub(crate) fn calls(name: &str, stage: &str, known: &'static [Parameter]) -> Result<Vec<Sweep>> {
    let path = match name.strip_suffix(".toml") {
        Some(_) => PathBuf::from(name),
        None => PathBuf::from(FOLDER).join(format!("{name}.toml")),
    };
    let text = fs_err::read_to_string(&path).map_err(|error| {
        Failure::usage(format!("experiment={name}: {error}")).remedy(match &names()[..] {
            [] => format!(
                "call it from the project's folder, where {FOLDER}/ is, or give a path ending in .toml"
            ),
            names => format!("there are: {}", names.join(", ")),
        })
    })?;
    let wrong = |what: String| Failure::usage(format!("{}: {what}", path.display()));
    let in_file =
        |failure: Failure| Failure { message: format!("{}: {}", path.display(), failure.message), ..failure };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| wrong(error.to_string()))?;

    if table.is_empty() {
        return Err(wrong("it says nothing".to_owned()));
    }
    let mut shared = Sweep::default();
    let mut calls = Vec::new();
    for (key, value) in &table {
        let tables = match value {
            toml::Value::Table(table) => vec![table],
            toml::Value::Array(items) if items.iter().all(toml::Value::is_table) => {
                items.iter().filter_map(toml::Value::as_table).collect()
            }
            _ if STAGES.contains(&key.as_str()) => {
                return Err(wrong(format!("`{key}` is a stage: write [{key}] and its words below")));
            }
            plain => {
                // A stage that has no such parameter has no use for it, unless it is one of its own with a slip.
                let near = |parameter: &&Parameter| is_slip(key, parameter.name);
                if let Some(parameter) = known.iter().find(|parameter| parameter.name == key) {
                    shared.set_toml(parameter, plain).map_err(&in_file)?;
                } else if let Some(meant) = known.iter().find(near) {
                    let what = format!("no stage has a parameter `{key}`");
                    return Err(wrong(what).remedy(format!("did you mean {}?", meant.name)));
                }
                continue;
            }
        };
        if !STAGES.contains(&key.as_str()) {
            return Err(wrong(format!("`{key}` is not a stage; stages are {}", STAGES.join(", "))));
        }
        if key == stage {
            calls.extend(tables);
        }
    }
    calls
        .into_iter()
        .map(|table| {
            let mut sweep = shared.clone();
            for (key, value) in table {
                let parameter = find(known, key).map_err(|failure| Failure {
                    message: format!("{}: [{stage}]: {}", path.display(), failure.message),
                    ..failure
                })?;
                sweep.set_toml(parameter, value).map_err(&in_file)?;
            }
            Ok(sweep)
        })
        .collect()
}

/// Whether a word is another with one letter too many, too few or wrong, or with two that have changed places. Of words of
/// four letters only the last: phantom's `side` is no slip of train's `size`.
fn is_slip(word: &str, meant: &str) -> bool {
    let have_changed_places = || strsim::levenshtein(word, meant) == 2;
    strsim::osa_distance(word, meant) == 1 && (word.len() > 4 || have_changed_places())
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = fs_err::read_dir(FOLDER)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".toml")?.to_owned()))
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Allowed;

    static KNOWN: &[Parameter] = &[
        Parameter::unkeyed("store", Allowed::Path, Some(".sga"), "store"),
        Parameter::new("method", Allowed::Choice(&["nt", "sga"]), Some("sga"), "method"),
        Parameter::new("seed", Allowed::Integer(0, 9), Some("0"), "seed"),
    ];

    #[test]
    fn tables_are_calls_and_arrays_are_sweeps() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e.toml");
        let text = "store='s'\n[[train]]\nmethod=['nt','sga']\n[[train]]\nseed='1..3'\n[eval]\nanything=1\n";
        fs_err::write(&path, text).unwrap();
        assert!(calls(path.to_str().unwrap(), "report", KNOWN).unwrap().is_empty(), "no table, no call");
        let calls = calls(path.to_str().unwrap(), "train", KNOWN).unwrap();
        let counts: Vec<_> = calls.iter().map(|sweep| sweep.runs(KNOWN).unwrap().len()).collect();
        assert_eq!(counts, [2, 3]);
        assert_eq!(calls[1].runs(KNOWN).unwrap()[0].text("store"), Some("s"));
    }

    #[test]
    fn mistakes_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e.toml");
        for text in [
            "[train]\nmetod='nt'\n",
            "[train]\nmethod='mt'\n",
            "[trian]\n",
            "not toml",
            "",
            "train='nt'\n",
            "stroe='s'\n[train]\n",
            "metod='nt'\n[train]\n",
            "sede=1\n[train]\n",
            "[train]\nmethod=[]\n",
        ] {
            fs_err::write(&path, text).unwrap();
            let failure = calls(path.to_str().unwrap(), "train", KNOWN).unwrap_err();
            assert!(failure.message.contains("e.toml"), "{}", failure.message);
        }
        fs_err::write(&path, "need=1\nsizes=2\n[train]\n").unwrap();
        assert_eq!(calls(path.to_str().unwrap(), "train", KNOWN).unwrap().len(), 1, "words of other stages");
    }
}

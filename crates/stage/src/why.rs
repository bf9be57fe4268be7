//! Would a stage run, and why: its question field by field beside the one it answered before.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use store::{ActionResult, Digest, Store};

use crate::{Action, Result};

/// Why a stage would run.
#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// The answer is here.
    UpToDate,
    /// The stage never answered anything like it.
    FirstTime,
    /// These files of the answer are gone.
    Gone(Vec<String>),
    /// It differs from what was asked before.
    Differs {
        /// The name of the earlier answer.
        from: String,
        /// When that was made.
        made: Option<String>,
        /// The fields that differ, in the order of the key document.
        fields: Vec<Field>,
    },
}

/// A field of the key document that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The parameter's or input's name, or `version` for that of the stage itself.
    pub name: String,
    /// What it was; null where there was none.
    pub was: Value,
    /// What it is; null where there is none.
    pub is: Value,
    /// Of an input made of objects: which changed.
    pub objects: Option<Objects>,
    /// What the change is made of, a line each.
    pub detail: Vec<String>,
}

/// The objects of an input, compared with those that it had.
#[derive(Clone, Debug, PartialEq)]
pub struct Objects {
    /// How many are the same.
    pub kept: usize,
    /// Those that it had and has no more.
    pub gone: Vec<Digest>,
    /// Those that it had not.
    pub new: Vec<Digest>,
}

/// Says what a change of an input consists of: the input's name, the objects that it had, those that it has. `None`
/// leaves the input out: it follows from the others.
pub type Detail<'a> = &'a dyn Fn(&str, &[Digest], &[Digest]) -> Result<Option<Vec<String>>>;

impl Why {
    /// Compares `action` with the answer that has this name, else with the one of the same stage that differs least.
    pub fn of(store: &Store, action: &Action, name: &str, detail: Detail<'_>) -> Result<Self> {
        if store.result(&action.key())?.is_some() {
            return Ok(Self::UpToDate);
        }
        if let Some(result) = store.results(&action.key())?.first() {
            let gone = result.outputs.iter().filter(|(_, digest)| !store.reaches(digest).unwrap_or(false));
            return Ok(Self::Gone(gone.map(|(name, _)| name.clone()).collect()));
        }
        let mut nearest: Option<(String, ActionResult, Vec<Field>)> = None;
        let names = store.refs_of(action.stage)?;
        let own = names.iter().find(|known| *known == name);
        for known in own.map_or_else(|| names.iter().collect(), |own| vec![own]) {
            let Ok(Some((_, result))) = store.resolve(action.stage, known) else { continue };
            let fields = differences(&result, action);
            let before =
                nearest.as_ref().map(|(_, result, fields)| (fields.len(), std::cmp::Reverse(made(result))));
            if before.is_none_or(|before| (fields.len(), std::cmp::Reverse(made(&result))) < before) {
                nearest = Some((known.clone(), result, fields));
            }
        }
        let Some((from, result, differing)) = nearest else { return Ok(Self::FirstTime) };
        let mut fields = Vec::new();
        for field in differing {
            let now = action.inputs.get(&field.name).map(crate::Input::objects).unwrap_or_default();
            let before = result.inputs.get(&field.name).map(Vec::as_slice).unwrap_or_default();
            if let Some(detail) = detail(&field.name, before, now)? {
                fields.push(Field { detail, ..field });
            }
        }
        Ok(Self::Differs { from, made: made(&result), fields })
    }

    /// Whether the stage would run.
    pub fn runs(&self) -> bool {
        *self != Self::UpToDate
    }

    /// The same for programs.
    pub fn to_json(&self, action: &Action, name: &str) -> Value {
        let mut document = json!({
            "stage": action.stage,
            "name": name,
            "key": action.key(),
            "runs": self.runs(),
        });
        match self {
            Self::UpToDate | Self::FirstTime => {}
            Self::Gone(files) => document["gone"] = json!(files),
            Self::Differs { from, made, fields } => {
                document["compared_with"] = json!({"name": from, "made": made});
                document["differences"] = fields.iter().map(Field::to_json).collect();
            }
        }
        document
    }

    /// The same for people: a headline and a line for each difference.
    pub fn to_text(&self, action: &Action, name: &str) -> String {
        let stage = action.stage;
        match self {
            Self::UpToDate => format!("{stage} {name}: up to date"),
            Self::FirstTime => format!("{stage} {name}: would run, for the first time"),
            Self::Gone(files) => {
                format!("{stage} {name}: would run again, its files are gone: {}", files.join(", "))
            }
            Self::Differs { from, made, fields } => {
                let when = made.as_ref().map(|made| format!(" of {made}")).unwrap_or_default();
                let mut text = if from == name {
                    format!("{stage} {name}: would run again, since its last run{when} these changed:")
                } else {
                    format!("{stage} {name}: would run; compared with {from}{when}:")
                };
                for field in fields {
                    text.push_str(&field.to_text());
                }
                text
            }
        }
    }
}

impl Field {
    fn to_json(&self) -> Value {
        let mut document = json!({"field": self.name, "was": self.was, "is": self.is});
        if let Some(Objects { kept, gone, new }) = &self.objects {
            document["objects"] = json!({"kept": kept, "gone": gone, "new": new});
        }
        if !self.detail.is_empty() {
            document["detail"] = json!(self.detail);
        }
        document
    }

    fn to_text(&self) -> String {
        let plain = |value: &Value| match value {
            Value::Null => "none".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let headline = match &self.objects {
            Some(Objects { kept, gone, new }) => {
                format!("\n  {:<12} {} files gone, {} new, {kept} the same", self.name, gone.len(), new.len())
            }
            None if !self.detail.is_empty() => format!("\n  {:<12} changed", self.name),
            None => format!("\n  {:<12} {} → {}", self.name, plain(&self.was), plain(&self.is)),
        };
        [vec![headline], self.detail.clone()].concat().join("\n    ")
    }
}

/// When a result was made, as [`crate::run_or_reuse`] wrote it.
fn made(result: &ActionResult) -> Option<String> {
    result.provenance.get("made").and_then(Value::as_str).map(str::to_owned)
}

/// The fields of the key documents that differ.
fn differences(before: &ActionResult, action: &Action) -> Vec<Field> {
    let is = action.document();
    let part = |document: &Value, part: &str| flat("", &document[part]);
    let mut fields = Vec::new();
    let mut compare = |was: &Map<String, Value>, is: &Map<String, Value>, inputs: bool| {
        for name in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
            let [was, is] = [was, is].map(|values| values.get(name).cloned().unwrap_or_default());
            if was != is {
                let objects = if inputs { changed(before, action, name) } else { None };
                fields.push(Field { name: name.clone(), was, is, objects, detail: Vec::new() });
            }
        }
    };
    let version = |document: &Value| Map::from_iter([("version".to_owned(), document["version"].clone())]);
    compare(&version(&before.document), &version(&is), false);
    for (name, inputs) in [("parameters", false), ("inputs", true)] {
        compare(&part(&before.document, name), &part(&is, name), inputs);
    }
    fields
}

/// The fields of an object and of the objects in it, by path: `codecs.dicom`.
fn flat(path: &str, value: &Value) -> Map<String, Value> {
    let Value::Object(fields) = value else { return Map::from_iter([(path.to_owned(), value.clone())]) };
    let fields = fields.iter().map(|(name, value)| match path {
        "" => flat(name, value),
        path => flat(&format!("{path}.{name}"), value),
    });
    fields.flatten().collect()
}

fn changed(before: &ActionResult, action: &Action, input: &str) -> Option<Objects> {
    let set = |digests: &[Digest]| digests.iter().copied().collect::<BTreeSet<_>>();
    let was = set(before.inputs.get(input).map(Vec::as_slice).unwrap_or_default());
    let is = set(action.inputs.get(input).map(crate::Input::objects).unwrap_or_default());
    (!was.is_empty() || !is.is_empty()).then(|| Objects {
        kept: was.intersection(&is).count(),
        gone: was.difference(&is).copied().collect(),
        new: is.difference(&was).copied().collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Input, Made, run_or_reuse};

    fn action(k: f64, seed: u64, shards: &[Digest]) -> Action {
        Action {
            stage: "train",
            version: 1,
            parameters: Map::from_iter([
                ("k".to_owned(), k.into()),
                ("seed".to_owned(), seed.into()),
                ("codecs".to_owned(), json!({"png": 1})),
            ]),
            inputs: BTreeMap::from([("train".to_owned(), Input::Objects(shards.to_vec()))]),
        }
    }

    fn made(store: &Store, action: &Action, name: &str) {
        let outcome = run_or_reuse(store, action, |folder| {
            fs_err::write(folder.join("model"), action.document().to_string())?;
            Ok(Made::default())
        });
        let outcome = outcome.unwrap();
        store.set_ref("train", name, &outcome.key, &outcome.result).unwrap();
    }

    fn why(store: &Store, action: &Action, name: &str) -> Why {
        let detail = |input: &str, before: &[Digest], now: &[Digest]| {
            let told = format!("{input}: {} before, {} now", before.len(), now.len());
            Ok((input != "seed").then(|| vec![told]))
        };
        Why::of(store, action, name, &detail).unwrap()
    }

    #[test]
    fn the_nearest_run_is_compared_field_by_field() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let shards = [b"a", b"b", b"c"].map(|content| Digest::of(content));
        let first = action(0.1, 0, &shards);
        assert_eq!(why(&store, &first, "a"), Why::FirstTime);
        made(&store, &first, "a");
        made(&store, &action(0.2, 7, &shards), "b");
        assert_eq!(why(&store, &first, "a"), Why::UpToDate);

        // One field away from b, two from a.
        let Why::Differs { from, fields, .. } = why(&store, &action(0.3, 7, &shards), "c") else { panic!() };
        assert_eq!(from, "b");
        let [field] = fields.as_slice() else { panic!("{fields:?}") };
        assert_eq!((field.name.as_str(), &field.was, &field.is), ("k", &json!(0.2), &json!(0.3)));

        // Under its own name it is compared with what has that name, however far away; the seed is left out.
        let Why::Differs { from, fields, .. } = why(&store, &action(0.3, 7, &shards), "a") else { panic!() };
        assert_eq!((from.as_str(), fields.len()), ("a", 1));
    }

    #[test]
    fn inputs_are_compared_object_by_object_and_nested_parameters_by_path() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let shards = [b"a", b"b", b"c"].map(|content| Digest::of(content));
        made(&store, &action(0.1, 0, &shards[..2]), "a");
        let mut now = action(0.1, 0, &shards[1..]);
        now.parameters["codecs"]["png"] = json!(2);
        let Why::Differs { fields, .. } = why(&store, &now, "a") else { panic!() };
        let [codec, train] = fields.as_slice() else { panic!("{fields:?}") };
        assert_eq!((codec.name.as_str(), codec.objects.as_ref()), ("codecs.png", None));
        let changed = Objects { kept: 1, gone: vec![shards[0]], new: vec![shards[2]] };
        assert_eq!(train.objects, Some(changed));
        assert_eq!(train.detail, ["train: 2 before, 2 now"]);
        let text = why(&store, &now, "a").to_text(&now, "a");
        assert!(text.contains("1 files gone, 1 new, 1 the same"), "{text}");
    }

    #[test]
    fn an_answer_whose_files_are_gone_runs_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let action = action(0.1, 0, &[]);
        made(&store, &action, "a");
        let result = store.result(&action.key()).unwrap().unwrap();
        fs_err::remove_file(store.object_path(&result.outputs["model"])).unwrap();
        assert_eq!(why(&store, &action, "a"), Why::Gone(vec!["model".to_owned()]));
    }
}

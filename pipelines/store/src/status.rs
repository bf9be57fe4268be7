//! Every named result, and whether its stage would do anything now.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use cohort::{
    Dataset, Evaluation, Model, TestSets,
    named::{self, model_of},
    shards,
};
use schema::{Role, Split};
use serde_json::{Value, json};
use stage::{Column, Failure, Fallible, Parameters, Program, Result, Table, version};
use store::{ActionResult, Digest, Store};

use crate::repair::again::words_of;

/// The stages in the order in which they run.
const STAGES: [&str; 7] = ["ingest", "train", "eval", "explain", "sanity", "gallery", "report"];

/// A named result.
struct Row {
    stage: &'static str,
    name: String,
    made: String,
    /// What changed since it was made; nothing: it is up to date.
    stale: Vec<String>,
    /// Why that could not be found out.
    unknown: Option<String>,
}

/// Prints a line for every named result of every stage.
pub(crate) fn show(store: &Store, run: &Parameters) -> Result<()> {
    let rows = rows(store)?;
    if run.flag(Program::JSON.name) {
        let rows: Vec<Value> = rows
            .iter()
            .map(|row| {
                let Row { stage, name, made, stale, unknown } = row;
                let up_to_date = if unknown.is_some() { Value::Null } else { stale.is_empty().into() };
                json!({
                    "stage": stage, "name": name, "made": made,
                    "up_to_date": up_to_date, "changed": stale, "unknown": unknown,
                })
            })
            .collect();
        println!("{}", Value::Array(rows));
        return Ok(());
    }
    let mut table = Table::new(["stage", "name", "made", "state"].map(Column::text));
    for Row { stage, name, made, mut stale, unknown } in rows {
        stale.extend(unknown);
        let state = if stale.is_empty() { "up to date".to_owned() } else { stale.join("; ") };
        table.row([stage.to_owned(), name, made, state]);
    }
    table.print();
    Ok(())
}

fn rows(store: &Store) -> Result<Vec<Row>> {
    let current = Current::of(store)?;
    let mut rows = Vec::new();
    for stage in STAGES {
        for name in store.refs_of(stage)? {
            let Some((_, result)) = store.resolve(stage, &name)? else { continue };
            let (mut stale, mut unknown) = (Vec::new(), None);
            if !version::is_of_now(stage, &result.document) {
                stale.push("made by another version of the stage".to_owned());
            }
            if stage == "ingest" {
                match folder_changed(store, &name, &result) {
                    Ok(true) => {
                        stale.push(format!("would be read again: `just why ingest dataset={name}` says why"));
                    }
                    Ok(false) => {}
                    Err(failure) => unknown = Some(format!("folder not compared: {failure}")),
                }
            } else {
                match current.changes(store, stage, &name, &result) {
                    Ok(changes) => stale.extend(changes),
                    Err(failure) => unknown = Some(failure.to_string()),
                }
            }
            let made = result.provenance["made"].as_str().unwrap_or("unknown").to_owned();
            rows.push(Row { stage, name, made, stale, unknown });
        }
    }
    Ok(rows)
}

/// What stages would read now.
struct Current {
    training: Vec<Dataset>,
    tests: TestSets,
}

impl Current {
    fn of(store: &Store) -> Result<Self> {
        let mut training = Dataset::all(store).or_other()?;
        training.retain(|dataset| dataset.manifest.role == Role::Iid);
        Ok(Self { training, tests: TestSets::open(store).or_other()? })
    }

    /// The inputs of a result that are others now.
    fn changes(&self, store: &Store, stage: &str, name: &str, result: &ActionResult) -> Result<Vec<String>> {
        let now = match stage {
            "train" => self.of_training(&result.inputs)?,
            "eval" | "explain" => {
                let parameters = &result.document["parameters"];
                let mut now = match parameters["on"].as_str() {
                    Some(on) if store.resolve("ingest", on)?.is_some() => {
                        of_tests(&TestSets::of_one(store, on).or_other()?)?
                    }
                    Some(_) => BTreeMap::new(),
                    None => self.of_tests()?,
                };
                let chooses_threshold = parameters["findings"]["asked"] != "boxes";
                if stage == "eval" && parameters["under"].is_null() && chooses_threshold {
                    let models = Model::chosen(store, Some(model_of(name)));
                    let sets = match models.ok().and_then(|mut models| models.pop()) {
                        Some(model) => self.tests.trained_on(store, &model).or_other()?,
                        None => self.tests.clone(),
                    };
                    now.insert(
                        Split::Validation.name().to_owned(),
                        sets.shards(Split::Validation).or_other()?,
                    );
                }
                let model = output(store, "train", model_of(name), "model.safetensors")?;
                now.insert("model".to_owned(), model.into_iter().collect());
                now
            }
            "sanity" => BTreeMap::from([
                (Split::Test.name().to_owned(), self.tests.shards(Split::Test).or_other()?),
                (
                    "model".to_owned(),
                    Vec::from_iter(output(store, "train", model_of(name), "model.safetensors")?),
                ),
            ]),
            "gallery" if name == named::BOXES => {
                let mut now = self.of_tests()?;
                for model in store.refs_of("eval")?.into_iter().filter(|name| !name.contains('.')) {
                    let boxes = output(store, "eval", &model, Evaluation::BOXES)?;
                    now.insert(model, boxes.into_iter().collect());
                }
                now
            }
            "gallery" => {
                let mut now = self.of_tests()?;
                let explainer = result.document["parameters"]["explainer"].as_str().unwrap_or_default();
                let one = model_of(name);
                let maps = format!("{explainer}{}", &name[one.len()..]);
                let of_maps = |name: &String| {
                    name.split_once('.')
                        .is_some_and(|(model, of)| of == maps && (one == named::MAPS || one == model))
                };
                let mut explained = Vec::new();
                for name in store.refs_of("explain")?.into_iter().filter(of_maps) {
                    if let Some(result) = store.recorded("explain", &name)? {
                        let findings = result.document["parameters"]["findings"].clone();
                        explained.push((model_of(&name).to_owned(), findings, result));
                    }
                }
                // A gallery is of models that tell the same things apart.
                let drawn = explained.iter().find(|(model, ..)| result.inputs.contains_key(model));
                let same = drawn.map(|(_, findings, _)| findings.clone());
                for (model, findings, maps) in explained {
                    if same.as_ref().is_none_or(|same| *same == findings) {
                        now.insert(model, maps.outputs.get("maps.parquet").copied().into_iter().collect());
                    }
                }
                now
            }
            _ => everything(store)?,
        };
        let mut changes = Vec::new();
        for input in now.keys().chain(result.inputs.keys()).collect::<BTreeSet<_>>() {
            let set = |digests: Option<&Vec<Digest>>| -> BTreeSet<Digest> {
                digests.into_iter().flatten().copied().collect()
            };
            let (was, is) = (set(result.inputs.get(input)), set(now.get(input)));
            match (was.is_empty(), is.is_empty()) {
                _ if was == is => {}
                (true, _) => changes.push(format!("{input} is new")),
                (_, true) => changes.push(format!("{input} is gone")),
                _ => changes.push(format!(
                    "{input} changed: {} of {} files",
                    is.difference(&was).count(),
                    is.len()
                )),
            }
        }
        Ok(changes)
    }

    /// The training and validation images of those data sets that the inputs hold any shard of, by place.
    fn of_training(&self, inputs: &BTreeMap<String, Vec<Digest>>) -> Result<BTreeMap<String, Vec<Digest>>> {
        let mut datasets = self.training.clone();
        if inputs.values().flatten().next().is_some() {
            let used = |dataset: &Dataset| {
                dataset
                    .result
                    .outputs
                    .values()
                    .any(|digest| inputs.values().flatten().any(|used| used == digest))
            };
            let some: Vec<Dataset> = datasets.iter().filter(|dataset| used(dataset)).cloned().collect();
            if !some.is_empty() {
                datasets = some; // `data=` chose them
            }
        }
        let of = |split: Split| shards(&datasets, split).or_other();
        Ok(BTreeMap::from([
            ("train".to_owned(), of(Split::Train)?),
            ("validation".to_owned(), of(Split::Validation)?),
        ]))
    }

    fn of_tests(&self) -> Result<BTreeMap<String, Vec<Digest>>> {
        of_tests(&self.tests)
    }
}

/// The shards of each test set.
fn of_tests(tests: &TestSets) -> Result<BTreeMap<String, Vec<Digest>>> {
    let splits = tests.splits().into_iter();
    splits.map(|split| Ok((split.name().to_owned(), tests.shards(split).or_other()?))).collect()
}

fn output(store: &Store, stage: &str, name: &str, file: &str) -> Result<Option<Digest>> {
    let resolved = store.resolve(stage, name)?;
    Ok(resolved.and_then(|(_, result)| result.outputs.get(file).copied()))
}

/// What the page is made of: the outputs of all stages before it.
fn everything(store: &Store) -> Result<BTreeMap<String, Vec<Digest>>> {
    let mut all = BTreeMap::new();
    for stage in &STAGES[..STAGES.len() - 1] {
        for name in store.refs_of(stage)? {
            if let Some((_, result)) = store.resolve(stage, &name)? {
                all.insert(format!("{stage}/{name}"), result.outputs.into_values().collect());
            }
        }
    }
    Ok(all)
}

/// Whether `sga-ingest` would do anything, asked as it was the last time; the folder is the one in sga.toml.
fn folder_changed(store: &Store, name: &str, last: &ActionResult) -> Result<bool> {
    let ingest = std::env::current_exe()?.with_file_name("sga-ingest");
    let mut command = Command::new(ingest);
    command.args(["dry_run=true", "json=true"]);
    command.args([format!("dataset={name}"), format!("store={}", store.address())]);
    command.args(words_of(last).map_err(Failure::other)?);
    let output = command.output()?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let line = text.lines().next().unwrap_or("sga-ingest failed");
        return Err(Failure::other(line.split_once(": ").map_or(line, |(_kind, says)| says)));
    }
    let answer: Value = serde_json::from_slice(&output.stdout).map_err(Failure::other)?;
    Ok(answer["runs"] != false)
}

//! One model on its test sets.

use std::collections::{BTreeMap, btree_map::Entry};

use cohort::{Cohort, Model, TestSets, changed_images};
use metrics::{Auroc, delong};
use nn::{Images, ResNet18, predict};
use schema::{Prediction, Split, write_predictions};
use serde_json::{Map, Value, json};
use stage::{Action, Failure, Fallible, Input, Made, Parameters, Result, answer, progress, version};
use store::{Digest, Store};

/// Test images in memory, by split and side: models of one size share them.
#[derive(Default)]
pub(crate) struct Cache(BTreeMap<(Split, u32), Cohort>);

/// An evaluated model, for the table.
pub(crate) struct Evaluated {
    pub(crate) model: Model,
    pub(crate) iid: Option<Auroc>,
    pub(crate) ood: Option<Auroc>,
}

/// Evaluates a model, or finds it evaluated, and names the result `eval/<model>`; `None` in a dry run.
pub(crate) fn evaluate(
    store: &Store,
    run: &Parameters,
    model: &Model,
    sets: &TestSets,
    cache: &mut Cache,
) -> Result<Option<Evaluated>> {
    let splits = sets.splits();
    if splits.is_empty() {
        return Err(
            Failure::data("no ingested data set has test images").remedy("`just ingest` reads data sets")
        );
    }
    let mut inputs = BTreeMap::from([("model".to_owned(), Input::Object(model.weights().or_other()?))]);
    for split in &splits {
        inputs.insert(split.name().to_owned(), Input::Objects(sets.shards(*split).or_other()?));
    }
    let mut parameters = run.keyed();
    parameters.insert("size".to_owned(), model.side.into());
    let action = Action { stage: "eval", version: version::EVAL, parameters, inputs };
    let detail =
        |_: &str, before: &[Digest], now: &[Digest]| changed_images(store, before, now).or_other().map(Some);
    let outcome = answer(store, run, &action, &model.name, &detail, |folder| {
        let device = nn::device(run.required("device")?).or_usage()?;
        let weights = store.object(&model.weights().or_other()?)?;
        let network =
            ResNet18::load(&weights, device, run.required("dtype")?.parse().or_usage()?).or_other()?;
        let mut predictions = Vec::new();
        let mut figures = Map::new();
        for split in &splits {
            let cohort = cache.read(store, sets, *split, model.side)?;
            let images =
                Images::new(&cohort.pixels, &cohort.labels(), i64::from(cohort.side), device).or_other()?;
            let logits = predict(&network, &images, run.integer("batch") as usize).or_other()?;
            let of_split: Vec<Prediction> =
                cohort.rows.iter().zip(logits).map(|(row, logits)| Prediction::of(row, logits)).collect();
            let scores: Vec<f64> = of_split.iter().map(Prediction::score).collect();
            let auroc = delong(&scores, &cohort.positive())
                .map_err(|error| Failure::data(format!("{} images: {error}", split.name())))?;
            figures.insert(split.name().to_owned(), json!(auroc));
            predictions.extend(of_split);
        }
        write_predictions(&folder.join("predictions.parquet"), &predictions).or_other()?;
        let figures = serde_json::to_vec_pretty(&figures).expect("figures are plain data");
        fs_err::write(folder.join("evaluation.json"), figures)?;
        Ok(Made { provenance: json!(nn::provenance(device)), ..Made::default() })
    })?;
    let Some(outcome) = outcome else { return Ok(None) };
    println!("{}: {}", model.name, if outcome.reused { "unchanged" } else { "evaluated" });
    let figures: Map<String, Value> =
        serde_json::from_slice(&store.read(outcome.result.output("evaluation.json")?)?)
            .map_err(Failure::other)?;
    let auroc = |split: Split| {
        figures
            .get(split.name())
            .map(|value| serde_json::from_value(value.clone()).map_err(Failure::other))
            .transpose()
    };
    Ok(Some(Evaluated { model: model.clone(), iid: auroc(Split::Test)?, ood: auroc(Split::Ood)? }))
}

impl Cache {
    fn read(&mut self, store: &Store, sets: &TestSets, split: Split, side: u32) -> Result<&Cohort> {
        match self.0.entry((split, side)) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => {
                let bar = progress::bar(&format!("decoding {}", split.name()), sets.images(split), "images");
                let cohort = sets.read(store, split, side, || bar.inc(1)).or_other()?;
                bar.finish_and_clear();
                Ok(place.insert(cohort))
            }
        }
    }
}

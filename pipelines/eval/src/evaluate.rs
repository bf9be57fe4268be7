//! One model on its test sets.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::PathBuf,
};

use attack::EpsilonSpace;
use cohort::{Cohort, Model, TestSets, changed_images};
use metrics::{Auroc, delong};
use nn::{Images, ResNet};
use schema::{Prediction, Split, read_predictions, write_predictions};
use serde_json::{Map, Value, json};
use stage::{Action, Failure, Fallible, Input, Made, Parameters, Result, answer, progress, version};
use store::{Digest, Store};
use tch::Device;

use crate::{condition::Condition, logits::logits};

/// What models and conditions share: test images of one size, and the network that was loaded last.
#[derive(Default)]
pub(crate) struct Cache {
    sets: BTreeMap<(PathBuf, Split, u32, String), TestSet>,
    network: Option<(String, ResNet)>,
}

/// A test set in memory and on the device.
struct TestSet {
    cohort: Cohort,
    images: Images,
}

/// A model evaluated under a condition, for the table.
pub(crate) struct Evaluated {
    pub(crate) model: Model,
    pub(crate) condition: Condition,
    pub(crate) space: EpsilonSpace,
    pub(crate) iid: Option<Auroc>,
    pub(crate) ood: Option<Auroc>,
    /// Of every image, for tests between methods; none where the images are not clean.
    pub(crate) predictions: Vec<Prediction>,
}

impl Evaluated {
    /// OOD less IID.
    pub(crate) fn change(&self) -> Option<f64> {
        Some(self.ood.as_ref()?.value - self.iid.as_ref()?.value)
    }

    /// The mean of IID and OOD.
    pub(crate) fn average(&self) -> Option<f64> {
        Some(f64::midpoint(self.ood.as_ref()?.value, self.iid.as_ref()?.value))
    }
}

/// Evaluates a model under a condition, or finds it evaluated, and names the result `eval/<model>`, or
/// `eval/<model>.<condition>` where the images are not clean; `None` in a dry run.
pub(crate) fn evaluate(
    store: &Store,
    run: &Parameters,
    model: &Model,
    condition: Condition,
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
    let space: EpsilonSpace = run.required("eps_space")?.parse().or_usage()?;
    let mut parameters = run.keyed();
    parameters.insert("under".to_owned(), condition.to_string().into());
    condition.keep_relevant(&mut parameters);
    parameters.insert("size".to_owned(), model.side.into());
    let action = Action { stage: "eval", version: version::EVAL, parameters, inputs };
    let name = condition.evaluation(&model.name, space);
    let detail =
        |_: &str, before: &[Digest], now: &[Digest]| changed_images(store, before, now).or_other().map(Some);
    let outcome = answer(store, run, &action, &name, &detail, |folder| {
        let device = nn::device(run.required("device")?).or_usage()?;
        cache.load(store, run, model, device)?;
        for split in &splits {
            cache.read(store, sets, *split, model.side, device)?;
        }
        let network = cache.network();
        let bar = progress::bar(&name, splits.iter().map(|split| sets.images(*split)).sum(), "images");
        let mut predictions = Vec::new();
        let mut figures = Map::new();
        figures.extend(condition.described(space).map(|told| ("condition".to_owned(), told)));
        for split in &splits {
            let TestSet { cohort, images } = cache.set(store, *split, model.side, device);
            let batch = run.integer("batch") as usize;
            let seen = |images: usize| bar.inc(images as u64);
            let logits = logits(network, images, condition, space, batch, seen).or_other()?;
            let of_split: Vec<Prediction> =
                cohort.rows.iter().zip(logits).map(|(row, logits)| Prediction::of(row, logits)).collect();
            let scores: Vec<f64> = of_split.iter().map(Prediction::score).collect();
            let auroc = delong(&scores, &cohort.positive())
                .map_err(|error| Failure::data(format!("{} images: {error}", split.name())))?;
            figures.insert(split.name().to_owned(), json!(auroc));
            predictions.extend(of_split);
        }
        bar.finish_and_clear();
        write_predictions(&folder.join("predictions.parquet"), &predictions).or_other()?;
        let figures = serde_json::to_vec_pretty(&figures).expect("figures are plain data");
        fs_err::write(folder.join("evaluation.json"), figures)?;
        Ok(Made { provenance: json!(nn::provenance(device)), ..Made::default() })
    })?;
    let Some(outcome) = outcome else { return Ok(None) };
    println!("{name}: {}", if outcome.reused { "unchanged" } else { "evaluated" });
    let figures: Map<String, Value> =
        serde_json::from_slice(&store.read(outcome.result.output("evaluation.json")?)?)
            .map_err(Failure::other)?;
    let auroc = |split: Split| {
        figures
            .get(split.name())
            .map(|value| serde_json::from_value(value.clone()).map_err(Failure::other))
            .transpose()
    };
    let predictions = match condition {
        Condition::Clean => {
            read_predictions(&store.object(outcome.result.output("predictions.parquet")?)?).or_other()?
        }
        _ => Vec::new(),
    };
    Ok(Some(Evaluated {
        predictions,
        model: model.clone(),
        condition,
        space,
        iid: auroc(Split::Test)?,
        ood: auroc(Split::Ood)?,
    }))
}

impl Cache {
    /// Loads the model, unless it was the last.
    fn load(&mut self, store: &Store, run: &Parameters, model: &Model, device: Device) -> Result<()> {
        let weights = model.weights().or_other()?;
        let dtype = run.required("dtype")?;
        let name = format!("{weights} {dtype} {device:?}");
        if self.network.as_ref().is_none_or(|(loaded, _)| *loaded != name) {
            self.network = None; // its memory is needed
            let network = ResNet::load(&store.object(&weights)?, device, dtype.parse().or_usage()?);
            self.network = Some((name, network.or_other()?));
        }
        Ok(())
    }

    fn network(&self) -> &ResNet {
        &self.network.as_ref().expect("it was loaded").1
    }

    /// Reads a test set, unless it was read before.
    fn read(
        &mut self,
        store: &Store,
        sets: &TestSets,
        split: Split,
        side: u32,
        device: Device,
    ) -> Result<()> {
        if let Entry::Vacant(place) = self.sets.entry(key(store, split, side, device)) {
            let bar = progress::bar(&format!("decoding {}", split.name()), sets.images(split), "images");
            let cohort = sets.read(store, split, side, || bar.inc(1)).or_other()?;
            bar.finish_and_clear();
            let images = Images::new(&cohort.pixels, &cohort.labels(), i64::from(side), device).or_other()?;
            place.insert(TestSet { cohort, images });
        }
        Ok(())
    }

    fn set(&self, store: &Store, split: Split, side: u32, device: Device) -> &TestSet {
        &self.sets[&key(store, split, side, device)]
    }
}

fn key(store: &Store, split: Split, side: u32, device: Device) -> (PathBuf, Split, u32, String) {
    (store.root().to_owned(), split, side, format!("{device:?}"))
}

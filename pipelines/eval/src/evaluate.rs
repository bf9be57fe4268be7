//! One model on its test sets.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, btree_map::Entry},
    path::PathBuf,
};

use attack::EpsilonSpace;
use cohort::{Cohort, Evaluation, Model, TestSets, changed_images};
use method::Task;
use metrics::{
    Answers, Auroc, Bootstrap, BoxFigures, FindingFigures, Performance, SetFigures, SourceConfound, delong,
    performance, youden,
};
use nn::{Images, Network};
use schema::{
    Asked, ImageRow, Prediction, Split, Truth, probability, scored, write_answers, write_found_boxes,
    write_predictions,
};
use serde_json::{Map, Value, json};
use stage::{Action, Failure, Fallible, Input, Made, Parameters, Result, answer, progress, version};
use store::{Digest, Store};
use tch::Device;

use crate::{
    boxes,
    condition::Condition,
    confound::{confound, one_by_one},
    findings,
    logits::logits,
};

/// What models are tested on, and where their thresholds are chosen.
pub(crate) struct Sets {
    /// The one data set that was asked for.
    on: Option<String>,
    tests: TestSets,
    training: TestSets,
}

impl Sets {
    /// Every test set, or that of `on` alone.
    pub(crate) fn open(store: &Store, on: Option<&str>) -> Result<Self> {
        let tests = match on {
            None => TestSets::open(store).or_other()?,
            Some(name) => TestSets::of_one(store, name)
                .or_usage()
                .map_err(|failure| failure.remedy("`just ls` lists what is in the store"))?,
        };
        Ok(Self { on: on.map(str::to_owned), tests, training: TestSets::open(store).or_other()? })
    }

    fn of(&self, split: Split) -> &TestSets {
        if split == Split::Validation { &self.training } else { &self.tests }
    }

    /// The splits that an evaluation reads: the tests, and for a clean one the validation images.
    fn read_by(&self, condition: Condition) -> Vec<Split> {
        let mut splits = self.tests.splits();
        if condition == Condition::Clean && self.training.images(Split::Validation) > 0 {
            splits.push(Split::Validation);
        }
        splits
    }

    /// The name of a model's evaluation.
    fn evaluation(&self, condition: Condition, model: &str, space: EpsilonSpace) -> String {
        match &self.on {
            None => condition.evaluation(model, space),
            Some(on) => condition.evaluation(&format!("{model}.on-{on}"), space),
        }
    }

    /// What a reader is told of an evaluation that is not the clean one of all test sets.
    fn described(&self, condition: Condition, space: EpsilonSpace) -> Option<Value> {
        let mut told = condition.described(space);
        if let Some(on) = &self.on {
            let told = told.get_or_insert_with(|| json!({"family": "", "strength": 0.0}));
            let title = match told["title"].as_str() {
                None => format!("{on} alone"),
                Some(title) => format!("{on} alone, {title}"),
            };
            told["title"] = title.into();
            told["on"] = on.as_str().into();
        }
        told
    }
}

/// What models and conditions share: test images of one size, and the network that was loaded last.
#[derive(Default)]
pub(crate) struct Cache {
    sets: BTreeMap<Key, TestSet>,
    network: Option<(String, Network)>,
}

/// A test set in memory and on the device.
struct TestSet {
    cohort: Cohort,
    images: Images,
    confound: OnceCell<Option<SourceConfound>>,
}

/// A model evaluated under a condition, for the table.
pub(crate) struct Evaluated {
    pub(crate) model: Model,
    pub(crate) condition: Condition,
    pub(crate) space: EpsilonSpace,
    /// The one data set that was asked for.
    pub(crate) on: Option<String>,
    pub(crate) iid: Option<Auroc>,
    pub(crate) ood: Option<Auroc>,
    /// Of a model that tells several classes or findings apart.
    pub(crate) findings: [Option<FindingFigures>; 2],
    /// Of a model that finds boxes.
    pub(crate) boxes: [Option<BoxFigures>; 2],
    /// What a classifier of the sources alone reaches at the unseen hospitals.
    pub(crate) ood_by_source: Option<f64>,
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
    sets: &Sets,
    cache: &mut Cache,
) -> Result<Option<Evaluated>> {
    let mut splits = sets.read_by(condition);
    if model.findings.asked == Asked::Boxes {
        splits.retain(|split| *split != Split::Validation); // no threshold is chosen
    }
    if sets.tests.splits().is_empty() {
        return Err(
            Failure::data("no ingested data set has test images").remedy("`just ingest` reads data sets")
        );
    }
    let space: EpsilonSpace = run.required("eps_space")?.parse().or_usage()?;
    let action = question(run, model, condition, sets, &splits)?;
    let findings = &model.findings;
    let task = Task::from(findings.asked);
    let name = sets.evaluation(condition, &model.name, space);
    let detail =
        |_: &str, before: &[Digest], now: &[Digest]| changed_images(store, before, now).or_other().map(Some);
    let outcome = answer(store, run, &action, &name, &detail, |folder| {
        let device = nn::device(run.required("device")?).or_usage()?;
        cache.load(store, run, model, device)?;
        for split in &splits {
            cache.read(store, sets, *split, model.side, device)?;
        }
        let network = cache.network();
        let images = splits.iter().map(|split| sets.of(*split).images(*split)).sum();
        let bar = progress::bar(&name, images, "images");
        let batch = run.integer("batch") as usize;
        let seen = |images: usize| bar.inc(images as u64);
        let (mut asked, mut answers, mut found) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut figures = Map::new();
        for split in &splits {
            let TestSet { cohort: Cohort { rows, .. }, images, .. } =
                cache.set(store, sets, *split, model.side, device);
            let images = images.with_truth(&task.truth(&findings.truth(rows))).or_other()?;
            let logits = logits(network, &images, task, condition, space, batch, seen).or_other()?;
            if task == Task::Boxes {
                let (boxes, measured) = boxes::measured(rows, &logits)?;
                figures.extend(measured.map(|measured| (format!("{}_boxes", split.name()), json!(measured))));
                found.extend(boxes);
                continue;
            }
            let logits = nn::rows(&logits);
            let of_covid =
                |(row, logits): (&ImageRow, &Vec<f32>)| Some(Prediction::of(row, findings.of_covid(logits)?));
            if let Some(predictions) = rows.iter().zip(&logits).map(of_covid).collect::<Option<Vec<_>>>() {
                asked.insert(*split, predictions);
            }
            if findings.asked != Asked::Covid && *split != Split::Validation {
                let found = findings::figures(findings, rows, &logits)?;
                figures.extend(found.map(|found| (format!("{}_findings", split.name()), json!(found))));
                answers.extend(findings::answers(findings, rows, &logits));
            }
        }
        figures.extend(sets.described(condition, space).map(|told| ("condition".to_owned(), told)));
        let validation = asked.remove(&Split::Validation);
        let threshold = validation.as_deref().and_then(threshold);
        figures.extend(threshold.map(|threshold| ("threshold".to_owned(), told(threshold))));
        for (split, rows) in &asked {
            let set = cache.set(store, sets, *split, model.side, device);
            let (scores, positive) = scored(rows);
            let auroc = delong(&scores, &positive)
                .map_err(|error| Failure::data(format!("{} images: {error}", split.name())))?;
            figures.insert(split.name().to_owned(), json!(auroc));
            if condition == Condition::Clean {
                let more = SetFigures {
                    performance: measured(rows, threshold)?,
                    sources: one_by_one(&set.cohort, &scores),
                    source_confound: set.confound()?.clone(),
                };
                figures.insert(format!("{}_figures", split.name()), json!(more));
            }
        }
        let predictions = asked.into_values().flatten().collect::<Vec<_>>();
        bar.finish_and_clear();
        if task == Task::Boxes {
            write_found_boxes(&folder.join(Evaluation::BOXES), &found).or_other()?;
        } else if findings.asked != Asked::Covid {
            write_answers(&folder.join(Evaluation::ANSWERS), &answers).or_other()?;
        }
        write_predictions(&folder.join(Evaluation::PREDICTIONS), &predictions).or_other()?;
        let figures = serde_json::to_vec_pretty(&figures).expect("figures are plain data");
        fs_err::write(folder.join(Evaluation::FIGURES), figures)?;
        Ok(Made { provenance: json!(nn::provenance(device)), ..Made::default() })
    })?;
    let Some(outcome) = outcome else { return Ok(None) };
    println!("{name}: {}", if outcome.reused { "unchanged" } else { "evaluated" });
    let evaluation = Evaluation::of(store, &outcome.result).or_other()?;
    let evaluated = evaluated(store, model, (condition, space), sets, &evaluation)?;
    let none = evaluated.findings.iter().all(Option::is_none);
    if matches!(findings.asked, Asked::Classes | Asked::Labels) && none {
        println!("{name}: no finding is both seen and not seen in the test images: none has an AUROC");
    }
    Ok(Some(evaluated))
}

/// What is asked of a model under a condition.
fn question(
    run: &Parameters,
    model: &Model,
    condition: Condition,
    sets: &Sets,
    splits: &[Split],
) -> Result<Action> {
    let mut inputs = BTreeMap::from([("model".to_owned(), Input::Object(model.weights().or_other()?))]);
    for split in splits {
        inputs.insert(split.name().to_owned(), Input::Objects(sets.of(*split).shards(*split).or_other()?));
    }
    let mut parameters = run.keyed();
    parameters.insert("under".to_owned(), condition.to_string().into());
    condition.keep_relevant(&mut parameters);
    model.add_to(&mut parameters);
    parameters.extend(sets.on.as_deref().map(|on| ("on".to_owned(), on.into())));
    Ok(Action { stage: "eval", version: version::EVAL, parameters, inputs })
}

/// What an evaluation came to, for the table.
fn evaluated(
    store: &Store,
    model: &Model,
    (condition, space): (Condition, EpsilonSpace),
    sets: &Sets,
    evaluation: &Evaluation,
) -> Result<Evaluated> {
    let predictions = match condition {
        Condition::Clean => evaluation.predictions(store).or_other()?,
        _ => Vec::new(),
    };
    let of_findings = |split: Split| evaluation.figure(&format!("{}_findings", split.name())).or_other();
    let of_boxes = |split: Split| evaluation.figure(&format!("{}_boxes", split.name())).or_other();
    Ok(Evaluated {
        predictions,
        model: model.clone(),
        condition,
        space,
        on: sets.on.clone(),
        iid: evaluation.figure(Split::Test.name()).or_other()?,
        ood: evaluation.figure(Split::Ood.name()).or_other()?,
        findings: [of_findings(Split::Test)?, of_findings(Split::Ood)?],
        boxes: [of_boxes(Split::Test)?, of_boxes(Split::Ood)?],
        ood_by_source: evaluation.figures["ood_figures"]["source_confound"]["auroc"]["value"].as_f64(),
    })
}

impl Cache {
    /// Loads the model, unless it was the last.
    fn load(&mut self, store: &Store, run: &Parameters, model: &Model, device: Device) -> Result<()> {
        let weights = model.weights().or_other()?;
        let dtype = run.required("dtype")?;
        let name = format!("{weights} {dtype} {device:?}");
        if self.network.as_ref().is_none_or(|(loaded, _)| *loaded != name) {
            self.network = None; // its memory is needed
            let network = Network::load(&store.object(&weights)?, device, dtype.parse().or_usage()?);
            self.network = Some((name, network.or_other()?));
        }
        Ok(())
    }

    fn network(&self) -> &Network {
        &self.network.as_ref().expect("it was loaded").1
    }

    /// Reads a test set, unless it was read before.
    fn read(&mut self, store: &Store, sets: &Sets, split: Split, side: u32, device: Device) -> Result<()> {
        if let Entry::Vacant(place) = self.sets.entry(key(store, sets, split, side, device)) {
            let sets = sets.of(split);
            let bar = progress::bar(&format!("decoding {}", split.name()), sets.images(split), "images");
            let cohort = sets.read(store, split, side, || bar.inc(1)).or_other()?;
            bar.finish_and_clear();
            let truth = Task::Classes.truth(&Truth::Findings(vec![Vec::new(); cohort.len()])); // each model brings its own
            let images = Images::new(&cohort.pixels, &truth, i64::from(side), device).or_other()?;
            place.insert(TestSet { cohort, images, confound: OnceCell::new() });
        }
        Ok(())
    }

    fn set(&self, store: &Store, sets: &Sets, split: Split, side: u32, device: Device) -> &TestSet {
        &self.sets[&key(store, sets, split, side, device)]
    }
}

impl TestSet {
    /// How far its sources give the class away; worked out once for all models of a size.
    fn confound(&self) -> Result<&Option<SourceConfound>> {
        if let Some(known) = self.confound.get() {
            return Ok(known);
        }
        let found = confound(&self.cohort)?;
        Ok(self.confound.get_or_init(|| found))
    }
}

/// A test set's place in the cache: the store, what was asked for alone, split, side, device.
type Key = (PathBuf, Option<String>, Split, u32, String);

fn key(store: &Store, sets: &Sets, split: Split, side: u32, device: Device) -> Key {
    let on = sets.on.clone().filter(|_| split != Split::Validation);
    (store.root().to_owned(), on, split, side, format!("{device:?}"))
}

/// The threshold of the largest sensitivity + specificity on validation images; none where they are of one class.
fn threshold(validation: &[Prediction]) -> Option<f64> {
    let (scores, positive) = scored(validation);
    Some(youden(&scores, &positive).ok()?.threshold)
}

/// A threshold of scores, for readers.
fn told(threshold: f64) -> Value {
    json!({
        "score": threshold,
        "probability": probability(threshold),
        "chosen": "largest sensitivity + specificity on the validation images",
    })
}

/// All figures with intervals; none where the patients are too few to be resampled.
fn measured(rows: &[Prediction], threshold: Option<f64>) -> Result<Option<Performance>> {
    let (scores, positive) = scored(rows);
    let probabilities: Vec<f64> = rows.iter().map(Prediction::probability).collect();
    let patients: Vec<&str> = rows.iter().map(|row| row.patient_key.as_str()).collect();
    let answers =
        Answers { scores: &scores, probabilities: &probabilities, positive: &positive, patients: &patients };
    match performance(&answers, threshold, Bootstrap::default()) {
        Err(metrics::Error::Undefined { .. }) => Ok(None),
        other => other.map(Some).or_other(),
    }
}

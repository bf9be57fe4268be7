//! One run, from the store to a named checkpoint.

use std::{collections::BTreeMap, io, path::Path};

use cohort::{Cohort, Dataset, changed_images, shards};
use indicatif::ProgressBar;
use method::BnStats;
use nn::{Images, Options, ResNet18};
use schema::{Role, Split};
use serde_json::{Value, json};
use stage::{Action, Column, Failure, Fallible, Input, Made, Result, Table, answer, progress, version};
use store::{Digest, Store};
use trainer::{Data, Epoch, Fitted, Watch};

use crate::{parameters::Run, weights::first_weights};

/// Minibatches from which first BatchNorm statistics are estimated.
const STATISTICS_BATCHES: usize = 20;

/// A trained network, for the table.
pub(crate) struct Trained {
    name: String,
    parameters: Value,
    best: Value,
}

/// Trains a network, or finds it trained, and names it `train/<method>-<key>`; `None` in a dry run.
pub(crate) fn train(run: &Run) -> Result<Option<Trained>> {
    let store = run.parameters.open_store()?;
    let datasets = datasets(&store, run.parameters.text("data"))?;
    let (init, digest) = first_weights(&store, run.parameters.required("init")?)?;
    let mut parameters = run.parameters.keyed();
    parameters.insert("init".to_owned(), digest.into());
    if run.parameters.flag("strict") {
        let device = nn::device(run.parameters.required("device")?).or_usage()?;
        parameters.insert("platform".to_owned(), json!(nn::provenance(device)));
    }
    let action = Action {
        stage: "train",
        version: version::TRAIN,
        parameters,
        inputs: BTreeMap::from([
            ("train".to_owned(), Input::Objects(shards(&datasets, Split::Train).or_other()?)),
            ("validation".to_owned(), Input::Objects(shards(&datasets, Split::Validation).or_other()?)),
        ]),
    };
    let name = format!("{}-{}", run.method.name, action.key().short());
    let detail =
        |_: &str, before: &[Digest], now: &[Digest]| changed_images(&store, before, now).or_other().map(Some);
    let outcome = answer(&store, &run.parameters, &action, &name, &detail, |folder| {
        println!("{name}: {}", run.method.meaning);
        fit(run, &store, &datasets, &init, folder)
    })?;
    let Some(outcome) = outcome else { return Ok(None) };
    let digest = outcome.result.output("training.json")?;
    let training: Value = serde_json::from_slice(&store.read(digest)?).map_err(Failure::other)?;
    let best = training["best"].clone();
    if outcome.reused {
        println!("{name}: unchanged");
    } else {
        println!("{name}: best epoch {}, validation AUROC {:.3}", best["epoch"], auroc(&best));
    }
    Ok(Some(Trained { name, parameters: action.parameters.into(), best }))
}

/// The data sets to train on.
fn datasets(store: &Store, name: Option<&str>) -> Result<Vec<Dataset>> {
    let advice = "`just ingest` reads data sets into the store; `just train data=NAME` chooses one";
    let datasets = match name {
        Some(name) => vec![Dataset::open(store, name).or_usage().map_err(|failure| failure.remedy(advice))?],
        None => Dataset::all(store).or_other()?,
    };
    let datasets: Vec<_> =
        datasets.into_iter().filter(|dataset| dataset.manifest.role == Role::Iid).collect();
    if datasets.is_empty() {
        return Err(Failure::data("there is no data set to train on: none with role iid is in the store")
            .remedy(advice));
    }
    Ok(datasets)
}

fn fit(run: &Run, store: &Store, datasets: &[Dataset], init: &nn::Init, folder: &Path) -> Result<Made> {
    let device = nn::device(run.parameters.required("device")?).or_usage()?;
    let read = |split: Split| -> Result<Cohort> {
        let images: u64 = datasets
            .iter()
            .flat_map(|dataset| dataset.manifest.shards_of(split))
            .map(|shard| shard.images)
            .sum();
        let bar = progress::bar(&format!("decoding {}", split.name()), images, "images");
        let cohort = Cohort::read(store, datasets, split, run.side, || bar.inc(1)).or_other()?;
        bar.finish_and_clear();
        if cohort.is_empty() {
            return Err(Failure::data(format!("the {} split is empty", split.name())));
        }
        Ok(cohort)
    };
    let load = |cohort: &Cohort| {
        Images::new(&cohort.pixels, &cohort.labels(), i64::from(run.side), device).or_other()
    };
    let (train, validation) = (read(Split::Train)?, read(Split::Validation)?);
    let positive = validation.positive();
    let (train, validation) = (load(&train)?, load(&validation)?);

    let options = Options {
        device,
        precision: run.precision,
        auxiliary: run.objective.bn_stats == BnStats::Auxiliary,
        seed: nn::stream_seed(run.settings.seed, "init", 0, 0),
    };
    let (model, _) = ResNet18::new(&options, init).or_data()?;
    if run.parameters.required("init_statistics")? == "reestimate" {
        let order = nn::shuffled(train.len(), run.settings.seed, 0);
        let batches = trainer::minibatches(&order, run.settings.batch).take(STATISTICS_BATCHES);
        model.reestimate_statistics(batches.map(|indices| train.batch(indices).0)).or_other()?;
    }
    let method = (run.method.build)(run.objective);
    let data = Data { train: &train, validation: &validation, positive: &positive };
    let steps = run.settings.epochs * train.len() as u64;
    let mut teller = Teller { bar: progress::bar("training", steps, "images"), epochs: run.settings.epochs };
    let checkpoint = folder.join("model.safetensors");
    let fitted = trainer::fit(&model, method.as_ref(), &data, &run.settings, &checkpoint, &mut teller)
        .map_err(told)?;
    teller.bar.finish_and_clear();
    fs_err::write(folder.join("training.json"), training(run, &fitted, train.len(), validation.len()))?;
    Ok(Made { provenance: json!(nn::provenance(device)), ..Made::default() })
}

/// A full disk is told as everywhere else, with the remedy.
fn told(error: trainer::Error) -> Failure {
    match error {
        trainer::Error::Network(nn::Error::Io { path, error }) => {
            io::Error::new(error.kind(), format!("{}: {error}", path.display())).into()
        }
        error => Failure::other(error),
    }
}

/// Every parameter and figure of a run, as a file beside the weights.
fn training(run: &Run, fitted: &Fitted, train: usize, validation: usize) -> Vec<u8> {
    let document = json!({
        "method": run.method.name,
        "parameters": run.parameters.keyed(),
        "images": {"train": train, "validation": validation},
        "best": fitted.best,
        "epochs": fitted.epochs,
    });
    serde_json::to_vec_pretty(&document).expect("figures are plain data")
}

/// Tells the user how a run goes.
struct Teller {
    bar: ProgressBar,
    epochs: u64,
}

impl Watch for Teller {
    fn minibatch(&mut self, images: usize, loss: Option<f64>) {
        self.bar.inc(images as u64);
        if let Some(loss) = loss {
            self.bar.set_message(format!("loss {loss:.3}"));
        }
    }

    fn epoch(&mut self, epoch: &Epoch, images_per_second: f64, best: bool) {
        let Epoch { epoch, loss, ce, kl, validation_auroc } = epoch;
        let line = format!(
            "  epoch {epoch:>3}/{}  loss {loss:.4}  CE {ce:.4}  KL {kl:.4}  validation AUROC {validation_auroc:.4}{}  {images_per_second:.0} images/s",
            self.epochs,
            if best { " best" } else { "     " },
        );
        progress::line(&self.bar, &line);
    }
}

/// Prints the table at the end, when there is more than one run.
pub(crate) fn summarise(trained: &[Trained]) {
    if trained.len() < 2 {
        return;
    }
    let words = ["model", "method"].map(Column::text);
    let numbers = ["k", "lambda", "eps", "seed", "best epoch", "validation AUROC"].map(Column::number);
    let mut table = Table::new(words.into_iter().chain(numbers));
    for one in trained {
        let text = |name: &str| one.parameters[name].to_string().trim_matches('"').to_owned();
        let [method, k, lambda, eps, seed] = ["method", "k", "lambda", "eps", "seed"].map(text);
        let (epoch, auroc) = (one.best["epoch"].to_string(), format!("{:.3}", auroc(&one.best)));
        table.row([one.name.clone(), method, k, lambda, eps, seed, epoch, auroc]);
    }
    println!();
    table.print();
}

fn auroc(best: &Value) -> f64 {
    best["validation_auroc"].as_f64().unwrap_or(f64::NAN)
}

//! One run, from the store to a named checkpoint.

use std::{collections::BTreeMap, io, path::Path};

use cohort::{Dataset, changed_images, shards};
use nn::Network;
use schema::{Asked, Role, Split};
use serde_json::{Value, json};
use stage::{Action, Failure, Fallible, Input, Made, Program, Result, answer, progress, version};
use store::{Digest, Store};
use tch::{Device, Tensor};
use trainer::{Checkpoints, Data, Fitted, Settings, Source, Watch};

use crate::{
    batch, figure,
    follow::Command,
    ranks,
    run::Run,
    sets::{Set, Sets},
    summary::Trained,
    teller::Teller,
    weights::first_weights,
};

/// Minibatches from which first BatchNorm statistics are estimated.
const STATISTICS_BATCHES: usize = 20;

/// Trains a network, or finds it trained, and names it `train/<method>-<key>`; `None` in a dry run.
pub(crate) fn train(run: &Run, sets: &Sets) -> Result<Option<Trained>> {
    let store = run.parameters.open_store()?;
    let datasets = datasets(&store, run.parameters.text("data"))?;
    let settled = if run.settings.batch == 0 {
        let device = run.device()?;
        let set = sets.read(&store, &datasets, run, device)?;
        Some(batch::largest(run, &set, device)?)
    } else {
        None
    };
    let run = settled.as_ref().unwrap_or(run);
    let Question { action, init } = Question::of(&store, &datasets, run)?;
    let name = format!("{}-{}", run.method.name, action.key().short());
    let detail =
        |_: &str, before: &[Digest], now: &[Digest]| changed_images(&store, before, now).or_other().map(Some);
    let outcome = answer(&store, &run.parameters, &action, &name, &detail, |folder| {
        progress::line(&format!("{name}: {}", run.method.meaning));
        if !run.without_effect.is_empty() {
            let words = run.without_effect.join(", ");
            let (method, lambda) = (run.method.name, run.objective.lambda);
            progress::line(&format!(
                "{name}: warning: {method} with lambda={lambda} makes nothing of {words}"
            ));
        }
        let command = Command { key: action.key().to_string(), batch: run.settings.batch };
        let command = serde_json::to_string(&command).map_err(Failure::other)?;
        run.world.hear(&command).map_err(|error| told(error.into(), run, &[]))?;
        let prepared = || -> Result<_> {
            let device = run.device()?;
            let set = sets.read(&store, &datasets, run, device)?;
            let network = network(run, device, &set, &init)?;
            Ok((device, set, network))
        };
        let (device, set, network) = prepared().inspect_err(|_| leave(run))?;
        let checkpoints = Checkpoints::new(store.unfinished(&action.key()));
        fit(run, device, &set, &network, &name, &checkpoints, folder)
    })?;
    let Some(outcome) = outcome else { return Ok(None) };
    let digest = outcome.result.output("training.json")?;
    let training: Value = serde_json::from_slice(&store.read(digest)?).map_err(Failure::other)?;
    let best = training["best"].clone();
    if outcome.reused {
        progress::line(&format!("{name}: unchanged"));
    } else {
        let (epoch, title) = (&best["epoch"], figure::title(run.asked));
        let value = figure::of(&best, run.asked);
        progress::line(&format!("{name}: best epoch {epoch}, {title} {value:.3}"));
    }
    Ok(Some(Trained { name, asked: run.asked, parameters: run.parameters.clone(), best }))
}

/// What a run asks, and the weights it begins with.
pub(crate) struct Question {
    pub(crate) action: Action,
    pub(crate) init: nn::Init,
}

impl Question {
    pub(crate) fn of(store: &Store, datasets: &[Dataset], run: &Run) -> Result<Self> {
        let dry_run = run.parameters.flag(Program::DRY_RUN.name);
        let (init, digest) =
            first_weights(store, run.architecture, run.parameters.required("init")?, dry_run)?;
        let mut parameters = run.keyed();
        parameters.insert("init".to_owned(), digest.into());
        if run.parameters.flag("strict") {
            let device = run.device()?;
            parameters.insert("platform".to_owned(), json!(nn::provenance(device)));
        }
        let shards = |split| shards(datasets, split).map(Input::Objects).or_other();
        let inputs = BTreeMap::from([
            ("train".to_owned(), shards(Split::Train)?),
            ("validation".to_owned(), shards(Split::Validation)?),
        ]);
        Ok(Self { action: Action { stage: "train", version: version::TRAIN, parameters, inputs }, init })
    }
}

/// The data sets to train on.
pub(crate) fn datasets(store: &Store, name: Option<&str>) -> Result<Vec<Dataset>> {
    let advice = "`just ingest` reads data sets into the store; `just train data=NAME` chooses one";
    let datasets = match name {
        Some(name) => vec![Dataset::open(store, name).or_usage().map_err(|failure| failure.remedy(advice))?],
        None => Dataset::all(store).or_other()?,
    };
    let datasets: Vec<_> =
        datasets.into_iter().filter(|dataset| dataset.manifest.role == Role::Iid).collect();
    if let Some(name) = name.filter(|_| datasets.is_empty()) {
        return Err(Failure::usage(format!("data={name} is a test set: its role is ood")).remedy(advice));
    }
    if datasets.is_empty() {
        return Err(Failure::data("there is no data set to train on: none with role iid is in the store")
            .remedy(advice));
    }
    Ok(datasets)
}

fn fit(
    run: &Run,
    device: Device,
    set: &Set,
    network: &Network,
    name: &str,
    checkpoints: &Checkpoints,
    folder: &Path,
) -> Result<Made> {
    let out = Path::new(run.parameters.required("out")?);
    let mut teller = Teller::new(name, run.asked, (run.settings.epochs, set.train().len() as u64), out);
    let fitted = course(run, network, set, checkpoints, &mut teller);
    teller.end(&fitted);
    if fitted.as_ref().is_err_and(|error| !is_of_all(error)) {
        leave(run);
    }
    let fitted = fitted.map_err(|error| told(error, run, &set.names))?;
    nn::write_tensors(&fitted.weights, &folder.join("model.safetensors"))
        .map_err(|error| told(error.into(), run, &set.names))?;
    fs_err::write(folder.join("training.json"), training(run, &fitted, set))?;
    let mut provenance = json!(nn::provenance(device));
    provenance["processes"] = run.world.size().into();
    Ok(Made { provenance, ..Made::default() })
}

/// The network with its first weights, when all processes have come so far; the same in each.
pub(crate) fn network(run: &Run, device: Device, set: &Set, init: &nn::Init) -> Result<Network> {
    nn::set_deterministic(run.parameters.flag("deterministic"));
    let (mut network, _) = Network::new(&run.options(device, &set.findings), init).or_data()?;
    let mut join = || {
        run.world.gather()?;
        network.join(run.world, run.parameters.flag("sync_bn"))
    };
    join().map_err(|error| told(error.into(), run, &set.names))?;
    Ok(network)
}

/// Training from first weights to last ones, in each process.
pub(crate) fn course(
    run: &Run,
    network: &Network,
    set: &Set,
    checkpoints: &Checkpoints,
    watch: &mut dyn Watch,
) -> Result<Fitted, trainer::Error> {
    if run.parameters.text("init_statistics") == Some("reestimate") {
        reestimate(network, set.train(), &run.settings)?;
    }
    let method = (run.method.build)(run.objective);
    let figure = |outputs: &Tensor| set.figure(outputs);
    let data =
        Data { train: set.train(), validation: set.validation(), task: run.objective.task, figure: &figure };
    trainer::fit(network, method.as_ref(), &data, &run.settings, checkpoints, watch)
}

/// First BatchNorm statistics, of training minibatches.
fn reestimate(network: &Network, train: &dyn Source, settings: &Settings) -> Result<(), nn::Error> {
    let world = network.world();
    let mut failed = None;
    let images = train.epoch(settings.seed, 0, settings.batch, 0, world.share())?.minibatches;
    let images = images.zip(trainer::minibatches(train.len(), settings.batch)).take(STATISTICS_BATCHES);
    network.reestimate_statistics(images.map_while(|(minibatch, (_, count))| match minibatch {
        Ok((x, _)) => {
            world.passes(world.share().rows(count));
            Some(x)
        }
        Err(error) => {
            failed = Some(error);
            None
        }
    }))?;
    network.settle_statistics()?;
    failed.map_or(Ok(()), Err)
}

/// Whether all processes end with this error, and can train the next run.
pub(crate) fn is_of_all(error: &trainer::Error) -> bool {
    use trainer::Error::{Checkpoint, Diverged, Interrupted, LeftOut, Lost, Network, Validation};
    match error {
        Diverged { .. } | Interrupted | LeftOut { .. } | Lost { .. } | Validation(_) => true,
        Checkpoint { .. } | Network(_) => false,
    }
}

/// Leaves the other processes, which cannot go on.
fn leave(run: &Run) {
    let _ = run.world.leave(None); // those that do not hear of it see the connection end
}

/// A full disk is told as everywhere else, with the remedy; too little memory with the setting; images by name.
pub(crate) fn told(error: trainer::Error, run: &Run, names: &[String]) -> Failure {
    match error {
        trainer::Error::Network(nn::Error::Gone(why)) if run.world.leads() => ranks::lost(run.world, &why),
        trainer::Error::Network(nn::Error::OutOfMemory(why)) => batch::out_of_memory(run, &why),
        trainer::Error::Network(nn::Error::Io { path, error }) => {
            io::Error::new(error.kind(), format!("{}: {error}", path.display())).into()
        }
        trainer::Error::Diverged { ref images, .. } => {
            let names: Vec<&str> = images.iter().map(|index| names[*index].as_str()).collect();
            Failure::other(format!("{error}; its images: {}", names.join(" ")))
        }
        trainer::Error::Interrupted => Failure::other(error).remedy("the same command goes on from there"),
        error => Failure::other(error),
    }
}

/// Every parameter and figure of a run, as a file beside the weights.
fn training(run: &Run, fitted: &Fitted, set: &Set) -> Vec<u8> {
    let named = |epoch| figure::named(epoch, run.asked);
    let mut parameters = run.keyed();
    // Where the first weights lay is nobody's business; which they are stands in the key.
    let init = parameters["init"].as_str().and_then(|init| Path::new(init).file_name()?.to_str());
    let init = init.unwrap_or_default().to_owned();
    parameters.insert("init".to_owned(), init.into());
    let mut document = json!({
        "method": run.method.name,
        "parameters": parameters,
        "images": {"train": set.train().len(), "validation": set.validation().len()},
        "best": named(&fitted.best),
        "epochs": fitted.epochs.iter().map(named).collect::<Vec<_>>(),
        "skipped": fitted.skipped,
    });
    if run.asked != Asked::Covid {
        document["findings"] = json!(set.findings);
    }
    serde_json::to_vec_pretty(&document).expect("figures are plain data")
}

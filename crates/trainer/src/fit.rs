//! A run from first weights to last ones.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use method::{Task, TrainingMethod};
use nn::{Network, Sgd};
use tch::Tensor;

use crate::{
    Checkpoints, EarlyStop, Epoch, Error, OnNan, Settings, Source,
    descent::Descent,
    epoch::{best, collapsed},
    minibatches,
    recorder::Recorder,
    state::State,
    validation::{held_back, outputs},
};

/// What a network is fitted on and chosen by.
pub struct Data<'a> {
    /// Weights are fitted on these.
    pub train: &'a dyn Source,
    /// The epoch is chosen on these; never on test images.
    pub validation: &'a dyn Source,
    /// What the network is asked.
    pub task: Task,
    /// How good the network's outputs on the validation images are (N×…, f32, on the CPU); the epoch with the largest
    /// figure is kept.
    pub figure: &'a dyn Fn(&Tensor) -> Result<f64, metrics::Error>,
}

/// A finished run.
#[derive(Debug)]
pub struct Fitted {
    /// The epoch with the largest validation AUROC, the earlier of equals.
    pub best: Epoch,
    /// Its weights and running statistics by name, on the device.
    pub weights: BTreeMap<String, Tensor>,
    /// Every epoch.
    pub epochs: Vec<Epoch>,
    /// Minibatches that were left out because their loss was no number.
    pub skipped: u64,
}

/// Who follows a run.
pub trait Watch {
    /// A checkpoint cannot be read: the run goes on from the one before, or begins again.
    fn passes_over(&mut self, error: &Error);
    /// The run begins, or goes on from a checkpoint: finished epochs, and finished images of all.
    fn starts(&mut self, epochs: &[Epoch], images: u64);
    /// A minibatch is done: its number of images, and now and then the mean loss of the epoch so far.
    fn minibatch(&mut self, images: usize, loss: Option<f64>);
    /// An epoch is done; `best` says whether it is the best so far.
    fn epoch(&mut self, epoch: &Epoch, images_per_second: f64, best: bool);
    /// Accuracy under PGD has just collapsed.
    fn collapsed(&mut self, epoch: &Epoch);
    /// Whether to save and leave. Where several processes train, the first is asked.
    fn interrupted(&self) -> bool;
}

/// Epochs that together take less are not worth a checkpoint.
const WORTH_SAVING: Duration = Duration::from_secs(10);

/// Fits `network` by `method`; a run that `checkpoints` know goes on where it was, and on a CPU comes to the same bits as
/// one that was never interrupted.
///
/// A network that has [joined](Network::join) a world is trained by all ranks' processes, each of which calls this with the
/// same settings: minibatches are divided, and but for rounding the result is that of one process. The first reads and
/// writes checkpoints.
pub fn fit(
    network: &Network,
    method: &dyn TrainingMethod,
    data: &Data<'_>,
    settings: &Settings,
    checkpoints: &Checkpoints,
    watch: &mut dyn Watch,
) -> Result<Fitted, Error> {
    let alone = network.world().size() == 1 && settings.accumulate == 1 && settings.on_nan == OnNan::Stop;
    assert!(alone || !settings.recorded, "a recorded step is whole, and nobody looks into it");
    let mut recorder = settings.recorded.then(|| Recorder::new(network.device()));
    let mut sgd = Sgd::new(network, settings.momentum, settings.weight_decay);
    let steps = minibatches(data.train.len(), settings.batch).count() as u64;
    let world = network.world();
    let passes_over = |error: &Error| watch.passes_over(error);
    let restored = if world.leads() { checkpoints.restore(network, &mut sgd, passes_over) } else { None };
    let mut state = restored.unwrap_or_else(|| State::start(steps, network.device()));
    state.take_up(network, &sgd)?;
    let finished = state.position.epochs.len() as u64 * data.train.len() as u64;
    watch.starts(&state.position.epochs, finished + state.position.step * settings.batch as u64);
    let mut saved = Instant::now();
    let mut counted = state.position.epochs.len();
    while (state.position.epochs.len() as u64) < settings.epochs {
        let started = (Instant::now(), state.position.step);
        let mut descent = Descent {
            network,
            method,
            data,
            settings,
            checkpoints,
            sgd: &mut sgd,
            recorder: &mut recorder,
            steps,
            saved: &mut saved,
        };
        descent.epoch(&mut state, watch)?;
        let images = (steps - started.1) as f64 * settings.batch as f64;
        let images_per_second = images.min(data.train.len() as f64) / started.0.elapsed().as_secs_f64();
        let outputs = outputs(network, data.validation, settings.batch)?;
        if outputs.isfinite().all().int64_value(&[]) == 0 {
            return Err(Error::Lost { epoch: state.position.epochs.len() as u64 + 1 });
        }
        let validation_auroc = (data.figure)(&outputs)?;
        let robust_accuracy = held_back(network, method, data, settings)?;
        let epoch = state.finish(data.train.len(), settings.batch, validation_auroc, robust_accuracy);
        if epoch.loss.is_nan() {
            return Err(Error::LeftOut { epoch: epoch.epoch });
        }
        counted = state.position.epochs.len();
        let collapsed = collapsed(&state.position.epochs);
        let stops = collapsed && settings.early_stop == EarlyStop::Robust;
        let better = best(&state.position.epochs).epoch == epoch.epoch && !stops;
        if better {
            state.best = nn::guarded(|| network.copies())?;
        }
        watch.epoch(&epoch, images_per_second, better);
        if collapsed {
            watch.collapsed(&epoch);
        }
        if stops {
            counted -= 1;
            break;
        }
        let [saving] = world.decide([saved.elapsed() >= WORTH_SAVING])?;
        if saving {
            state.save(checkpoints, network, &sgd)?;
            saved = Instant::now();
        }
    }
    let State { position, best: weights, .. } = state;
    Ok(Fitted {
        best: best(&position.epochs[..counted]),
        weights,
        epochs: position.epochs,
        skipped: position.skipped,
    })
}

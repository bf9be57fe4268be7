//! Epochs and minibatches.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use method::{Task, TrainingMethod, robust_accuracy};
use nn::{Draws, Network, Rows, Sgd, Statistics, World, moved, predict_each, stream};
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::{
    Checkpoints, EarlyStop, Error, OnNan, Settings, Source,
    checkpoint::{Position, State},
    minibatches,
    source::{Order, chunks},
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

/// One epoch's figures, each the mean over its images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Number of the epoch, from 1.
    pub epoch: u64,
    /// The loss.
    pub loss: f64,
    /// Cross-entropy on clean images, or on attacked ones where the method sees these alone.
    pub ce: f64,
    /// Divergence between clean and changed images, before its weight.
    pub kl: f64,
    /// The figure of the validation images after the epoch: AUROC, the mean over classes where there are several; of boxes
    /// the average precision at an overlap of one half.
    pub validation_auroc: f64,
    /// Accuracy on one minibatch of validation images under ten steps of PGD at the largest ε; `None` where the method
    /// attacks nothing.
    pub robust_accuracy: Option<f64>,
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

/// Time between two readings of the loss: reading waits for the device.
const READING: Duration = Duration::from_secs(1);
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
    let mut sgd = Sgd::new(network, settings.momentum, settings.weight_decay);
    let steps = minibatches(data.train.len(), settings.batch).count() as u64;
    let world = network.world();
    let restored = if world.leads() { checkpoints.restore(network, &mut sgd) } else { None };
    let mut state = restored.unwrap_or_else(|| State::start(steps, network.device()));
    state.take_up(network, &sgd)?;
    let finished = state.position.epochs.len() as u64 * data.train.len() as u64;
    watch.starts(&state.position.epochs, finished + state.position.step * settings.batch as u64);
    let mut saved = Instant::now();
    let mut counted = state.position.epochs.len();
    while (state.position.epochs.len() as u64) < settings.epochs {
        let started = (Instant::now(), state.position.step);
        let mut run =
            Run { network, method, data, settings, checkpoints, sgd: &mut sgd, steps, saved: &mut saved };
        run.epoch(&mut state, watch)?;
        let images = (steps - started.1) as f64 * settings.batch as f64;
        let images_per_second = images.min(data.train.len() as f64) / started.0.elapsed().as_secs_f64();
        let outputs = outputs(network, data.validation, settings.batch)?;
        if outputs.isfinite().all().int64_value(&[]) == 0 {
            return Err(Error::Lost { epoch: state.position.epochs.len() as u64 + 1 });
        }
        let validation_auroc = (data.figure)(&outputs)?;
        let robust_accuracy = held_back(network, method, data, settings)?;
        let epoch = state.finish(data.train.len(), settings.batch, validation_auroc, robust_accuracy);
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
            save(checkpoints, &state, network, &sgd)?;
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

/// What an epoch needs.
struct Run<'a> {
    network: &'a Network,
    method: &'a dyn TrainingMethod,
    data: &'a Data<'a>,
    settings: &'a Settings,
    checkpoints: &'a Checkpoints,
    sgd: &'a mut Sgd,
    steps: u64,
    saved: &'a mut Instant,
}

impl Run<'_> {
    /// The minibatches of an epoch that are not done yet.
    fn epoch(&mut self, state: &mut State, watch: &mut dyn Watch) -> Result<(), Error> {
        let epoch = state.position.epochs.len() as u64 + 1;
        let (train, settings, world) = (self.data.train, self.settings, self.network.world());
        let done = state.position.step as usize;
        let Order { images: order, minibatches: mut images } =
            train.epoch(settings.seed, epoch, settings.batch, done, world.share())?;
        let moves = nn::guarded(|| self.moves(epoch))?; // all at once, as the order
        let mut read = Instant::now();
        for (step, (start, count)) in (0_u64..).zip(minibatches(train.len(), settings.batch)).skip(done) {
            // What was gathered for a step of the optimiser is in no checkpoint.
            let between = step.is_multiple_of(settings.accumulate);
            let [leaving] = world.decide([between && watch.interrupted()])?;
            if leaving {
                self.save(state)?;
                return Err(Error::Interrupted);
            }
            let (x, y) = images.next().expect("every image comes")?;
            let rows = world.share().rows(count);
            nn::guarded(|| {
                let place =
                    |tensor: &Tensor| tensor.narrow(0, (start + rows.first) as i64, rows.count as i64);
                let task = self.data.task;
                let (x, y) = match moves.as_ref().map(place) {
                    Some(moves) => (moved(&x, &moves), task.moved(&y, &moves)),
                    None => (x.shallow_clone(), y.shallow_clone()),
                };
                self.minibatch(state, &x, &y, (epoch, step), rows);
            })?;
            self.network.settle_statistics()?;
            state.position.step = step + 1;
            let last = step + 1 == self.steps;
            let ends = (step + 1).is_multiple_of(settings.accumulate);
            let due = !last && ends && self.saved.elapsed() >= settings.checkpoint_every;
            let [saving, reading] = world.decide([due, last || due || read.elapsed() >= READING])?;
            let loss = if reading { Some(self.mean_loss(state, &order)?) } else { None };
            if reading {
                read = Instant::now();
            }
            watch.minibatch(count, loss);
            if saving {
                self.save(state)?;
            }
        }
        Ok(())
    }

    fn save(&mut self, state: &State) -> Result<(), Error> {
        save(self.checkpoints, state, self.network, self.sgd)?;
        *self.saved = Instant::now();
        Ok(())
    }

    /// Trains on a minibatch, of which x and y are these rows.
    fn minibatch(
        &mut self,
        state: &mut State,
        x: &Tensor,
        y: &Tensor,
        (epoch, step): (u64, u64),
        rows: Rows,
    ) {
        let (settings, world) = (self.settings, self.network.world());
        world.passes(rows);
        let rate = settings.schedule.rate(
            settings.rate,
            (epoch - 1) * self.steps + step,
            settings.epochs * self.steps,
        );
        let draws = Draws::new(settings.seed, epoch, step).of(rows);
        let (share, ends) = self.part(step, rows.of);
        let mut skipped = false;
        let losses = self.method.minibatch(self.network, x, y, &draws, &mut |loss, inputs| {
            let loss = part_of_mean(loss, rows);
            if settings.on_nan == OnNan::Skip && !joint(world, &loss).double_value(&[]).is_finite() {
                skipped = true;
                return inputs.iter().map(|input| input.zeros_like()).collect();
            }
            let of_inputs = self.sgd.gather(&loss, inputs, share);
            if ends {
                self.sgd.step(rate);
            }
            of_inputs
        });
        if skipped && ends {
            self.sgd.step(rate); // of the minibatches before it
        }
        state.position.skipped += u64::from(skipped);
        tch::no_grad(|| {
            let row = Tensor::stack(&[losses.total.detach(), losses.ce, losses.kl], 0);
            let row = joint(world, &part_of_mean(&row, rows));
            state.losses.get(step as i64).copy_(&if skipped { row * f64::NAN } else { row });
        });
    }

    /// A minibatch's share in its step of the optimiser, by images, and whether it is the last of the step.
    fn part(&self, step: u64, count: usize) -> (f64, bool) {
        let together = self.settings.accumulate;
        let ends = (step + 1).is_multiple_of(together) || step + 1 == self.steps;
        if together == 1 {
            return (1.0, ends);
        }
        let first = (step - step % together) as usize;
        let of_step = minibatches(self.data.train.len(), self.settings.batch).skip(first);
        let images: usize = of_step.take(together as usize).map(|(_, count)| count).sum();
        (count as f64 / images as f64, ends)
    }

    /// How each training image is moved in this epoch, N×2×3; none stays `None`.
    fn moves(&self, epoch: u64) -> Option<Tensor> {
        let settings = self.settings;
        let of_step = |(step, (_, count))| {
            settings.augmentation.moves(count, &mut stream(settings.seed, "augment", epoch, step))
        };
        let moves: Option<Vec<Tensor>> =
            (0..).zip(minibatches(self.data.train.len(), settings.batch)).map(of_step).collect();
        moves.map(|moves| Tensor::cat(&moves, 0).to_device(self.network.device()))
    }

    /// The mean loss of the epoch so far, which must be a number.
    fn mean_loss(&self, state: &State, order: &[i64]) -> Result<f64, Error> {
        let (epoch, done) = (state.position.epochs.len() as u64 + 1, state.position.step as usize);
        let losses: Vec<f64> = state.read(done).into_iter().map(|[loss, ..]| loss).collect();
        let numbers: Vec<f64> = losses.iter().copied().filter(|loss| loss.is_finite()).collect();
        if numbers.len() == losses.len() || self.settings.on_nan == OnNan::Skip {
            return Ok(numbers.iter().sum::<f64>() / numbers.len().max(1) as f64);
        }
        let step = losses.iter().position(|loss| !loss.is_finite()).expect("one is no number");
        let (start, count) =
            minibatches(self.data.train.len(), self.settings.batch).nth(step).expect("it was done");
        let images = order[start..start + count].iter().map(|index| *index as usize).collect();
        Err(Error::Diverged { epoch, step: step as u64 + 1, loss: losses[step], images })
    }
}

/// What the mean over these rows adds to the mean over the minibatch.
fn part_of_mean(mean: &Tensor, rows: Rows) -> Tensor {
    if rows.count == rows.of { mean.shallow_clone() } else { mean * rows.weight() }
}

/// The sum over all ranks.
fn joint(world: World, part: &Tensor) -> Tensor {
    if world.size() == 1 {
        return part.shallow_clone();
    }
    let sum = part.detach().copy();
    world.sum(&sum);
    sum
}

fn save(checkpoints: &Checkpoints, state: &State, network: &Network, sgd: &Sgd) -> Result<(), Error> {
    if network.world().leads() {
        checkpoints.write(state, network, sgd)?;
    }
    network.world().hear("saved")?; // the others wait for the disk as long as it takes
    Ok(())
}

impl State {
    /// Goes where the first of the processes is that train the network.
    fn take_up(&mut self, network: &Network, sgd: &Sgd) -> Result<(), Error> {
        let world = network.world();
        if world.size() > 1 {
            let position = serde_json::to_string(&self.position).expect("figures are plain data");
            self.position = serde_json::from_str(&world.hear(&position)?).expect("it was written just now");
            world.take_up(&self.losses)?;
            network.take_up()?;
            sgd.state().values().try_for_each(|velocity| world.take_up(velocity))?;
        }
        Ok(())
    }

    fn start(steps: u64, device: Device) -> Self {
        let losses = Tensor::zeros([steps as i64, 3], (Kind::Float, device));
        Self { position: Position::default(), losses, best: BTreeMap::new() }
    }

    /// The losses of the first minibatches of the epoch.
    fn read(&self, steps: usize) -> Vec<[f64; 3]> {
        let losses = self.losses.narrow(0, 0, steps as i64).flatten(0, -1).to_kind(Kind::Double);
        let losses = Vec::<f64>::try_from(losses).expect("losses are numbers");
        losses.chunks(3).map(|row| [row[0], row[1], row[2]]).collect()
    }

    /// Ends the epoch.
    fn finish(
        &mut self,
        images: usize,
        batch: usize,
        validation_auroc: f64,
        robust_accuracy: Option<f64>,
    ) -> Epoch {
        let mut sums = [0.0; 3];
        let mut counted = 0;
        for (losses, (_, count)) in
            self.read(self.losses.size()[0] as usize).iter().zip(minibatches(images, batch))
        {
            if losses[0].is_finite() {
                counted += count;
                sums.iter_mut().zip(losses).for_each(|(sum, loss)| *sum += loss * count as f64);
            }
        }
        let [loss, ce, kl] = sums.map(|sum| sum / counted as f64);
        let epoch = self.position.epochs.len() as u64 + 1;
        let epoch = Epoch { epoch, loss, ce, kl, validation_auroc, robust_accuracy };
        self.position.epochs.push(epoch);
        self.position.step = 0;
        epoch
    }
}

/// The epoch with the largest validation AUROC, the earlier of equals.
fn best(epochs: &[Epoch]) -> Epoch {
    let better = |best: Epoch, epoch: &Epoch| {
        if epoch.validation_auroc > best.validation_auroc { *epoch } else { best }
    };
    epochs[1..].iter().fold(epochs[0], better)
}

/// Accuracy under PGD on a minibatch of validation images, the same in every epoch.
fn held_back(
    network: &Network,
    method: &dyn TrainingMethod,
    data: &Data<'_>,
    settings: &Settings,
) -> Result<Option<f64>, nn::Error> {
    let Some((threat, epsilon)) = method.threat() else { return Ok(None) };
    let world = network.world();
    let mut chosen = data.validation.epoch(settings.seed, 0, settings.batch, 0, world.share())?.minibatches;
    let Some((x, y)) = chosen.next().transpose()? else { return Ok(None) };
    let rows = world.share().rows(settings.batch.min(data.validation.len()));
    let draws = Draws::new(0, 0, 0).of(rows);
    let own = nn::guarded(|| {
        robust_accuracy(data.task, &network.frozen(Statistics::Running), &x, &y, (threat, epsilon), &draws)
    })?;
    Ok(Some(world.sum_of(&[own * rows.weight()])?[0]))
}

/// What the network gives for each image.
fn outputs(network: &Network, images: &dyn Source, batch: usize) -> Result<Tensor, nn::Error> {
    let world = network.world();
    let share = world.share();
    let own = predict_each(network, images.in_order(batch, share).map(|minibatch| Ok(minibatch?.0)))?;
    if world.size() == 1 {
        return Ok(own);
    }
    nn::guarded(|| {
        let mut size = own.size();
        size[0] = images.len() as i64;
        let all = own.new_zeros(size, (own.kind(), own.device())); // the others' are 0 here, so that the sum is all
        let mut place = 0;
        for (start, count) in chunks(images.len(), batch) {
            let rows = share.rows(count);
            let count = rows.count as i64;
            if rows.counts {
                all.narrow(0, (start + rows.first) as i64, count).copy_(&own.narrow(0, place, count));
            }
            place += count;
        }
        world.sum(&all);
        all
    })
}

/// Whether accuracy under PGD has fallen to less than half of its best in the last epoch, and had not before.
fn collapsed(epochs: &[Epoch]) -> bool {
    let robust: Vec<f64> = epochs.iter().filter_map(|epoch| epoch.robust_accuracy).collect();
    let low = |count: usize| {
        let best = robust[..count].iter().copied().fold(0.0, f64::max);
        count > 0 && robust[count - 1] < best / 2.0
    };
    low(robust.len()) && !low(robust.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, path::Path};

    use method::method;
    use nn::{Augmentation, Images, Init, Options, shuffled};
    use tch::Device;

    use super::*;
    use crate::Schedule;

    /// Counts minibatches, and leaves after some.
    #[derive(Default)]
    struct Follower {
        leave_after: Option<usize>,
        minibatches: Cell<usize>,
        resumed: Option<(usize, u64)>,
    }
    impl Watch for Follower {
        fn starts(&mut self, epochs: &[Epoch], images: u64) {
            self.resumed = (images > 0).then_some((epochs.len(), images));
        }
        fn minibatch(&mut self, _: usize, _: Option<f64>) {
            self.minibatches.set(self.minibatches.get() + 1);
        }
        fn epoch(&mut self, _: &Epoch, _: f64, _: bool) {}
        fn collapsed(&mut self, _: &Epoch) {}
        fn interrupted(&self) -> bool {
            self.leave_after.is_some_and(|most| self.minibatches.get() >= most)
        }
    }

    /// Dark and bright squares on noise.
    fn images(count: usize, side: usize) -> (Images, Vec<bool>) {
        let positive: Vec<bool> = (0..count).map(|index| index % 2 == 1).collect();
        let noise = nn::uniform(9, &[(count * side * side) as i64], Device::Cpu) * 60.0;
        let noise: Vec<f32> = Vec::try_from(noise).unwrap();
        let pixels: Vec<u8> = noise
            .iter()
            .enumerate()
            .map(|(i, noise)| *noise as u8 + if positive[i / (side * side)] { 120 } else { 60 })
            .collect();
        let labels: Vec<i64> = positive.iter().map(|positive| i64::from(*positive)).collect();
        (Images::new(&pixels, &Tensor::from_slice(&labels), side as i64, Device::Cpu).unwrap(), positive)
    }

    fn settings(seed: u64) -> Settings {
        Settings {
            epochs: 2,
            batch: 8,
            rate: 0.01,
            schedule: Schedule::OneCycle,
            momentum: 0.9,
            weight_decay: 1e-4,
            augmentation: Augmentation::LIGHT,
            seed,
            on_nan: OnNan::Stop,
            early_stop: EarlyStop::None,
            accumulate: 1,
            checkpoint_every: Duration::from_hours(1),
        }
    }

    fn run(name: &str, settings: &Settings, folder: &Path, follower: &mut Follower) -> Result<Fitted, Error> {
        let options = Options { seed: 3, ..Options::default() };
        let (network, _) = Network::new(&options, &Init::Scratch).unwrap();
        let method = method(name).unwrap();
        let ((train, _), (validation, positive)) = (images(17, 32), images(8, 32));
        let figure = |outputs: &Tensor| {
            let scores = nn::rows(outputs).iter().map(|row| f64::from(row[1] - row[0])).collect::<Vec<_>>();
            metrics::auroc(&scores, &positive)
        };
        let data = Data { train: &train, validation: &validation, task: Task::Classes, figure: &figure };
        let method = (method.build)(method.defaults);
        fit(&network, method.as_ref(), &data, settings, &Checkpoints::new(folder), follower)
    }

    fn straight(name: &str, settings: &Settings) -> Fitted {
        let folder = tempfile::tempdir().unwrap();
        run(name, settings, &folder.path().join("none"), &mut Follower::default()).unwrap()
    }

    #[test]
    fn the_same_seed_gives_the_same_bits_and_another_does_not() {
        let [first, again, other] = [0, 0, 1].map(|seed| straight("sga", &settings(seed)));
        assert_eq!((&first.weights, &first.epochs), (&again.weights, &again.epochs));
        assert_ne!(first.weights, other.weights);
    }

    #[test]
    fn methods_of_one_and_of_several_updates_learn_bright_from_dark() {
        for name in ["nt", "at", "sg", "sga", "free"] {
            let fitted = straight(name, &settings(0));
            assert!(fitted.best.validation_auroc > 0.9, "{name}: {:?}", fitted.epochs);
            assert_eq!(fitted.epochs.len(), 2);
        }
    }

    #[test]
    fn a_run_that_was_interrupted_anywhere_ends_in_the_same_bits() {
        let expected = straight("sga", &settings(5));
        for every in 0..4 {
            let folder = tempfile::tempdir().unwrap();
            // Leaves after `every` more minibatches until there are none: two epochs have four, as 17 = 8 + 8 + 1.
            let mut sittings = 0;
            let fitted = loop {
                let mut follower = Follower { leave_after: Some(every.max(1)), ..Follower::default() };
                let result = run("sga", &settings(5), folder.path(), &mut follower);
                assert_eq!(follower.resumed.is_some(), sittings > 0);
                sittings += 1;
                match result {
                    Err(Error::Interrupted) => {}
                    result => break result.unwrap(),
                }
            };
            assert!(sittings > 1, "it was interrupted");
            assert_eq!((&fitted.weights, &fitted.epochs), (&expected.weights, &expected.epochs), "{every}");
        }
    }

    #[test]
    fn several_minibatches_to_a_step_are_one_step_and_are_not_torn_apart() {
        let together = Settings { accumulate: 2, ..settings(5) };
        let expected = straight("nt", &together);
        assert_ne!(expected.weights, straight("nt", &settings(5)).weights);
        let more = straight("nt", &Settings { accumulate: 9, ..settings(5) });
        assert_eq!(more.weights, expected.weights, "an epoch has two: its last step is of what is left");
        let folder = tempfile::tempdir().unwrap();
        let mut follower = Follower { leave_after: Some(1), ..Follower::default() };
        assert!(matches!(run("nt", &together, folder.path(), &mut follower), Err(Error::Interrupted)));
        assert_eq!(follower.minibatches.get(), 2, "it leaves between two steps");
        let mut follower = Follower::default();
        let fitted = run("nt", &together, folder.path(), &mut follower).unwrap();
        assert_eq!(follower.resumed, Some((1, 17)));
        assert_eq!((fitted.weights, fitted.epochs), (expected.weights, expected.epochs));
    }

    #[test]
    fn a_damaged_checkpoint_gives_way_to_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let expected = straight("at", &settings(6));
        for _ in 0..3 {
            let mut follower = Follower { leave_after: Some(1), ..Follower::default() };
            assert!(matches!(run("at", &settings(6), folder.path(), &mut follower), Err(Error::Interrupted)));
        }
        let mut left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        left.sort();
        assert_eq!(left.len(), 2, "the last two are kept: {left:?}");
        let tensors = left[1].join("tensors.safetensors");
        let bytes = std::fs::read(&tensors).unwrap();
        std::fs::write(&tensors, &bytes[..bytes.len() / 2]).unwrap();
        let mut follower = Follower::default();
        let fitted = run("at", &settings(6), folder.path(), &mut follower).unwrap();
        assert_eq!(follower.resumed, Some((1, 17)), "the second of three: the first epoch was done");
        assert_eq!(fitted.weights, expected.weights);
    }

    #[test]
    fn a_collapse_is_told_once_when_it_happens() {
        let epochs = |robust: &[f64]| -> Vec<Epoch> {
            let of = |(epoch, &robust)| Epoch {
                epoch,
                loss: 0.0,
                ce: 0.0,
                kl: 0.0,
                validation_auroc: 0.5,
                robust_accuracy: Some(robust),
            };
            (1..).zip(robust).map(of).collect()
        };
        assert!(!collapsed(&epochs(&[])));
        assert!(!collapsed(&epochs(&[0.6, 0.5, 0.31])));
        assert!(collapsed(&epochs(&[0.6, 0.5, 0.29])));
        assert!(!collapsed(&epochs(&[0.6, 0.29, 0.1])), "it was told before");
        assert!(collapsed(&epochs(&[0.6, 0.2, 0.5, 0.1])), "it had recovered");
    }

    #[test]
    fn methods_that_attack_are_watched_and_the_others_are_not() {
        for (name, watched) in [("nt", false), ("sg", false), ("at", true), ("sga", true)] {
            let fitted = straight(name, &settings(0));
            for epoch in &fitted.epochs {
                assert_eq!(epoch.robust_accuracy.is_some(), watched, "{name}");
                assert!(epoch.robust_accuracy.is_none_or(|share| (0.0..=1.0).contains(&share)));
            }
        }
    }

    #[test]
    fn a_loss_that_is_no_number_stops_the_run_or_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let wild = Settings { rate: 1e30, schedule: Schedule::Constant, ..settings(0) };
        let error = run("nt", &wild, folder.path(), &mut Follower::default()).unwrap_err();
        let Error::Diverged { epoch: 1, step: 2, images, .. } = &error else { panic!("{error}") };
        assert_eq!(images.len(), 8);
        let order = shuffled(17, 0, 1);
        assert_eq!(images[0], order[8] as usize, "the second minibatch");
        assert!(error.to_string().contains("on_nan=skip"), "{error}");
        let skipping = Settings { on_nan: OnNan::Skip, ..wild };
        let error = run("nt", &skipping, folder.path(), &mut Follower::default()).unwrap_err();
        assert!(
            matches!(error, Error::Lost { epoch: 1 }),
            "weights that are no numbers predict none: {error}"
        );
    }
}

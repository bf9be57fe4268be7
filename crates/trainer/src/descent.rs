//! The minibatches of an epoch.

use std::time::{Duration, Instant};

use method::TrainingMethod;
use nn::{Draws, Network, Rows, Sgd, World, moved, stream};
use tch::Tensor;

use crate::{
    Checkpoints, Data, Error, OnNan, Settings, Watch, minibatches, recorder::Recorder, source::Order,
    state::State,
};

/// Time between two readings of the loss: reading waits for the device.
const READING: Duration = Duration::from_secs(1);

/// What an epoch needs.
pub(crate) struct Descent<'a> {
    pub(crate) network: &'a Network,
    pub(crate) method: &'a dyn TrainingMethod,
    pub(crate) data: &'a Data<'a>,
    pub(crate) settings: &'a Settings,
    pub(crate) checkpoints: &'a Checkpoints,
    pub(crate) sgd: &'a mut Sgd,
    pub(crate) recorder: &'a mut Option<Recorder>,
    pub(crate) steps: u64,
    pub(crate) saved: &'a mut Instant,
}

impl Descent<'_> {
    /// The minibatches of an epoch that are not done yet.
    pub(crate) fn epoch(&mut self, state: &mut State, watch: &mut dyn Watch) -> Result<(), Error> {
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
                self.minibatch(state, &x, &y, (epoch, step), rows)
            })??;
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
        state.save(self.checkpoints, self.network, self.sgd)?;
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
    ) -> Result<(), nn::Error> {
        let (network, method, settings) = (self.network, self.method, self.settings);
        let world = network.world();
        world.passes(rows);
        let rate = settings.schedule.rate(
            settings.rate,
            (epoch - 1) * self.steps + step,
            settings.epochs * self.steps,
        );
        self.sgd.set_rate(rate);
        let (share, ends) = self.part(step, rows.of);
        let mut skipped = false;
        let before = (settings.on_nan == OnNan::Skip).then(|| network.statistics());
        let mut train = |x: &Tensor, y: &Tensor, draws: &Draws| {
            let losses = method.minibatch(network, x, y, draws, &mut |loss, inputs| {
                let loss = world.weighed(loss);
                if settings.on_nan == OnNan::Skip && !joint(world, &loss).double_value(&[]).is_finite() {
                    skipped = true;
                    return inputs.iter().map(|input| input.zeros_like()).collect();
                }
                let of_inputs = self.sgd.gather(&loss, inputs, share);
                if ends {
                    self.sgd.step();
                }
                of_inputs
            });
            if skipped && ends {
                self.sgd.step(); // of the minibatches before it
            }
            tch::no_grad(|| {
                let row = Tensor::stack(&[losses.total.detach(), losses.ce, losses.kl], 0);
                world.weighed(&row)
            })
        };
        let row = match self.recorder {
            Some(recorder) => recorder.step((x, y), (settings.seed, epoch, step), train)?,
            None => train(x, y, &Draws::new(settings.seed, epoch, step).of(rows)),
        };
        if let Some(before) = before.filter(|_| skipped) {
            network.restore_statistics(&before); // the forward pass has moved them
        }
        state.position.skipped += u64::from(skipped);
        tch::no_grad(|| {
            let row = joint(world, &row);
            state.losses.get(step as i64).copy_(&if skipped { row * f64::NAN } else { row });
        });
        Ok(())
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

/// The sum over all ranks.
fn joint(world: World, part: &Tensor) -> Tensor {
    if world.size() == 1 {
        return part.shallow_clone();
    }
    let sum = part.detach().copy();
    world.sum(&sum);
    sum
}

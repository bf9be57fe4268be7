//! Epochs and minibatches.

use std::{path::Path, time::Instant};

use method::TrainingMethod;
use nn::{Augmentation, Draws, Images, ResNet18, predict, shuffled, stream};
use serde::Serialize;
use tch::{Tensor, nn::OptimizerConfig};

use crate::Schedule;

/// How a network is fitted.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Passes over the training images.
    pub epochs: u64,
    /// Images per minibatch.
    pub batch: usize,
    /// The largest learning rate.
    pub rate: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// SGD's momentum.
    pub momentum: f64,
    /// SGD's weight decay, on every weight.
    pub weight_decay: f64,
    /// Random changes of training images.
    pub augmentation: Augmentation,
    /// Seed of everything random: order, changes, masks, ε.
    pub seed: u64,
}

/// What a network is fitted on and chosen by.
pub struct Data<'a> {
    /// Weights are fitted on these.
    pub train: &'a Images,
    /// The epoch is chosen on these; never on test images.
    pub validation: &'a Images,
    /// Which of the validation images are of class 1.
    pub positive: &'a [bool],
}

/// One epoch's figures, each the mean over its minibatches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Epoch {
    /// Number of the epoch, from 1.
    pub epoch: u64,
    /// The loss.
    pub loss: f64,
    /// Cross-entropy on clean images.
    pub ce: f64,
    /// Divergence between clean and changed images, before its weight.
    pub kl: f64,
    /// AUROC on the validation images after the epoch.
    pub validation_auroc: f64,
}

/// A finished run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fitted {
    /// The epoch with the largest validation AUROC, the earlier of equals; its weights are the checkpoint.
    pub best: Epoch,
    /// Every epoch.
    pub epochs: Vec<Epoch>,
}

/// Who follows a run.
pub trait Watch {
    /// A minibatch is done: its number of images, and now and then the mean loss of the epoch so far.
    fn minibatch(&mut self, images: usize, loss: Option<f64>);
    /// An epoch is done; `best` says whether it is the best so far.
    fn epoch(&mut self, epoch: &Epoch, images_per_second: f64, best: bool);
}

/// A run that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// libtorch refused, or the checkpoint cannot be written.
    #[error(transparent)]
    Network(#[from] nn::Error),
    /// The validation images do not allow an AUROC: one class only.
    #[error("validation: {0}")]
    Validation(#[from] metrics::Error),
    /// The loss is no number any more.
    #[error("the loss is {loss} in epoch {epoch}: training diverged; use a smaller learning rate (lr)")]
    Diverged {
        /// The epoch, from 1.
        epoch: u64,
        /// The loss.
        loss: f64,
    },
}

/// Minibatches between two readings of the loss: reading it waits for the device.
const READING: u64 = 8;

/// Fits `model` by `method` and writes the weights of the best epoch to `checkpoint`.
pub fn fit(
    model: &ResNet18,
    method: &dyn TrainingMethod,
    data: &Data<'_>,
    settings: &Settings,
    checkpoint: &Path,
    watch: &mut dyn Watch,
) -> Result<Fitted, Error> {
    let sgd = tch::nn::sgd(settings.momentum, 0.0, settings.weight_decay, false);
    let mut optimiser = sgd.build(model.variables(), settings.rate).map_err(nn::Error::from)?;
    let mut epochs: Vec<Epoch> = Vec::new();
    let mut best: Option<Epoch> = None;
    let steps_per_epoch = minibatches(&shuffled(data.train.len(), 0, 0), settings.batch).count() as u64;
    for epoch in 1..=settings.epochs {
        let started = Instant::now();
        let order = shuffled(data.train.len(), settings.seed, epoch);
        let mut mean = Mean::default();
        for (step, indices) in minibatches(&order, settings.batch).enumerate() {
            let step = step as u64;
            let done = (epoch - 1) * steps_per_epoch + step;
            optimiser.set_lr(settings.schedule.rate(settings.rate, done, settings.epochs * steps_per_epoch));
            let losses = nn::guarded(|| {
                let (x, y) = data.train.batch(indices);
                let x = settings.augmentation.apply(&x, &mut stream(settings.seed, "augment", epoch, step));
                let draws = Draws::new(settings.seed, epoch, step);
                let losses =
                    method.minibatch(model, &x, &y, &draws, &mut |loss| optimiser.backward_step(loss));
                Tensor::stack(&[losses.total.detach(), losses.ce, losses.kl], 0)
            })?;
            mean.add(&losses, indices.len());
            watch.minibatch(indices.len(), step.is_multiple_of(READING).then(|| mean.read()[0]));
        }
        let [loss, ce, kl] = mean.read();
        if !loss.is_finite() {
            return Err(Error::Diverged { epoch, loss });
        }
        let images_per_second = data.train.len() as f64 / started.elapsed().as_secs_f64();
        let validation_auroc =
            metrics::auroc(&scores(model, data.validation, settings.batch)?, data.positive)?;
        let figures = Epoch { epoch, loss, ce, kl, validation_auroc };
        let better = best.is_none_or(|best| validation_auroc > best.validation_auroc);
        if better {
            model.save(checkpoint)?;
            best = Some(figures);
        }
        watch.epoch(&figures, images_per_second, better);
        epochs.push(figures);
    }
    let best = best.expect("there is at least one epoch");
    Ok(Fitted { best, epochs })
}

/// The score of each image: the logit of class 1 minus that of class 0, which ranks as the probability does.
fn scores(model: &ResNet18, images: &Images, batch: usize) -> Result<Vec<f64>, nn::Error> {
    let logits = predict(model, images, batch)?;
    Ok(logits.iter().map(|[negative, covid]| f64::from(*covid) - f64::from(*negative)).collect())
}

/// The order cut into minibatches. A last one of a single image is left out: it has no batch statistics to speak of.
pub fn minibatches(order: &[i64], batch: usize) -> impl Iterator<Item = &[i64]> {
    order.chunks(batch).filter(move |chunk| chunk.len() > 1 || order.len() == 1)
}

/// A running mean over images, kept on the device.
#[derive(Default)]
struct Mean {
    sum: Option<Tensor>,
    images: usize,
}

impl Mean {
    fn add(&mut self, losses: &Tensor, images: usize) {
        let weighted = losses * images as f64;
        self.sum = Some(match self.sum.take() {
            Some(sum) => sum + weighted,
            None => weighted,
        });
        self.images += images;
    }

    fn read(&self) -> [f64; 3] {
        let images = self.images.max(1) as f64;
        [0, 1, 2].map(|part| self.sum.as_ref().map_or(f64::NAN, |sum| sum.double_value(&[part]) / images))
    }
}

#[cfg(test)]
mod tests {
    use method::method;
    use nn::{Init, Options, Precision};
    use tch::Device;

    use super::*;

    struct Silent;
    impl Watch for Silent {
        fn minibatch(&mut self, _: usize, _: Option<f64>) {}
        fn epoch(&mut self, _: &Epoch, _: f64, _: bool) {}
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
        (Images::new(&pixels, &labels, side as i64, Device::Cpu).unwrap(), positive)
    }

    fn run(name: &str, seed: u64) -> (Fitted, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let checkpoint = folder.path().join("model.safetensors");
        let options = Options { device: Device::Cpu, precision: Precision::F32, auxiliary: false, seed: 3 };
        let (model, _) = ResNet18::new(&options, &Init::Scratch).unwrap();
        let method = method(name).unwrap();
        let ((train, _), (validation, positive)) = (images(17, 32), images(8, 32));
        let settings = Settings {
            epochs: 2,
            batch: 8,
            rate: 0.01,
            schedule: Schedule::OneCycle,
            momentum: 0.9,
            weight_decay: 1e-4,
            augmentation: Augmentation::LIGHT,
            seed,
        };
        let data = Data { train: &train, validation: &validation, positive: &positive };
        let fitted =
            fit(&model, (method.build)(method.defaults).as_ref(), &data, &settings, &checkpoint, &mut Silent)
                .unwrap();
        (fitted, std::fs::read(checkpoint).unwrap())
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
        let (first, again, other) = (run("sga", 0), run("sga", 0), run("sga", 1));
        assert_eq!(first, again);
        assert_ne!(first.1, other.1);
    }

    #[test]
    fn every_method_learns_bright_from_dark() {
        for method in method::METHODS {
            let (fitted, _) = run(method.name, 0);
            assert!(fitted.best.validation_auroc > 0.9, "{}: {fitted:?}", method.name);
            assert_eq!(fitted.epochs.len(), 2);
        }
    }
}

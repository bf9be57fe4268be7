//! How a network is fitted.

use std::time::Duration;

use nn::Augmentation;

use crate::Schedule;

nn::choice! {
    "on_nan",
    /// What is done about a minibatch whose loss is no number.
    pub enum OnNan {
        /// The run ends and names the images. Found within a second or at the end of the epoch, since looking waits for
        /// the device.
        Stop = "stop",
        /// The minibatch is left out and counted. Every minibatch waits for the device.
        Skip = "skip",
    }
}

nn::choice! {
    "early_stop",
    /// What ends a run before its last epoch.
    pub enum EarlyStop {
        /// Nothing.
        None = "none",
        /// Accuracy under PGD on held-back images falls to less than half of its best: catastrophic overfitting.
        Robust = "robust",
    }
}

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
    /// What is done about a loss that is no number.
    pub on_nan: OnNan,
    /// What ends the run before its last epoch.
    pub early_stop: EarlyStop,
    /// Minibatches to a step of the optimiser, at least 1; each counts by its images.
    pub accumulate: u64,
    /// Whether a GPU records a step and then replays it, instead of being asked for each operation: the same result, sooner
    /// where the host is slower than the device. For one process that takes a step of the optimiser with every minibatch
    /// and leaves none out.
    pub recorded: bool,
    /// Longest time without a checkpoint.
    pub checkpoint_every: Duration,
}

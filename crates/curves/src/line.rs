//! What is told of a run, one line at a time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A line of `curve.jsonl`. `time` is in seconds since 1970, `images` counts those that the run has been trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Line {
    /// The run begins, or goes on from a checkpoint.
    Start {
        /// When.
        time: f64,
        /// Where it goes on: 0 at the beginning.
        images: u64,
        /// The run's name.
        name: String,
        /// Epochs in all.
        epochs: u64,
        /// Images of an epoch.
        images_per_epoch: u64,
    },
    /// The mean loss of the epoch so far, about once a second.
    Loss {
        /// When.
        time: f64,
        /// Where.
        images: u64,
        /// The loss.
        loss: f64,
    },
    /// An epoch is done.
    Epoch {
        /// When.
        time: f64,
        /// Where.
        images: u64,
        /// Number of the epoch, from 1.
        epoch: u64,
        /// Whether it is the best so far.
        best: bool,
        /// Everything measured, by name.
        #[serde(flatten)]
        figures: BTreeMap<String, f64>,
    },
    /// The run has ended.
    End {
        /// When.
        time: f64,
        /// Where.
        images: u64,
        /// How.
        outcome: Outcome,
    },
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It has trained all epochs, or stopped early as it was told to.
    Finished,
    /// Someone interrupted it; it can go on.
    Interrupted,
    /// It failed.
    Failed,
}

impl Line {
    /// The images that the run had seen.
    pub fn images(&self) -> u64 {
        match self {
            Self::Start { images, .. }
            | Self::Loss { images, .. }
            | Self::Epoch { images, .. }
            | Self::End { images, .. } => *images,
        }
    }

    /// Seconds since 1970.
    pub fn time(&self) -> f64 {
        match self {
            Self::Start { time, .. }
            | Self::Loss { time, .. }
            | Self::Epoch { time, .. }
            | Self::End { time, .. } => *time,
        }
    }
}

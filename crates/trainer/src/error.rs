//! Why a run ends early.

use std::path::PathBuf;

/// A run that ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// libtorch refused, or a file cannot be written.
    #[error(transparent)]
    Network(#[from] nn::Error),
    /// The validation images do not allow an AUROC: one class only.
    #[error("validation: {0}")]
    Validation(#[from] metrics::Error),
    /// The loss is no number any more.
    #[error(
        "the loss is {loss} in epoch {epoch}, minibatch {step}: training diverged; use a smaller learning rate (lr), or leave such minibatches out: on_nan=skip"
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: u64,
        /// The minibatch, from 1.
        step: u64,
        /// Its loss.
        loss: f64,
        /// Its images, by their place in the training set.
        images: Vec<usize>,
    },
    /// No minibatch of an epoch had a loss that is a number.
    #[error(
        "no minibatch of epoch {epoch} has a loss that is a number, so none was learned from; use a smaller learning rate (lr) or lambda"
    )]
    LeftOut {
        /// The epoch, from 1.
        epoch: u64,
    },
    /// What the network predicts is no number any more, though the loss was.
    #[error(
        "after epoch {epoch} the predictions are no numbers: training diverged; use a smaller learning rate (lr), or a batch that leaves no few images for the last minibatch"
    )]
    Lost {
        /// The epoch, from 1.
        epoch: u64,
    },
    /// A checkpoint is not what it should be.
    #[error("{}: {error}", path.display())]
    Checkpoint {
        /// Its folder.
        path: PathBuf,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// The watcher asked for it; what was done is saved.
    #[error("interrupted; what was done is saved")]
    Interrupted,
}

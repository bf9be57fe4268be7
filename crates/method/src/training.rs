//! What a training method is.

use attack::ThreatModel;
use nn::{Draws, ResNet18};
use tch::Tensor;

/// The loss of one minibatch and its parts: scalars, f32.
#[derive(Debug)]
pub struct Losses {
    /// What is minimised; the only part with a graph.
    pub total: Tensor,
    /// Cross-entropy.
    pub ce: Tensor,
    /// Divergence between the predictions for x and x′, before its weight λ; 0 where the method has none.
    pub kl: Tensor,
}

/// How a minibatch trains a network.
pub trait TrainingMethod {
    /// The loss of a minibatch: x N×1×H×W in `[0, 1]`, y N (i64). Moves the BatchNorms as training does; the parameters'
    /// gradients are not touched. Every random draw comes from `draws`.
    fn loss(&self, model: &ResNet18, x: &Tensor, y: &Tensor, draws: &Draws) -> Losses;

    /// What the method trains against, and the largest ε; `None` where it attacks nothing.
    fn threat(&self) -> Option<(ThreatModel, f64)> {
        None
    }

    /// Trains on one minibatch. `update` clears the gradients, runs backward and takes one optimiser step; a method that
    /// replays a minibatch calls it several times.
    fn minibatch(
        &self,
        model: &ResNet18,
        x: &Tensor,
        y: &Tensor,
        draws: &Draws,
        update: &mut dyn FnMut(&Tensor),
    ) -> Losses {
        let losses = self.loss(model, x, y, draws);
        update(&losses.total);
        losses
    }
}

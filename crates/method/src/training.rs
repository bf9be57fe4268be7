//! What a training method is.

use attack::ThreatModel;
use nn::{Draws, Network};
use tch::Tensor;

/// The loss of one minibatch and its parts: scalars, f32.
#[derive(Debug)]
pub struct Losses {
    /// What is minimised; the only part with a graph.
    pub total: Tensor,
    /// The task's own loss, cross-entropy of classes and findings: of x, or of x′ where the method sees x′ alone.
    pub ce: Tensor,
    /// Divergence between the predictions for x and x′, before its weight λ; 0 where the method has none.
    pub kl: Tensor,
}

impl Losses {
    /// Those of a method that minimises this cross-entropy alone.
    pub fn cross_entropy(ce: Tensor) -> Self {
        Self { kl: ce.detach().zeros_like(), ce: ce.detach(), total: ce }
    }
}

/// Clears the gradients, goes backward from a scalar and takes one step of the optimiser; gives the gradients of these
/// inputs, which the same way back makes.
pub type Update<'a> = dyn FnMut(&Tensor, &[&Tensor]) -> Vec<Tensor> + 'a;

/// How a minibatch trains a network.
pub trait TrainingMethod {
    /// The loss of a minibatch: x N×1×H×W in `[0, 1]`, y the truth as the task has it. Moves the BatchNorms
    /// as training does; the parameters' gradients are not touched. Every random draw comes from `draws`.
    fn loss(&self, model: &Network, x: &Tensor, y: &Tensor, draws: &Draws) -> Losses;

    /// What the method trains against, and the largest ε; `None` where it attacks nothing.
    fn threat(&self) -> Option<(ThreatModel, f64)> {
        None
    }

    /// Trains on one minibatch. A method that replays a minibatch calls `update` several times.
    fn minibatch(
        &self,
        model: &Network,
        x: &Tensor,
        y: &Tensor,
        draws: &Draws,
        update: &mut Update<'_>,
    ) -> Losses {
        let losses = self.loss(model, x, y, draws);
        update(&losses.total, &[]);
        losses
    }
}

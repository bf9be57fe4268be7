//! Methods that differ from the paper's in how x′ is made.

use attack::ThreatModel;
use nn::{Draws, Frozen, Network};
use tch::Tensor;

use crate::{Losses, Objective, TrainingMethod};

/// The paper's loss, CE(f(x), y) + λ · KL(f(x) ‖ f(x′)), with another x′.
pub(crate) struct Agreement {
    pub(crate) objective: Objective,
    /// x′, detached, from the network to make it on, x, y and the draws.
    pub(crate) other: fn(&Objective, &Frozen<'_>, &Tensor, &Tensor, &Draws) -> Tensor,
}

impl TrainingMethod for Agreement {
    fn threat(&self) -> Option<(ThreatModel, f64)> {
        self.objective.threat()
    }

    fn loss(&self, model: &Network, x: &Tensor, y: &Tensor, draws: &Draws) -> Losses {
        let other = |network: &Frozen<'_>| (self.other)(&self.objective, network, x, y, draws);
        self.objective.loss_with(model, x, y, other)
    }
}

//! Methods that see attacked images alone.

use attack::ThreatModel;
use nn::{Draws, Network, Pass};
use tch::Tensor;

use crate::{Losses, Objective, Task, TrainingMethod};

/// CE(f(x′), y) of the objective's x′. The network never sees x, so BatchNorm keeps the statistics of x′, and there is no
/// divergence: λ and `bn_stats` mean nothing.
pub(crate) struct Alone(pub(crate) Objective);

impl Alone {
    /// Cross-entropy as training goes, the BatchNorms moved.
    pub(crate) fn loss_of(task: Task, model: &Network, attacked: &Tensor, y: &Tensor) -> Losses {
        Losses::cross_entropy(task.loss(&model.forward(attacked, Pass::Train), y, model.world()))
    }
}

impl TrainingMethod for Alone {
    fn threat(&self) -> Option<(ThreatModel, f64)> {
        let largest = self.0.epsilon.largest();
        (largest > 0.0).then_some((self.0.threat, largest))
    }

    fn loss(&self, model: &Network, x: &Tensor, y: &Tensor, draws: &Draws) -> Losses {
        let attacked = {
            let network = self.0.generator(model);
            self.0.attacked(&network, &self.0.masked(&network, x, y, draws), y, draws)
        };
        Self::loss_of(self.0.task, model, &attacked, y)
    }
}

//! Free adversarial training.

use attack::{Ascent, Start, ThreatModel};
use nn::{Draws, Network};
use tch::Tensor;

use crate::{Losses, Method, Objective, TrainingMethod, Update, alone::Alone, methods::madry::MADRY};

/// Every minibatch is replayed m = `steps` times; one way back serves the step of the weights and that of the attack, of
/// length ε (Shafahi et al. 2019, algorithm 1). The perturbation starts anew with each minibatch, where theirs goes on
/// with the one of other images (ours: a run that was interrupted then needs no more than weights to go on).
pub(crate) const FREE: Method = Method {
    name: "free",
    meaning: "replays each minibatch steps times, weights and attack moving together (Shafahi et al. 2019)",
    ignores: &["lambda", "bn_stats"],
    defaults: Objective {
        threat: ThreatModel { init: Start::Uniform, step_size: Some(1.0), ..ThreatModel::pgd(4) },
        ..MADRY.defaults
    },
    build: |objective| Box::new(Free(objective)),
};

struct Free(Objective);

impl Free {
    /// What the attack starts from, around which its ball lies.
    fn centre(&self, model: &Network, x: &Tensor, y: &Tensor, draws: &Draws) -> Tensor {
        match self.0.k {
            0.0 => x.detach(),
            _ => self.0.masked(&self.0.generator(model), x, y, draws),
        }
    }
}

impl TrainingMethod for Free {
    fn threat(&self) -> Option<(ThreatModel, f64)> {
        Alone(self.0).threat()
    }

    /// The loss of the first replay.
    fn loss(&self, model: &Network, x: &Tensor, y: &Tensor, draws: &Draws) -> Losses {
        let centre = self.centre(model, x, y, draws);
        let start = Ascent::new(self.0.threat, &centre, self.0.epsilon, draws).images();
        Alone::loss_of(self.0.task, model, &start, y)
    }

    /// The losses are those of the last replay.
    fn minibatch(
        &self,
        model: &Network,
        x: &Tensor,
        y: &Tensor,
        draws: &Draws,
        update: &mut Update<'_>,
    ) -> Losses {
        let centre = self.centre(model, x, y, draws);
        let mut ascent = Ascent::new(self.0.threat, &centre, self.0.epsilon, draws);
        let mut replay = || {
            let attacked = ascent.images().detach().set_requires_grad(true);
            let losses = Alone::loss_of(self.0.task, model, &attacked, y);
            let slope = update(&losses.total, &[&attacked]).remove(0);
            ascent.climb(&slope);
            losses
        };
        for _ in 1..self.0.threat.steps {
            replay();
        }
        replay()
    }
}

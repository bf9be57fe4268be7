//! The one objective behind nt, at, sg and sga (Li et al. 2022, equation 4).

use attack::{Epsilon, ThreatModel};
use nn::{Draws, Frozen, Network, Pass, Statistics, choice};
use saliency::SaliencyOf;
use tch::Tensor;

use crate::{Losses, Task, TrainingMethod, mask};

choice! {
    "bn_stats",
    /// Which BatchNorm statistics the pass of x′ moves.
    pub enum BnStats {
        /// None: the running statistics are those of clean images.
        Clean = "clean",
        /// The same as the pass of x.
        Both = "both",
        /// Those of a second set of BatchNorms that only x′ passes through (as in AdvProp, Xie et al. 2020, where they also make x′).
        Auxiliary = "auxiliary",
    }
}

choice! {
    "generate_mode",
    /// The statistics that BatchNorm uses while x′ is made; none move.
    pub enum GenerateMode {
        /// The running ones.
        Eval = "eval",
        /// The batch's.
        Train = "train",
    }
}

/// L(x, y) = CE(f(x), y) + λ · KL(f(x) ‖ f(x′)), where x′ is x masked (k), then attacked (ε); CE and KL are the task's.
///
/// KL is the batch's mean, and its gradient goes through both predictions. λ = 0 makes no x′ at all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// What the network is asked.
    pub task: Task,
    /// Fraction of the pixels that the mask replaces, in `[0, 1)`.
    pub k: f64,
    /// λ, the weight of the divergence.
    pub lambda: f64,
    /// Bound of the attack; one value per minibatch.
    pub epsilon: Epsilon,
    /// The attack.
    pub threat: ThreatModel,
    /// Which BatchNorm statistics the pass of x′ moves.
    pub bn_stats: BnStats,
    /// The statistics that BatchNorm uses while x′ is made.
    pub generate_mode: GenerateMode,
    /// The number whose gradient ranks the pixels.
    pub saliency_of: SaliencyOf,
}

/// Parameters out of range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Invalid {
    /// k is no fraction.
    #[error("k={0}: a fraction of the pixels, from 0 up to, not including, 1")]
    K(f64),
    /// λ is negative or no number.
    #[error("lambda={0}: a weight that is not negative")]
    Lambda(f64),
    /// The attack means nothing.
    #[error(transparent)]
    Threat(#[from] attack::Invalid),
}

impl Objective {
    /// The paper's settings, and ours where the paper is silent.
    pub const SGA: Self = Self {
        task: Task::Classes,
        k: 0.1,
        lambda: 1.0,
        epsilon: Epsilon::PAPER,
        threat: ThreatModel::FGSM,
        bn_stats: BnStats::Clean,
        generate_mode: GenerateMode::Eval,
        saliency_of: SaliencyOf::TrueLogit,
    };

    /// The same objective, if its parameters are in range.
    pub fn check(self) -> Result<Self, Invalid> {
        if !(0.0..1.0).contains(&self.k) {
            return Err(Invalid::K(self.k));
        }
        if !(0.0..f64::INFINITY).contains(&self.lambda) {
            return Err(Invalid::Lambda(self.lambda));
        }
        self.threat.check()?;
        Ok(self)
    }

    /// The network that masks and attacks are made on.
    pub fn generator<'a>(&self, model: &'a Network) -> Frozen<'a> {
        model.frozen(match self.generate_mode {
            GenerateMode::Eval => Statistics::Running,
            GenerateMode::Train => Statistics::Batch,
        })
    }

    /// x̃: x without its least salient pixels, detached. Draws `"mask"`.
    pub fn masked(&self, network: &Frozen<'_>, x: &Tensor, y: &Tensor, draws: &Draws) -> Tensor {
        self.masked_by(x, draws, || self.saliency(network, x, y))
    }

    /// The signed gradient that ranks the pixels: x N×1×H×W → N×1×H×W, detached.
    pub fn saliency(&self, network: &Frozen<'_>, x: &Tensor, y: &Tensor) -> Tensor {
        network.input_gradient(x, |output| self.task.salient(output, y, self.saliency_of))
    }

    /// x without the pixels of least `rank` (N×1×H×W), detached; without a mask nobody asks for ranks. Draws `"mask"`.
    pub fn masked_by(&self, x: &Tensor, draws: &Draws, rank: impl FnOnce() -> Tensor) -> Tensor {
        if self.k == 0.0 {
            return x.detach();
        }
        mask(&x.detach(), &rank(), self.k, &draws.uniform("mask", &x.size(), x.device()))
    }

    /// x′: `masked`, attacked, detached. Draws what the attack draws.
    pub fn attacked(&self, network: &Frozen<'_>, masked: &Tensor, y: &Tensor, draws: &Draws) -> Tensor {
        let world = network.joint();
        let loss = |output: &Tensor| world.weighed(&self.task.loss(output, y, world));
        let gradient = |x: &Tensor| network.input_gradient(x, loss);
        self.threat.perturb(gradient, masked, self.epsilon, draws)
    }

    /// L(x, y) with the x′ that `other` makes on the network it is given; λ = 0 makes none.
    pub fn loss_with(
        &self,
        model: &Network,
        x: &Tensor,
        y: &Tensor,
        other: impl FnOnce(&Frozen<'_>) -> Tensor,
    ) -> Losses {
        let other = (self.lambda > 0.0).then(|| other(&self.generator(model)));
        self.loss_against(model, x, y, other.as_ref())
    }

    /// L(x, y) with this x′, or CE alone without one. Moves the BatchNorms as training does.
    pub fn loss_against(&self, model: &Network, x: &Tensor, y: &Tensor, attacked: Option<&Tensor>) -> Losses {
        let output = model.forward(x, Pass::Train);
        let ce = self.task.loss(&output, y, model.world());
        let Some(attacked) = attacked else {
            return Losses::cross_entropy(ce);
        };
        let pass = match self.bn_stats {
            BnStats::Clean => Pass::TrainFrozen,
            BnStats::Both => Pass::Train,
            BnStats::Auxiliary => Pass::Auxiliary,
        };
        let kl = self.task.divergence(&output, &model.forward(attacked, pass));
        Losses { total: &ce + &kl * self.lambda, ce: ce.detach(), kl: kl.detach() }
    }
}

impl TrainingMethod for Objective {
    fn threat(&self) -> Option<(ThreatModel, f64)> {
        let largest = self.epsilon.largest();
        (self.lambda > 0.0 && largest > 0.0).then_some((self.threat, largest))
    }

    fn loss(&self, model: &Network, x: &Tensor, y: &Tensor, draws: &Draws) -> Losses {
        self.loss_with(model, x, y, |network| {
            self.attacked(network, &self.masked(network, x, y, draws), y, draws)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{BnStats, Objective};

    #[test]
    fn parameters_out_of_range_are_told() {
        let check = |objective: Objective| objective.check().unwrap_err().to_string();
        assert!(check(Objective { k: 1.0, ..Objective::SGA }).starts_with("k=1:"));
        assert!(check(Objective { k: f64::NAN, ..Objective::SGA }).starts_with("k=NaN:"));
        assert!(check(Objective { lambda: -1.0, ..Objective::SGA }).starts_with("lambda=-1:"));
        let threat = attack::ThreatModel::pgd(0);
        assert!(check(Objective { threat, ..Objective::SGA }).contains("at least one step"));
        assert_eq!("auxiliary".parse(), Ok(BnStats::Auxiliary));
    }
}

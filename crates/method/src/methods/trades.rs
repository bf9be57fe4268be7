//! TRADES.

use attack::ThreatModel;
use nn::{Draws, Frozen};
use tch::Tensor;

use crate::{Method, Objective, agreement::Agreement};

/// How far from the image the divergence's slope is read: at the image itself it is 0 (Zhang et al. start there).
const BESIDE: f64 = 0.001;

/// The attack raises the divergence that the loss holds down, not the cross-entropy (Zhang et al. 2019, equation 5). λ = 6
/// and ten steps are theirs.
pub(crate) const TRADES: Method = Method {
    name: "trades",
    meaning: "as at, where the attack raises the divergence itself, 10 steps, lambda 6 (Zhang et al. 2019)",
    ignores: &[],
    defaults: Objective { k: 0.0, lambda: 6.0, threat: ThreatModel::pgd(10), ..Objective::SGA },
    build: |objective| Box::new(Agreement { objective, other }),
};

fn other(objective: &Objective, network: &Frozen<'_>, x: &Tensor, y: &Tensor, draws: &Draws) -> Tensor {
    let x = objective.masked(network, x, y, draws);
    let prediction = network.logits(&x);
    let noise = draws.uniform("beside", &x.size(), x.device()).to_kind(x.kind());
    let beside = (noise * 2.0 - 1.0) * BESIDE;
    let divergence =
        |output: &Tensor| network.joint().weighed(&objective.task.divergence(&prediction, output));
    let gradient = |x: &Tensor| network.input_gradient(&(x + &beside), divergence);
    objective.threat.perturb(gradient, &x, objective.epsilon, draws)
}

//! Whether a network withstands more steps than it was trained against.

use attack::ThreatModel;
use nn::{Draws, Frozen, World};
use tch::Tensor;

use crate::Task;

/// Steps of the attack.
const STEPS: u32 = 10;

/// The share of answers that the network still gets right under ten steps of PGD with this threat model's norm
/// and unit, within this ε: x N×1×H×W in `[0, 1]`, y N; in `[0, 1]`. A random start is drawn.
///
/// Training against a single step can teach a network that step alone: this share then falls within an epoch, while
/// accuracy under the single step stays (catastrophic overfitting, Wong et al. 2020).
pub fn robust_accuracy(
    task: Task,
    network: &Frozen<'_>,
    x: &Tensor,
    y: &Tensor,
    (threat, epsilon): (ThreatModel, f64),
    draws: &Draws,
) -> f64 {
    let attack = ThreatModel { steps: STEPS, step_size: None, ..threat };
    let gradient = |x: &Tensor| network.input_gradient(x, |output| task.loss(output, y, World::ALONE));
    let attacked = attack.perturb(gradient, x, epsilon.into(), draws);
    task.accuracy(&network.logits(&attacked), y)
}

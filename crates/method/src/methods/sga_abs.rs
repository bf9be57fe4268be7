//! A control: does the sign of the saliency matter?

use nn::{Draws, Frozen};
use tch::Tensor;

use crate::{Method, Objective, agreement::Agreement};

/// `sga`, its pixels ranked by |g|, which the paper argues against.
pub(crate) const SGA_ABS: Method = Method {
    name: "sga-abs",
    meaning: "control: sga, ranking pixels by the size of the gradient without its sign",
    ignores: &[],
    defaults: Objective::SGA,
    build: |objective| Box::new(Agreement { objective, other }),
};

fn other(objective: &Objective, network: &Frozen<'_>, x: &Tensor, y: &Tensor, draws: &Draws) -> Tensor {
    let size = || objective.saliency(network, x, y).abs();
    objective.attacked(network, &objective.masked_by(x, draws, size), y, draws)
}

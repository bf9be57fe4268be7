//! A control: does it matter which pixels are masked?

use nn::{Draws, Frozen};
use tch::Tensor;

use crate::{Method, Objective, agreement::Agreement};

/// `sga`, its mask of random pixels, as many.
pub(crate) const SGA_RANDOM_MASK: Method = Method {
    name: "sga-random-mask",
    meaning: "control: sga, masking as many random pixels",
    ignores: &["saliency_of"],
    defaults: Objective::SGA,
    build: |objective| Box::new(Agreement { objective, other }),
};

fn other(objective: &Objective, network: &Frozen<'_>, x: &Tensor, y: &Tensor, draws: &Draws) -> Tensor {
    let masked = objective.masked_by(x, draws, || draws.uniform("masked pixels", &x.size(), x.device()));
    objective.attacked(network, &masked, y, draws)
}

//! A control: does the order of mask and attack matter?

use nn::{Draws, Frozen};
use tch::Tensor;

use crate::{Method, Objective, agreement::Agreement};

/// `sga` the other way round: attacked first, then without the pixels that are least salient in the attacked image.
pub(crate) const ASGT: Method = Method {
    name: "asgt",
    meaning: "control: sga the other way round, attacked first, then masked",
    ignores: &[],
    defaults: Objective::SGA,
    build: |objective| Box::new(Agreement { objective, other }),
};

fn other(objective: &Objective, network: &Frozen<'_>, x: &Tensor, y: &Tensor, draws: &Draws) -> Tensor {
    let attacked = objective.attacked(network, &x.detach(), y, draws);
    objective.masked(network, &attacked, y, draws)
}

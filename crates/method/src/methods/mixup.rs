//! mixup.

use nn::{Draws, Network, Pass};
use tch::Tensor;

use crate::{Losses, Method, Task, TrainingMethod, methods::nt::NT};

/// Every image is blended with another one of its minibatch, and so are their labels (Zhang et al. 2018, equation 2). The
/// weight of the blend is uniform in `[0, 1)`, their α = 1, and one for the minibatch, as in their code.
pub(crate) const MIXUP: Method = Method {
    name: "mixup",
    meaning: "blends pairs of images and of their labels (Zhang et al. 2018)",
    ignores: &[
        "k",
        "lambda",
        "eps",
        "steps",
        "start",
        "norm",
        "eps_space",
        "step_size",
        "bn_stats",
        "generate_mode",
        "saliency_of",
    ],
    defaults: NT.defaults,
    build: |objective| Box::new(Mixup(objective.task)),
};

struct Mixup(Task);

impl TrainingMethod for Mixup {
    fn loss(&self, model: &Network, x: &Tensor, y: &Tensor, draws: &Draws) -> Losses {
        let world = model.world();
        let [all_x, all_y] = [x, y].map(|part| world.whole(part));
        let order = world.whole(&draws.uniform("partner", &[y.size()[0]], y.device()));
        let partner = world.own(&order.argsort(0, false));
        let weight = draws.number("mixup", x.device());
        let rest: Tensor = 1.0 - &weight;
        let blend = x * &weight + all_x.index_select(0, &partner) * &rest;
        let logits = model.forward(&blend, Pass::Train);
        let [of_own, of_partner] =
            [y.shallow_clone(), all_y.index_select(0, &partner)].map(|y| self.0.loss(&logits, &y, world));
        Losses::cross_entropy(of_own * weight + of_partner * rest)
    }
}

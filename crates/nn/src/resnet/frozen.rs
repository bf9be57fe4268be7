//! A network whose weights stay, for those who ask what its input does.

use tch::Tensor;

use super::{Folded, Pass, ResNet};

/// A network for passes that give logits and the gradient of the input, and none of a weight. Nothing in it moves.
#[derive(Debug)]
pub enum Frozen<'a> {
    /// BatchNorm reads the running statistics.
    Folded(Folded),
    /// BatchNorm reads the batch's.
    Batch(&'a ResNet),
}

/// The statistics that BatchNorm reads in a [`Frozen`] network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistics {
    /// The running ones.
    Running,
    /// The batch's.
    Batch,
}

impl ResNet {
    /// The network for passes that move nothing.
    pub fn frozen(&self, statistics: Statistics) -> Frozen<'_> {
        match statistics {
            Statistics::Running => Frozen::Folded(self.folded()),
            Statistics::Batch => Frozen::Batch(self),
        }
    }
}

impl Frozen<'_> {
    /// The logits of images in `[0, 1]`: N×1×H×W → N×2, detached.
    pub fn logits(&self, x: &Tensor) -> Tensor {
        match self {
            Self::Folded(network) => network.logits(x),
            Self::Batch(network) => tch::no_grad(|| network.forward(x, Pass::TrainFrozen)),
        }
    }

    /// ∂/∂x of a scalar `of` the logits: x N×1×H×W in `[0, 1]` → N×1×H×W, detached.
    pub fn input_gradient(&self, x: &Tensor, of: impl Fn(&Tensor) -> Tensor) -> Tensor {
        match self {
            Self::Folded(network) => network.input_gradient(x, of),
            Self::Batch(network) => tch::with_grad(|| {
                let x = x.detach().set_requires_grad(true);
                let scalar = of(&network.forward(&x, Pass::TrainFrozen));
                Tensor::run_backward(&[scalar], &[&x], false, false).remove(0)
            }),
        }
    }
}

//! A network whose weights stay, for those who ask what its input does.

use tch::Tensor;

use super::{Body, Network, Pass, head::Head};
use crate::{Folded, World};

/// A network for passes that give its output and the gradient of the input, and none of a weight. Nothing in it moves.
#[derive(Debug)]
pub enum Frozen<'a> {
    /// BatchNorm reads the running statistics, in the convolutions that took it up.
    Folded(Folded),
    /// The network as it is trained, and which statistics it reads.
    Plain(&'a Network, Statistics),
}

/// The statistics that BatchNorm reads in a [`Frozen`] network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistics {
    /// The running ones.
    Running,
    /// The batch's.
    Batch,
}

impl Statistics {
    /// The pass that reads them and moves none.
    fn pass(self) -> Pass {
        match self {
            Self::Running => Pass::Eval,
            Self::Batch => Pass::TrainFrozen,
        }
    }
}

impl Network {
    /// The network for passes that move nothing.
    pub fn frozen(&self, statistics: Statistics) -> Frozen<'_> {
        match (statistics, &self.body, &self.head) {
            (Statistics::Running, Body::ResNet(resnet), Head::Classes(linear)) => {
                Frozen::Folded(resnet.folded(linear, self.precision))
            }
            _ => Frozen::Plain(self, statistics),
        }
    }
}

impl Frozen<'_> {
    /// The output for images in `[0, 1]`, as of [`Network::forward`], detached.
    pub fn logits(&self, x: &Tensor) -> Tensor {
        match self {
            Self::Folded(network) => network.logits(x),
            Self::Plain(network, statistics) => tch::no_grad(|| network.forward(x, statistics.pass())),
        }
    }

    /// The processes whose images are one batch in it: through the batch's statistics each image changes what the network
    /// says of the others.
    pub fn joint(&self) -> World {
        match self {
            Self::Plain(network, Statistics::Batch) => network.joint,
            _ => World::ALONE,
        }
    }

    /// ∂/∂x of a scalar `of` the output: x N×1×H×W in `[0, 1]` → N×1×H×W, detached.
    pub fn input_gradient(&self, x: &Tensor, of: impl Fn(&Tensor) -> Tensor) -> Tensor {
        match self {
            Self::Folded(network) => network.input_gradient(x, of),
            Self::Plain(network, statistics) => tch::with_grad(|| {
                let x = x.detach().set_requires_grad(true);
                let scalar = of(&network.forward(&x, statistics.pass()));
                Tensor::run_backward(&[scalar], &[&x], false, false).remove(0)
            }),
        }
    }
}

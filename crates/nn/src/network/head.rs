//! What a network ends in.

use tch::{Tensor, nn::Path};

use super::{DetectionHead, below};

/// From feature maps to a network's output.
#[derive(Debug)]
pub(super) enum Head {
    Classes(Linear),
    Boxes(DetectionHead),
}

/// A linear layer on the mean of the last feature map.
#[derive(Debug)]
pub(crate) struct Linear {
    pub(crate) weight: Tensor,
    pub(crate) bias: Tensor,
}

impl Linear {
    pub(super) fn new(root: &Path<'_>, name: &str, classes: i64, features: i64) -> Self {
        let path = below(root, name);
        Self { weight: path.zeros("weight", &[classes, features]), bias: path.zeros("bias", &[classes]) }
    }

    /// N×C×h×w → N×K.
    pub(super) fn logits(&self, features: &Tensor) -> Tensor {
        features.adaptive_avg_pool2d([1, 1]).flatten(1, -1).linear(&self.weight, Some(&self.bias))
    }
}

impl Head {
    /// The linear layer of a network that puts images into classes; panics for one that detects.
    pub(super) fn linear(&self) -> &Linear {
        match self {
            Self::Classes(linear) => linear,
            Self::Boxes(_) => panic!("a network that detects has no classes of images"),
        }
    }
}

//! Which network.

use std::collections::BTreeSet;

use crate::choice;

choice! {
    "arch",
    /// The residual networks of He et al. 2016, with torchvision's layers and names. All fold for masks and attacks.
    pub enum Architecture {
        /// Eight blocks of two convolutions.
        ResNet18 = "resnet18",
        /// Sixteen blocks of two convolutions.
        ResNet34 = "resnet34",
        /// Sixteen bottlenecks of three convolutions.
        ResNet50 = "resnet50",
    }
}

impl Architecture {
    /// Blocks in each of the four layers.
    pub(super) fn blocks(self) -> [usize; 4] {
        match self {
            Self::ResNet18 => [2, 2, 2, 2],
            Self::ResNet34 | Self::ResNet50 => [3, 4, 6, 3],
        }
    }

    /// Whether a block squeezes its channels to a quarter between two 1×1 convolutions.
    pub(super) fn has_bottlenecks(self) -> bool {
        self == Self::ResNet50
    }

    /// The architecture of weights with these names, should they be of any.
    pub(super) fn of(names: &BTreeSet<&str>) -> Self {
        if names.contains("layer1.0.conv3.weight") {
            Self::ResNet50
        } else if names.contains("layer3.5.conv1.weight") {
            Self::ResNet34
        } else {
            Self::ResNet18
        }
    }
}

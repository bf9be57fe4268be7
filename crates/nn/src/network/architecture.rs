//! Which network: the registry of architectures.

use std::collections::BTreeSet;

use crate::{choice, densenet, efficientnet, network::Layers};

choice! {
    "arch",
    /// The networks, with torchvision's layers and names.
    pub enum Architecture {
        /// Eight blocks of two convolutions (He et al. 2016).
        ResNet18 = "resnet18",
        /// Sixteen blocks of two convolutions.
        ResNet34 = "resnet34",
        /// Sixteen bottlenecks of three convolutions.
        ResNet50 = "resnet50",
        /// Four blocks of layers that each see all before them (Huang et al. 2017).
        DenseNet121 = "densenet121",
        /// Inverted bottlenecks with squeeze and excitation (Tan & Le 2019).
        EfficientNetB0 = "efficientnet-b0",
    }
}

/// How first weights of convolutions are spread: by what goes into a value, or by what comes out of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fan {
    In,
    Out,
}

impl Architecture {
    /// Lays out the network from normalised images to the last feature map; `None` for residual networks, which have
    /// passes of their own.
    pub fn describe<L: Layers>(self, layers: &mut L, images: &L::Value) -> Option<L::Value> {
        match self {
            Self::ResNet18 | Self::ResNet34 | Self::ResNet50 => None,
            Self::DenseNet121 => Some(densenet::features(layers, images)),
            Self::EfficientNetB0 => Some(efficientnet::features(layers, images)),
        }
    }

    /// The name of the linear layer at the end, as in the keys of its weights.
    pub fn head(self) -> &'static str {
        match self {
            Self::ResNet18 | Self::ResNet34 | Self::ResNet50 => "fc",
            Self::DenseNet121 => "classifier",
            Self::EfficientNetB0 => "classifier.1",
        }
    }

    /// Whether there is a network of it that finds boxes.
    pub fn detects(self) -> bool {
        matches!(self, Self::ResNet18 | Self::ResNet34 | Self::ResNet50)
    }

    /// Whether a logit is linear around every image, so that input and biases add up to it (`FullGrad`).
    pub fn is_piecewise_linear(self) -> bool {
        self != Self::EfficientNetB0
    }

    /// The name in timm's hub of the weights that torchvision trained on ImageNet, or of the nearest there are.
    pub fn imagenet(self) -> &'static str {
        match self {
            Self::ResNet18 => "timm/resnet18.tv_in1k",
            Self::ResNet34 => "timm/resnet34.tv_in1k",
            Self::ResNet50 => "timm/resnet50.tv_in1k",
            Self::DenseNet121 => "timm/densenet121.tv_in1k",
            Self::EfficientNetB0 => "timm/efficientnet_b0.ra_in1k",
        }
    }

    /// torchvision's name of a weight that timm calls `name`.
    pub(crate) fn renamed(self, name: &str) -> String {
        match self {
            Self::EfficientNetB0 => efficientnet::renamed(name),
            _ => name.to_owned(), // timm kept torchvision's
        }
    }

    pub(crate) fn fan(self) -> Fan {
        if self == Self::DenseNet121 { Fan::In } else { Fan::Out }
    }

    /// The architecture of weights with these names, should they be of any.
    pub(super) fn of(names: &BTreeSet<&str>) -> Self {
        let telling = [
            ("features.norm5.weight", Self::DenseNet121),
            ("features.8.1.weight", Self::EfficientNetB0),
            ("layer1.0.conv3.weight", Self::ResNet50),
            ("layer3.5.conv1.weight", Self::ResNet34),
        ];
        let told = telling.iter().find(|(name, _)| names.contains(name));
        told.map_or(Self::ResNet18, |(_, architecture)| *architecture)
    }
}

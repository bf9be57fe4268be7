//! A pass laid open, for explanations.

use tch::Tensor;

use super::{BatchNorm, Body, Feed, Network};
use crate::shim;

/// One layer that adds a bias, as [`Network::forward_with_taps`] saw it.
#[derive(Debug)]
pub struct Tap {
    /// The layer's name, as in the keys of its weights.
    pub layer: String,
    /// What the layer gave: N×C×H×W, or N×K for the head; part of the graph of the logits.
    pub output: Tensor,
    /// What the layer adds to each channel, C, detached: β − γ·μ/√(σ² + ε) for a BatchNorm.
    pub bias: Tensor,
}

/// A forward pass laid open.
#[derive(Debug)]
pub struct Taps {
    /// N×K.
    pub logits: Tensor,
    /// The BatchNorm layers in the order of the pass, then the head.
    pub layers: Vec<Tap>,
    /// The last feature map: N×C×H/32×W/32, C = 512 of resnet18 and resnet34, 2048 of resnet50, 1024 of densenet121, 1280
    /// of efficientnet-b0.
    pub features: Tensor,
}

/// Who looks at the output of every BatchNorm.
pub(crate) type Tapping<'a> = &'a mut dyn FnMut(&BatchNorm, &Tensor);

impl Network {
    /// An evaluation pass from the normalised input u (N×3×H×W) that shows every BatchNorm and the head. It runs in the
    /// weights' own format, whatever the precision, for explanations that must add up. Panics where the network detects.
    pub fn forward_with_taps(&self, u: &Tensor) -> Taps {
        let mut layers = Vec::new();
        let mut tap = |layer: &BatchNorm, output: &Tensor| {
            let (layer, bias) = (layer.name().to_owned(), BatchNorm::effective(&[layer]).remove(0).1);
            layers.push(Tap { layer, output: output.shallow_clone(), bias });
        };
        let u = shim::channels_last(u).unwrap();
        let features = match &self.body {
            Body::ResNet(resnet) => resnet.features_of_normalised(&u, Feed::Running, Some(&mut tap)),
            Body::Described(described) => described.features(&u, Feed::Running, Some(&mut tap)),
        };
        let head = self.head.linear();
        let logits = head.logits(&features);
        let (output, bias) = (logits.shallow_clone(), head.bias.detach());
        layers.push(Tap { layer: self.architecture.head().to_owned(), output, bias });
        Taps { logits, layers, features }
    }
}

//! Networks that are laid out in [`Layers`]: their weights, and passes through them.

use std::collections::HashMap;

use tch::{Tensor, nn::Path};

use super::{Architecture, BatchNorm, Convolution, Feed, Layers, Tapping, below, convolution_weight};
use crate::shim;

/// The weights of a network that its architecture lays out.
#[derive(Debug)]
pub(super) struct Described {
    architecture: Architecture,
    convolutions: HashMap<String, (Tensor, Option<Tensor>)>,
    layers: HashMap<String, BatchNorm>,
}

impl Described {
    /// The weights under `root`, and the channels of the last feature map; `None` where the architecture is not laid out.
    pub(super) fn new(root: &Path<'_>, architecture: Architecture, auxiliary: bool) -> Option<(Self, i64)> {
        let empty = Self { architecture, convolutions: HashMap::new(), layers: HashMap::new() };
        let mut making = Making { root, auxiliary, made: empty };
        let features = architecture.describe(&mut making, &3)?;
        Some((making.made, features))
    }

    /// Normalised images N×3×H×W to the last feature map; `tap` sees every BatchNorm's output, which is else written over by the
    /// ReLU after it.
    pub(super) fn features(&self, u: &Tensor, feed: Feed, tap: Option<Tapping<'_>>) -> Tensor {
        let mut passing = Passing { network: self, feed, tap };
        self.architecture.describe(&mut passing, u).expect("it was laid out when it was made")
    }
}

/// Makes weights: what goes from layer to layer is a number of channels.
struct Making<'a, 'r> {
    root: &'a Path<'r>,
    auxiliary: bool,
    made: Described,
}

impl Layers for Making<'_, '_> {
    type Value = i64;

    fn channels(&self, x: &i64) -> i64 {
        *x
    }

    fn convolution(&mut self, x: &i64, name: &str, convolution: Convolution) -> i64 {
        let Convolution { outputs, side, groups, bias, .. } = convolution;
        let place = below(self.root, name);
        let weight = convolution_weight(&place, [outputs, x / groups, side, side]);
        let bias = bias.then(|| place.zeros("bias", &[outputs]));
        self.made.convolutions.insert(name.to_owned(), (weight, bias));
        outputs
    }

    fn batch_norm(&mut self, x: &i64, name: &str) -> i64 {
        let (parent, last) = name.rsplit_once('.').expect("names have dots");
        let layer = BatchNorm::new(&below(self.root, parent), last, *x, self.auxiliary);
        self.made.layers.insert(name.to_owned(), layer);
        *x
    }

    fn relu(&mut self, x: i64) -> i64 {
        x
    }

    fn silu(&mut self, x: i64) -> i64 {
        x
    }

    fn sigmoid(&mut self, x: i64) -> i64 {
        x
    }

    fn max_pool(&mut self, x: &i64) -> i64 {
        *x
    }

    fn halve(&mut self, x: &i64) -> i64 {
        *x
    }

    fn mean(&mut self, x: &i64) -> i64 {
        *x
    }

    fn concatenate(&mut self, parts: &[&i64]) -> i64 {
        parts.iter().copied().sum()
    }

    fn add(&mut self, a: &i64, _: &i64) -> i64 {
        *a
    }

    fn multiply(&mut self, a: &i64, _: &i64) -> i64 {
        *a
    }
}

/// Passes images through.
struct Passing<'a, 't> {
    network: &'a Described,
    feed: Feed,
    tap: Option<Tapping<'t>>,
}

impl Layers for Passing<'_, '_> {
    type Value = Tensor;

    fn channels(&self, x: &Tensor) -> i64 {
        x.size()[1]
    }

    fn convolution(&mut self, x: &Tensor, name: &str, convolution: Convolution) -> Tensor {
        let (weight, bias) = &self.network.convolutions[name];
        let Convolution { side, stride, groups, .. } = convolution;
        x.conv2d(weight, bias.as_ref(), [stride; 2], [side / 2; 2], [1; 2], groups)
    }

    fn batch_norm(&mut self, x: &Tensor, name: &str) -> Tensor {
        let layer = &self.network.layers[name];
        let output = layer.forward(x, self.feed);
        if let Some(tap) = &mut self.tap {
            tap(layer, &output);
        }
        output
    }

    fn relu(&mut self, mut x: Tensor) -> Tensor {
        if self.tap.is_some() { x.relu() } else { x.relu_() }
    }

    fn silu(&mut self, x: Tensor) -> Tensor {
        x.silu()
    }

    fn sigmoid(&mut self, x: Tensor) -> Tensor {
        x.sigmoid()
    }

    fn max_pool(&mut self, x: &Tensor) -> Tensor {
        x.max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false)
    }

    fn halve(&mut self, x: &Tensor) -> Tensor {
        x.avg_pool2d([2, 2], [2, 2], [0, 0], false, true, None)
    }

    fn mean(&mut self, x: &Tensor) -> Tensor {
        x.adaptive_avg_pool2d([1, 1])
    }

    fn concatenate(&mut self, parts: &[&Tensor]) -> Tensor {
        shim::channels_last(&Tensor::cat(parts, 1)).unwrap()
    }

    fn add(&mut self, a: &Tensor, b: &Tensor) -> Tensor {
        a + b
    }

    fn multiply(&mut self, a: &Tensor, b: &Tensor) -> Tensor {
        a * b
    }
}

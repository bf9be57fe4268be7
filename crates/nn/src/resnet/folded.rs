//! Evaluation passes without BatchNorms: folded into the convolutions, for logits and the gradient of the input.

use tch::{Kind, Tensor};

use super::{Block, Normalised, ResNet, stem};
use crate::{
    Precision,
    network::{BatchNorm, Linear},
    shim,
};

/// A residual network as it is in evaluation, its weights as they were when it was made.
///
/// A BatchNorm with running statistics multiplies and adds: the convolution before it does both. The gradient of the input
/// goes back through convolutions and ReLUs by hand, and none of a weight is made.
#[derive(Debug)]
pub struct Folded {
    /// The number format of convolutions, and that of logits and gradients.
    kinds: (Kind, Kind),
    stem: Convolution,
    blocks: Vec<FoldedBlock>,
    fc: (Tensor, Tensor),
}

/// A convolution that has taken up the BatchNorm after it.
#[derive(Debug)]
struct Convolution {
    weight: Tensor,
    bias: Tensor,
    stride: i64,
    padding: i64,
}

#[derive(Debug)]
struct FoldedBlock {
    convolutions: Vec<Convolution>,
    shortcut: Option<Convolution>,
}

/// What the way back needs of a pass.
struct Trace {
    input: Tensor,
    stem: Tensor,
    /// The stem after the pooling, and where each value comes from.
    pooled: (Tensor, Tensor),
    /// Of each block, its hidden layers and its output.
    blocks: Vec<(Vec<Tensor>, Tensor)>,
}

impl ResNet {
    /// The network with this head as it is now, for passes in evaluation.
    pub(crate) fn folded(&self, head: &Linear, precision: Precision) -> Folded {
        tch::no_grad(|| {
            let own = self.conv1.kind();
            let kind = precision.of_convolutions(own);
            let mut effective = BatchNorm::effective(&self.layers()).into_iter();
            let mut fold = |weight: &Tensor, (stride, padding)| {
                let effective = effective.next().expect("every convolution has a BatchNorm");
                Convolution::new(weight, effective, (stride, padding), kind)
            };
            let stem = fold(&stem::weight(&self.conv1, &self.colours), (1, 0));
            let mut folded = |block: &Block| {
                let same = |one: &Normalised| (one.stride, one.weight.size()[2] / 2);
                let convolutions =
                    block.convolutions.iter().map(|one| fold(&one.weight, same(one))).collect();
                let shortcut = block.downsample.as_ref().map(|(weight, _)| fold(weight, (block.stride, 0)));
                FoldedBlock { convolutions, shortcut }
            };
            Folded {
                kinds: (kind, own),
                stem,
                blocks: self.blocks.iter().map(&mut folded).collect(),
                fc: (head.weight.detach().to_kind(kind), head.bias.detach().to_kind(kind)),
            }
        })
    }
}

impl Folded {
    /// The logits of images in `[0, 1]`: N×1×H×W → N×K.
    pub fn logits(&self, x: &Tensor) -> Tensor {
        tch::no_grad(|| self.forward(x).0)
    }

    /// ∂/∂x of a scalar `of` the logits: x N×1×H×W → N×1×H×W, detached.
    pub fn input_gradient(&self, x: &Tensor, of: impl Fn(&Tensor) -> Tensor) -> Tensor {
        let (logits, trace) = tch::no_grad(|| self.forward(x));
        let gradient = tch::with_grad(|| {
            let logits = logits.set_requires_grad(true);
            Tensor::run_backward(&[of(&logits)], &[&logits], false, false).remove(0)
        });
        tch::no_grad(|| self.backward(&gradient, &trace, x))
    }

    fn forward(&self, x: &Tensor) -> (Tensor, Trace) {
        let (kind, own) = self.kinds;
        let input = shim::channels_last(&stem::blocks(x, kind)).unwrap();
        let stem = self.stem.relu(&input, None);
        let pooled = stem.max_pool2d_with_indices([3, 3], [2, 2], [1, 1], [1, 1], false);
        let mut blocks: Vec<(Vec<Tensor>, Tensor)> = Vec::new();
        for block in &self.blocks {
            let x = blocks.last().map_or(&pooled.0, |(_, output)| output);
            let (last, others) = block.convolutions.split_last().expect("a block convolves");
            let mut hidden: Vec<Tensor> = Vec::new();
            for convolution in others {
                hidden.push(convolution.relu(hidden.last().unwrap_or(x), None));
            }
            let shortcut = block.shortcut.as_ref().map(|convolution| convolution.plain(x));
            let before = hidden.last().expect("a block has a hidden layer");
            let output = last.relu(before, Some(shortcut.as_ref().unwrap_or(x)));
            blocks.push((hidden, output));
        }
        let (_, last) = blocks.last().expect("there are blocks");
        let features = last.adaptive_avg_pool2d([1, 1]).flatten(1, -1);
        let logits = features.linear(&self.fc.0, Some(&self.fc.1)).to_kind(own);
        (logits, Trace { input, stem, pooled, blocks })
    }

    fn backward(&self, logits: &Tensor, trace: &Trace, x: &Tensor) -> Tensor {
        let (kind, own) = self.kinds;
        let (_, last) = trace.blocks.last().expect("there are blocks");
        let [.., height, width] = last.size()[..] else { unreachable!("features are N×C×H×W") };
        let features = logits.to_kind(kind).matmul(&self.fc.0) / (height * width) as f64;
        let mut gradient = features.unsqueeze(-1).unsqueeze(-1).expand_as(last);
        for (index, (block, (hidden, output))) in self.blocks.iter().zip(&trace.blocks).enumerate().rev() {
            let input = if index == 0 { &trace.pooled.0 } else { &trace.blocks[index - 1].1 };
            let outer = relu_gradient(&gradient, output);
            let mut through = outer.shallow_clone();
            for (place, convolution) in block.convolutions.iter().enumerate().rev() {
                through = match place.checked_sub(1).map(|before| &hidden[before]) {
                    Some(x) => relu_gradient(&convolution.input_gradient(&through, x), x),
                    None => convolution.input_gradient(&through, input),
                };
            }
            let past = match &block.shortcut {
                Some(convolution) => convolution.input_gradient(&outer, input),
                None => outer,
            };
            gradient = through + past;
        }
        let (stem, (pooled, indices)) = (&trace.stem, &trace.pooled);
        // The ReLU before the pooling: where the largest value is 0, so is the gradient of all that it was chosen from.
        let gradient = relu_gradient(&gradient, pooled);
        let gradient =
            stem.max_pool2d_with_indices_backward(&gradient, [3, 3], [2, 2], [1, 1], [1, 1], false, indices);
        let weight = self.stem.weight.narrow(1, 0, stem::IMAGE_CHANNELS);
        let image = Convolution { weight, bias: self.stem.bias.shallow_clone(), ..self.stem };
        let shape = trace.input.narrow(1, 0, stem::IMAGE_CHANNELS);
        stem::from_blocks(&image.input_gradient(&gradient, &shape), &x.size()).to_kind(own)
    }
}

impl Convolution {
    /// With the BatchNorm after it, which multiplies and adds this.
    fn new(
        weight: &Tensor,
        (scale, bias): (Tensor, Tensor),
        (stride, padding): (i64, i64),
        kind: Kind,
    ) -> Self {
        let weight = (weight.detach() * scale.reshape([-1, 1, 1, 1])).to_kind(kind);
        Self { weight: shim::channels_last(&weight).unwrap(), bias: bias.to_kind(kind), stride, padding }
    }

    /// max(0, convolution + added).
    fn relu(&self, x: &Tensor, added: Option<&Tensor>) -> Tensor {
        shim::convolution_relu(x, &self.weight, &self.bias, added, (self.stride, self.padding)).unwrap()
    }

    fn plain(&self, x: &Tensor) -> Tensor {
        x.conv2d(&self.weight, Some(&self.bias), [self.stride; 2], [self.padding; 2], [1; 2], 1)
    }

    fn input_gradient(&self, gradient: &Tensor, x: &Tensor) -> Tensor {
        shim::convolution_input_gradient(gradient, x, &self.weight, (self.stride, self.padding)).unwrap()
    }
}

fn relu_gradient(gradient: &Tensor, result: &Tensor) -> Tensor {
    shim::relu_gradient(gradient, result).unwrap()
}

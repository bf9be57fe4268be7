//! Residual networks (He et al. 2016) with torchvision's layers and names, for grey images.
//!
//! They are not laid out in [`Layers`](crate::Layers): the default network has a first convolution for grey images and folded
//! passes of its own.

mod folded;
mod stem;

use tch::{Tensor, nn::Path};

pub use self::folded::Folded;

use crate::{
    Architecture, Precision,
    network::{BatchNorm, Feed, Tapping, convolution_weight},
    shim,
};

/// A residual network up to the last feature map.
#[derive(Debug)]
pub(crate) struct ResNet {
    conv1: Tensor,
    /// What makes the weight of grey images out of `conv1`.
    colours: Tensor,
    bn1: BatchNorm,
    blocks: Vec<Block>,
}

/// What the first convolution is made of: images, and weights for grey.
pub(crate) struct First {
    blocks: Tensor,
    weight: Tensor,
}

impl First {
    /// What the first convolution gives.
    pub(crate) fn convolved(&self) -> Tensor {
        convolve(&self.blocks, &self.weight, 1, 0)
    }
}

/// Convolutions beside a shortcut: two of 3×3, or one of 3×3 between two of 1×1.
#[derive(Debug)]
struct Block {
    stride: i64,
    convolutions: Vec<Normalised>,
    downsample: Option<(Tensor, BatchNorm)>,
}

/// A convolution and its BatchNorm.
#[derive(Debug)]
struct Normalised {
    weight: Tensor,
    stride: i64,
    layer: BatchNorm,
}

impl ResNet {
    /// The layers under `root`, and the channels of the last feature map.
    pub(crate) fn new(root: &Path<'_>, architecture: Architecture, auxiliary: bool) -> (Self, i64) {
        let mut blocks = Vec::new();
        let mut inputs = 64;
        for ((layer, width), count) in (1..).zip([64, 128, 256, 512]).zip(count_blocks(architecture)) {
            for block in 0..count {
                let stride = if layer > 1 && block == 0 { 2 } else { 1 };
                let path = root / format!("layer{layer}") / block;
                let shapes = if architecture == Architecture::ResNet50 {
                    vec![(width, 1, 1), (width, 3, stride), (4 * width, 1, 1)]
                } else {
                    vec![(width, 3, stride), (width, 3, 1)]
                };
                blocks.push(Block::new(&path, inputs, &shapes, stride, auxiliary));
                inputs = shapes[shapes.len() - 1].0;
            }
        }
        let resnet = Self {
            conv1: convolution_weight(&(root / "conv1"), [64, 3, 7, 7]),
            colours: stem::colours(root.device()),
            bn1: BatchNorm::new(root, "bn1", 64, auxiliary),
            blocks,
        };
        (resnet, inputs)
    }

    /// Every BatchNorm: the first, then those of each block.
    fn layers(&self) -> Vec<&BatchNorm> {
        [&self.bn1].into_iter().chain(self.blocks.iter().flat_map(Block::layers)).collect()
    }

    /// The first convolution of images in `[0, 1]`, made ready: images in the format of convolutions, weights in their own.
    pub(crate) fn first(&self, x: &Tensor, precision: Precision) -> First {
        First {
            blocks: shim::channels_last(&stem::blocks(x, precision.of_convolutions(x.kind()))).unwrap(),
            weight: shim::channels_last(&stem::weight(&self.conv1, &self.colours)).unwrap(),
        }
    }

    /// Normalised images N×3×H×W to the last feature map.
    pub(crate) fn features_of_normalised(&self, u: &Tensor, feed: Feed, tap: Option<Tapping<'_>>) -> Tensor {
        self.features(&convolve(u, &self.conv1, 2, 3), feed, tap)
    }

    /// The last feature map of what the first convolution gave; `tap` sees every BatchNorm's output, which is else written over by
    /// the ReLU or the sum after it.
    pub(crate) fn features(&self, stem: &Tensor, feed: Feed, tap: Option<Tapping<'_>>) -> Tensor {
        self.pass(stem, feed, tap, |_| {})
    }

    /// The last feature maps at strides 8, 16 and 32 of what the first convolution gave.
    pub(crate) fn pyramid(&self, stem: &Tensor, feed: Feed) -> [Tensor; 3] {
        let mut maps = Vec::new();
        let _ = self.pass(stem, feed, None, |map| maps.push(map.shallow_clone()));
        let [_, rest @ ..] = <[Tensor; 4]>::try_from(maps).expect("there are four layers");
        rest
    }

    /// A pass; `end` sees what each of the four layers gives.
    fn pass(
        &self,
        stem: &Tensor,
        feed: Feed,
        mut tap: Option<Tapping<'_>>,
        mut end: impl FnMut(&Tensor),
    ) -> Tensor {
        let kept = tap.is_some();
        let mut normalise = |layer: &BatchNorm, x: &Tensor| {
            let output = layer.forward(x, feed);
            if let Some(tap) = &mut tap {
                tap(layer, &output);
            }
            output
        };
        let relu = |mut x: Tensor| if kept { x.relu() } else { x.relu_() };
        // The ReLU after the pooling instead of before: the same, on a quarter of the values.
        let x = normalise(&self.bn1, stem).max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false);
        let mut x = relu(x);
        for (index, block) in self.blocks.iter().enumerate() {
            let (last, others) = block.convolutions.split_last().expect("a block convolves");
            let mut hidden = x.shallow_clone();
            for one in others {
                hidden = relu(normalise(&one.layer, &one.convolve(&hidden)));
            }
            let mut residual = normalise(&last.layer, &last.convolve(&hidden));
            let shortcut = match &block.downsample {
                Some((weight, layer)) => normalise(layer, &convolve(&x, weight, block.stride, 0)),
                None => x,
            };
            x = relu(if kept { residual + shortcut } else { residual.g_add_(&shortcut) });
            if self.blocks.get(index + 1).is_none_or(|next| next.stride > 1) {
                end(&x);
            }
        }
        x
    }
}

/// Blocks in each of the four layers.
fn count_blocks(architecture: Architecture) -> [usize; 4] {
    if architecture == Architecture::ResNet18 { [2, 2, 2, 2] } else { [3, 4, 6, 3] }
}

impl Block {
    /// Convolutions of these outputs, sides and strides; the block's stride is theirs together.
    fn new(path: &Path<'_>, inputs: i64, shapes: &[(i64, i64, i64)], stride: i64, auxiliary: bool) -> Self {
        let shortcut = path / "downsample";
        let mut channels = inputs;
        let mut convolutions = Vec::new();
        for (number, &(outputs, side, stride)) in (1..).zip(shapes) {
            convolutions.push(Normalised {
                weight: convolution_weight(
                    &(path / format!("conv{number}")),
                    [outputs, channels, side, side],
                ),
                stride,
                layer: BatchNorm::new(path, &format!("bn{number}"), outputs, auxiliary),
            });
            channels = outputs;
        }
        let downsample = (stride > 1 || inputs != channels).then(|| {
            let weight = convolution_weight(&(&shortcut / "0"), [channels, inputs, 1, 1]);
            (weight, BatchNorm::new(&shortcut, "1", channels, auxiliary))
        });
        Self { stride, convolutions, downsample }
    }

    /// The BatchNorms of its convolutions, then that of its shortcut.
    fn layers(&self) -> impl Iterator<Item = &BatchNorm> {
        let shortcut = self.downsample.iter().map(|(_, layer)| layer);
        self.convolutions.iter().map(|one| &one.layer).chain(shortcut)
    }
}

impl Normalised {
    fn convolve(&self, x: &Tensor) -> Tensor {
        convolve(x, &self.weight, self.stride, self.weight.size()[2] / 2)
    }
}

fn convolve(x: &Tensor, weight: &Tensor, stride: i64, padding: i64) -> Tensor {
    x.conv2d(weight, None::<&Tensor>, [stride; 2], [padding; 2], [1; 2], 1)
}

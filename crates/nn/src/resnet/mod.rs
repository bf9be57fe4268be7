//! Residual networks (He et al. 2016) with torchvision's layers and names, for grey images.

mod architecture;
mod batch_norm;
mod folded;
mod frozen;
mod stem;
mod weights;

use std::{
    collections::BTreeMap,
    path::{Path as FilePath, PathBuf},
};

use tch::{
    Device, Kind, Tensor,
    nn::{Path, VarStore},
};

pub use self::{
    architecture::Architecture,
    folded::Folded,
    frozen::{Frozen, Statistics},
};

use self::batch_norm::{BatchNorm, Feed};
use crate::{Error, Precision, guarded, shim};

/// Mean of the three channels of ImageNet's images, of `[0, 1]`.
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Standard deviation of the three channels of ImageNet's images.
pub const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

/// Negative and positive.
const CLASSES: i64 = 2;
/// torchvision's.
const MOMENTUM: f64 = 0.1;
/// Ends the names of the second set of BatchNorms.
const AUXILIARY: &str = "_auxiliary";

/// What a pass through the network does with the BatchNorms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Normalises with the running statistics.
    Eval,
    /// Normalises with the batch's statistics and moves the running ones (momentum 0.1).
    Train,
    /// Normalises with the batch's statistics and moves nothing.
    TrainFrozen,
    /// Normalises with the batch's statistics and the auxiliary weights, and moves the auxiliary running statistics.
    /// Panics unless the model has them ([`Options::auxiliary`]).
    Auxiliary,
}

impl Pass {
    fn feed(self) -> Feed {
        match self {
            Self::Eval => Feed::Running,
            Self::Train => Feed::Moving(MOMENTUM),
            Self::TrainFrozen => Feed::Batch,
            Self::Auxiliary => Feed::Auxiliary(MOMENTUM),
        }
    }
}

/// Where first weights come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Init {
    /// Random: He normal (fan out) convolutions, uniform head, as torchvision.
    Scratch,
    /// A safetensors file with torchvision's names, in any float format. A head of other classes is left out.
    File(PathBuf),
}

/// How a network is built.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Which network.
    pub architecture: Architecture,
    /// Where the weights live.
    pub device: Device,
    /// The number format of forward passes.
    pub precision: Precision,
    /// Whether there is a second set of BatchNorms, for [`Pass::Auxiliary`].
    pub auxiliary: bool,
    /// Seed of the random first weights.
    pub seed: u64,
}

impl Default for Options {
    /// ResNet-18 on the CPU in f32, one set of BatchNorms, seed 0.
    fn default() -> Self {
        Self {
            architecture: Architecture::ResNet18,
            device: Device::Cpu,
            precision: Precision::F32,
            auxiliary: false,
            seed: 0,
        }
    }
}

/// One layer that adds a bias, as [`ResNet::forward_with_taps`] saw it.
#[derive(Debug)]
pub struct Tap {
    /// The layer's name, as in the keys of its weights.
    pub layer: String,
    /// What the layer gave: N×C×H×W, or N×2 for the head; part of the graph of the logits.
    pub output: Tensor,
    /// What the layer adds to each channel, C, detached: β − γ·μ/√(σ² + ε) for a BatchNorm.
    pub bias: Tensor,
}

/// A forward pass laid open.
#[derive(Debug)]
pub struct Taps {
    /// N×2.
    pub logits: Tensor,
    /// The BatchNorm layers in the order of the pass, then the head.
    pub layers: Vec<Tap>,
    /// The last feature map: N×C×H/32×W/32, C = 512, or 2048 of bottlenecks.
    pub layer4: Tensor,
}

/// A residual network for grey images: N×1×H×W, f32, in `[0, 1]` → N×2 logits.
///
/// Replication to three channels and ImageNet's normalisation are part of the network, so attacks, masks and saliency are
/// all in pixels of `[0, 1]`.
#[derive(Debug)]
pub struct ResNet {
    store: VarStore,
    precision: Precision,
    mean: Tensor,
    std: Tensor,
    conv1: Tensor,
    bn1: BatchNorm,
    blocks: Vec<Block>,
    fc_weight: Tensor,
    fc_bias: Tensor,
}

/// Who looks at the output of every BatchNorm.
type Tapping<'a> = &'a mut dyn FnMut(&BatchNorm, &Tensor);

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
    /// A network with first weights from `init`, and the names that the file did not have: the head, running
    /// statistics. The head then stays random; running statistics stay 0 and 1 until they are moved or re-estimated.
    ///
    /// # Errors
    /// The file cannot be read, or lacks weights of convolutions or BatchNorms; the device has no memory left.
    pub fn new(options: &Options, init: &Init) -> Result<(Self, Vec<String>), Error> {
        guarded(|| {
            let model = Self::build(options);
            weights::randomise(&model.store, options.seed);
            let missing = match init {
                Init::Scratch => Vec::new(),
                Init::File(path) => weights::read_pretrained(&model.store, path, options.architecture)?,
            };
            Ok((model, missing))
        })?
    }

    /// The network whose [state](ResNet::state) was written with [`write_tensors`](crate::write_tensors): bit for bit the
    /// same, auxiliary BatchNorms included.
    ///
    /// # Errors
    /// The file cannot be read or is not of this network; the device has no memory left.
    pub fn load(path: &FilePath, device: Device, precision: Precision) -> Result<Self, Error> {
        guarded(|| {
            let stored = weights::Stored::read(path)?;
            let (architecture, auxiliary) = (stored.architecture(), stored.has_auxiliary());
            let model = Self::build(&Options { architecture, device, precision, auxiliary, seed: 0 });
            stored.fill(&model.store, architecture)?;
            Ok(model)
        })?
    }

    fn build(options: &Options) -> Self {
        options.precision.switch();
        let store = VarStore::new(options.device);
        let (root, auxiliary) = (store.root(), options.auxiliary);
        let constant =
            |values: [f32; 3]| Tensor::from_slice(&values).reshape([1, 3, 1, 1]).to_device(options.device);
        let mut blocks = Vec::new();
        let mut inputs = 64;
        let architecture = options.architecture;
        for ((layer, width), count) in (1..).zip([64, 128, 256, 512]).zip(architecture.blocks()) {
            for block in 0..count {
                let stride = if layer > 1 && block == 0 { 2 } else { 1 };
                let path = &root / format!("layer{layer}") / block;
                let shapes = if architecture.has_bottlenecks() {
                    vec![(width, 1, 1), (width, 3, stride), (4 * width, 1, 1)]
                } else {
                    vec![(width, 3, stride), (width, 3, 1)]
                };
                blocks.push(Block::new(&path, inputs, &shapes, stride, auxiliary));
                inputs = shapes[shapes.len() - 1].0;
            }
        }
        Self {
            precision: options.precision,
            mean: constant(IMAGENET_MEAN),
            std: constant(IMAGENET_STD),
            conv1: convolution(&root, "conv1", [64, 3, 7, 7]),
            bn1: BatchNorm::new(&root, "bn1", 64, auxiliary),
            blocks,
            fc_weight: (&root / "fc").zeros("weight", &[CLASSES, inputs]),
            fc_bias: (&root / "fc").zeros("bias", &[CLASSES]),
            store,
        }
    }

    /// The weights, for an optimiser.
    pub fn variables(&self) -> &VarStore {
        &self.store
    }

    /// Every weight and running statistic by torchvision's names, shared with the network.
    pub fn state(&self) -> BTreeMap<String, Tensor> {
        weights::named(&self.store)
    }

    /// Copies of every weight and running statistic by name, on the network's device.
    pub fn copies(&self) -> BTreeMap<String, Tensor> {
        let copy = |(name, tensor): (String, Tensor)| (name, tensor.detach().copy());
        self.state().into_iter().map(copy).collect()
    }

    /// Takes up weights and running statistics that [`ResNet::state`] gave.
    ///
    /// # Errors
    /// A name is missing, or a shape is not that of this network.
    pub fn restore(&self, state: &BTreeMap<String, Tensor>) -> Result<(), Error> {
        for (name, mut variable) in self.state() {
            let stored = state.get(&name).filter(|stored| stored.size() == variable.size());
            let stored = stored.ok_or_else(|| Error::Torch(format!("no {name} that fits")))?;
            guarded(|| tch::no_grad(|| variable.copy_(stored)))?;
        }
        Ok(())
    }

    /// Draws the named weights anew, as [`Init::Scratch`] does; their BatchNorms scale by 1, add 0, and have running
    /// statistics 0 and 1.
    pub fn redraw(&self, seed: u64, named: impl Fn(&str) -> bool) {
        let kept = self.copies();
        tch::no_grad(|| {
            for (name, mut variable) in self.state() {
                let neutral = f64::from(!name.ends_with("bias") && !name.ends_with("running_mean"));
                let _ = variable.fill_(neutral);
            }
            weights::randomise(&self.store, seed);
            for (name, mut variable) in self.state().into_iter().filter(|(name, _)| !named(name)) {
                variable.copy_(&kept[&name]);
            }
        });
    }

    /// Where the weights live.
    pub fn device(&self) -> Device {
        self.store.device()
    }

    /// Turns every weight and running statistic into f64; images must then be f64, and logits are.
    pub fn double(&mut self) {
        self.store.double();
        self.mean = self.mean.to_kind(Kind::Double);
        self.std = self.std.to_kind(Kind::Double);
    }

    /// The logits of images in `[0, 1]`: N×1×H×W → N×2, in the kind of the weights (f32) whatever the precision.
    pub fn forward(&self, x: &Tensor, pass: Pass) -> Tensor {
        self.logits(x, pass.feed())
    }

    /// The input of torchvision's first convolution: N×1×H×W in `[0, 1]` → N×3×H×W, replicated and normalised.
    pub fn normalise(&self, x: &Tensor) -> Tensor {
        (x - &self.mean) / &self.std
    }

    /// An evaluation pass from the normalised input u (N×3×H×W) that shows every layer with a bias. It runs in the
    /// weights' own format, whatever the precision, for explanations that must add up.
    pub fn forward_with_taps(&self, u: &Tensor) -> Taps {
        let mut layers = Vec::new();
        let mut tap = |layer: &BatchNorm, output: &Tensor| {
            let (layer, bias) = (layer.name().to_owned(), layer.effective().1);
            layers.push(Tap { layer, output: output.shallow_clone(), bias });
        };
        let stem = convolve(&shim::channels_last(u).unwrap(), &self.conv1, 2, 3);
        let (logits, layer4) = self.layers(&stem, Feed::Running, Some(&mut tap));
        let (output, bias) = (logits.shallow_clone(), self.fc_bias.detach());
        layers.push(Tap { layer: "fc".to_owned(), output, bias });
        Taps { logits, layers, layer4 }
    }

    /// Replaces the running statistics by the plain average of the statistics of `batches` (N×1×H×W in `[0, 1]`), as
    /// torch's `momentum=None`; returns the number of batches. Without batches nothing changes.
    ///
    /// # Errors
    /// The device has no memory left.
    pub fn reestimate_statistics(&self, batches: impl IntoIterator<Item = Tensor>) -> Result<usize, Error> {
        guarded(|| {
            tch::no_grad(|| {
                let mut seen = 0;
                for x in batches {
                    seen += 1;
                    let _ = self.logits(&x, Feed::Moving(1.0 / seen as f64));
                }
                seen
            })
        })
    }

    fn logits(&self, x: &Tensor, feed: Feed) -> Tensor {
        let blocks = shim::channels_last(&stem::blocks(x)).unwrap();
        let weight = shim::channels_last(&stem::weight(&self.conv1)).unwrap();
        let (logits, _) =
            self.precision.run(self.device(), || self.layers(&convolve(&blocks, &weight, 1, 0), feed, None));
        logits.to_kind(self.conv1.kind())
    }

    /// Logits and last feature map of what the first convolution gave; `tap` sees every BatchNorm's output, which is else written
    /// over by the ReLU or the sum after it.
    fn layers(&self, stem: &Tensor, feed: Feed, mut tap: Option<Tapping<'_>>) -> (Tensor, Tensor) {
        let kept = tap.is_some();
        let mut normalise = |layer: &BatchNorm, x: &Tensor| {
            let output = layer.forward(x, feed);
            if let Some(tap) = &mut tap {
                tap(layer, &output);
            }
            output
        };
        let relu = |mut x: Tensor| if kept { x.relu() } else { x.relu_() };
        let x = relu(normalise(&self.bn1, stem));
        let mut x = x.max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false);
        for block in &self.blocks {
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
        }
        let features = x.adaptive_avg_pool2d([1, 1]).flatten(1, -1);
        (features.linear(&self.fc_weight, Some(&self.fc_bias)), x)
    }
}

impl Block {
    /// Convolutions of these outputs, sides and strides; the block's stride is theirs together.
    fn new(path: &Path<'_>, inputs: i64, shapes: &[(i64, i64, i64)], stride: i64, auxiliary: bool) -> Self {
        let shortcut = path / "downsample";
        let mut channels = inputs;
        let mut convolutions = Vec::new();
        for (number, &(outputs, side, stride)) in (1..).zip(shapes) {
            convolutions.push(Normalised {
                weight: convolution(path, &format!("conv{number}"), [outputs, channels, side, side]),
                stride,
                layer: BatchNorm::new(path, &format!("bn{number}"), outputs, auxiliary),
            });
            channels = outputs;
        }
        let downsample = (stride > 1 || inputs != channels).then(|| {
            let weight = convolution(&shortcut, "0", [channels, inputs, 1, 1]);
            (weight, BatchNorm::new(&shortcut, "1", channels, auxiliary))
        });
        Self { stride, convolutions, downsample }
    }
}

impl Normalised {
    fn convolve(&self, x: &Tensor) -> Tensor {
        convolve(x, &self.weight, self.stride, self.weight.size()[2] / 2)
    }
}

/// The weight of a convolution, channels innermost in memory.
fn convolution(parent: &Path<'_>, name: &str, shape: [i64; 4]) -> Tensor {
    let mut weight = (parent / name).zeros("weight", &shape);
    tch::no_grad(|| weight.set_data(&shim::channels_last(&weight.detach()).unwrap()));
    weight
}

fn convolve(x: &Tensor, weight: &Tensor, stride: i64, padding: i64) -> Tensor {
    x.conv2d(weight, None::<&Tensor>, [stride; 2], [padding; 2], [1; 2], 1)
}

//! The network as everyone sees it, whatever its architecture.

mod architecture;
mod batch_norm;
mod described;
mod detection;
mod frozen;
mod head;
mod layers;
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
    frozen::{Frozen, Statistics},
    layers::{Convolution, Layers},
};
pub(crate) use self::{
    batch_norm::{BatchNorm, Feed},
    head::Linear,
};

use self::{described::Described, detection::DetectionHead, head::Head};
use crate::{Error, Precision, World, guarded, resnet::ResNet, shim};

/// Mean of the three channels of ImageNet's images, of `[0, 1]`.
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Standard deviation of the three channels of ImageNet's images.
pub const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

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
    /// What BatchNorms do in it, where these processes' images are one batch.
    fn feed(self, world: World) -> Feed {
        match self {
            Self::Eval => Feed::Running,
            Self::Train => Feed::Moving(MOMENTUM, world),
            Self::TrainFrozen => Feed::Batch(world),
            Self::Auxiliary => Feed::Auxiliary(MOMENTUM, world),
        }
    }
}

/// Where first weights come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Init {
    /// Random: He normal convolutions, uniform head, as torchvision.
    Scratch,
    /// A safetensors file with torchvision's or timm's names, in any float format. A head of other classes is left out.
    File(PathBuf),
}

/// How a network is built.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Which network.
    pub architecture: Architecture,
    /// Logits of an image, where it does not detect.
    pub classes: i64,
    /// Whether it finds boxes instead of putting images into classes: residual networks alone.
    pub detects: bool,
    /// Where the weights live.
    pub device: Device,
    /// The number format of forward passes.
    pub precision: Precision,
    /// Whether there is a second set of BatchNorms, for [`Pass::Auxiliary`].
    pub auxiliary: bool,
    /// Seed of the random first weights.
    pub seed: u64,
}

impl Options {
    /// ResNet-18 with two logits on the CPU in f32, one set of BatchNorms, seed 0.
    pub const DEFAULT: Self = Self {
        architecture: Architecture::ResNet18,
        classes: 2,
        detects: false,
        device: Device::Cpu,
        precision: Precision::F32,
        auxiliary: false,
        seed: 0,
    };
}

impl Default for Options {
    /// [`Options::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

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

/// A network for grey images: N×1×H×W, f32, in `[0, 1]` → N×K logits.
///
/// One that [detects](Options::detects) gives N×L×6 instead: of each of L places, row by row on square grids of ⌈S/8⌉,
/// ⌈S/16⌉ and ⌈S/32⌉ places to a side, the logit of a finding; how far its box reaches to the left, up, to the right and
/// down, positive, in fractions of the image; and the logit of the place's centre-ness.
///
/// Replication to three channels and ImageNet's normalisation are part of the network, so attacks, masks and saliency are
/// all in pixels of `[0, 1]`.
#[derive(Debug)]
pub struct Network {
    store: VarStore,
    architecture: Architecture,
    precision: Precision,
    mean: Tensor,
    std: Tensor,
    body: Body,
    head: Head,
    /// The processes that train it.
    world: World,
    /// Those whose images are one batch for BatchNorm.
    joint: World,
}

/// Who looks at the output of every BatchNorm.
pub(crate) type Tapping<'a> = &'a mut dyn FnMut(&BatchNorm, &Tensor);

/// From images to the last feature map.
#[derive(Debug)]
enum Body {
    ResNet(ResNet),
    Described(Described),
}

impl Network {
    /// A network with first weights from `init`, and the names that the file did not have: the head, running
    /// statistics. The head then stays random; running statistics stay 0 and 1 until they are moved or re-estimated.
    ///
    /// # Errors
    /// The file cannot be read, or lacks weights of convolutions or BatchNorms; the architecture does not detect; the device
    /// has no memory left.
    pub fn new(options: &Options, init: &Init) -> Result<(Self, Vec<String>), Error> {
        if options.detects && !options.architecture.detects() {
            return Err(Error::CannotDetect(options.architecture));
        }
        guarded(|| {
            let model = Self::build(options);
            weights::randomise(&model.store, options.architecture, options.seed);
            let missing = match init {
                Init::Scratch => Vec::new(),
                Init::File(path) => weights::read_pretrained(&model.store, path, options.architecture)?,
            };
            Ok((model, missing))
        })?
    }

    /// The network whose [state](Network::state) was written with [`write_tensors`](crate::write_tensors): bit for bit the
    /// same, auxiliary BatchNorms included.
    ///
    /// # Errors
    /// The file cannot be read or is not of this network; the device has no memory left.
    pub fn load(path: &FilePath, device: Device, precision: Precision) -> Result<Self, Error> {
        guarded(|| {
            let stored = weights::Stored::read(path)?;
            let architecture = stored.architecture();
            let (detects, auxiliary) = (stored.detects(), stored.has_auxiliary());
            let classes = if detects { 0 } else { stored.classes(architecture)? };
            let model = Self::build(&Options {
                architecture,
                classes,
                detects,
                device,
                precision,
                auxiliary,
                seed: 0,
            });
            stored.fill(&model.store, architecture)?;
            Ok(model)
        })?
    }

    fn build(options: &Options) -> Self {
        let Options { architecture, classes, detects, device, precision, auxiliary, .. } = *options;
        precision.switch();
        let store = VarStore::new(device);
        let root = store.root();
        let described = Described::new(&root, architecture, auxiliary);
        let (body, features) = if let Some((described, features)) = described {
            (Body::Described(described), features)
        } else {
            let (resnet, features) = ResNet::new(&root, architecture, auxiliary);
            (Body::ResNet(resnet), features)
        };
        let head = if detects {
            Head::Boxes(DetectionHead::new(&root, features))
        } else {
            Head::Classes(Linear::new(&root, architecture.head(), classes, features))
        };
        let constant = |values: [f32; 3]| Tensor::from_slice(&values).reshape([1, 3, 1, 1]).to_device(device);
        Self {
            architecture,
            precision,
            mean: constant(IMAGENET_MEAN),
            std: constant(IMAGENET_STD),
            body,
            head,
            store,
            world: World::ALONE,
            joint: World::ALONE,
        }
    }

    /// From now on it is trained with the copies of it in all ranks' processes: it takes up rank 0's weights and running
    /// statistics. BatchNorm reads the statistics of all ranks' images where `sync`, else those of each rank's own.
    ///
    /// # Errors
    /// Another rank is gone.
    pub fn join(&mut self, world: World, sync: bool) -> Result<(), Error> {
        self.world = world;
        self.joint = if sync { world } else { World::ALONE };
        self.take_up()
    }

    /// The processes that train it.
    pub fn world(&self) -> World {
        self.world
    }

    /// Takes up rank 0's weights and running statistics.
    ///
    /// # Errors
    /// Another rank is gone.
    pub fn take_up(&self) -> Result<(), Error> {
        self.state().values().try_for_each(|tensor| self.world.take_up(&tensor.detach()))
    }

    /// Where BatchNorms of the ranks have moved running statistics apart, all take up their mean.
    ///
    /// # Errors
    /// Another rank is gone.
    pub fn settle_statistics(&self) -> Result<(), Error> {
        if self.world.size() == self.joint.size() {
            return Ok(());
        }
        let state = self.state();
        let running: Vec<Tensor> =
            state.values().filter(|one| !one.requires_grad()).map(Tensor::detach).collect();
        guarded(|| {
            let flat: Vec<Tensor> = running.iter().map(|one| one.flatten(0, -1)).collect();
            let flat = Tensor::cat(&flat, 0) / self.world.size() as f64;
            self.world.sum(&flat);
            let sizes: Vec<i64> = running.iter().map(|one| one.numel() as i64).collect();
            for (mut one, mean) in running.into_iter().zip(flat.split_with_sizes(&sizes, 0)) {
                let shape = one.size();
                one.copy_(&mean.reshape(shape));
            }
        })
    }

    /// Which network it is.
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// Logits of an image; none where it detects.
    pub fn classes(&self) -> usize {
        match &self.head {
            Head::Classes(linear) => linear.bias.numel(),
            Head::Boxes(_) => 0,
        }
    }

    /// Whether it finds boxes instead of putting images into classes.
    pub fn detects(&self) -> bool {
        matches!(self.head, Head::Boxes(_))
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

    /// Takes up weights and running statistics that [`Network::state`] gave.
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
            weights::randomise(&self.store, self.architecture, seed);
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

    /// The output for images in `[0, 1]`: N×1×H×W → N×K, or N×L×6 where it detects, in the kind of the weights (f32) whatever the precision.
    pub fn forward(&self, x: &Tensor, pass: Pass) -> Tensor {
        self.output(x, pass.feed(self.joint))
    }

    /// The input of torchvision's first convolution: N×1×H×W in `[0, 1]` → N×3×H×W, replicated and normalised.
    pub fn normalise(&self, x: &Tensor) -> Tensor {
        (x - &self.mean) / &self.std
    }

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
                    let _ = self.output(&x, Feed::Moving(1.0 / seen as f64, self.joint));
                }
                seen
            })
        })
    }

    fn output(&self, x: &Tensor, feed: Feed) -> Tensor {
        let output = match &self.body {
            Body::ResNet(resnet) => {
                let first = resnet.first(x);
                self.precision.run(self.device(), || match &self.head {
                    Head::Classes(linear) => linear.logits(&resnet.features(&first.convolved(), feed, None)),
                    Head::Boxes(head) => head.output(&resnet.pyramid(&first.convolved(), feed)),
                })
            }
            Body::Described(described) => {
                let (u, head) = (shim::channels_last(&self.normalise(x)).unwrap(), self.head.linear());
                self.precision.run(self.device(), || head.logits(&described.features(&u, feed, None)))
            }
        };
        output.to_kind(self.mean.kind())
    }
}

/// The place of a name with dots.
fn below<'a>(root: &Path<'a>, name: &str) -> Path<'a> {
    name.split('.').fold(root.clone(), |path, part| path / part)
}

/// The weight of a convolution, channels innermost in memory.
pub(crate) fn convolution_weight(place: &Path<'_>, shape: [i64; 4]) -> Tensor {
    let mut weight = place.zeros("weight", &shape);
    tch::no_grad(|| weight.set_data(&shim::channels_last(&weight.detach()).unwrap()));
    weight
}

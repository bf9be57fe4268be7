//! The network as everyone sees it, whatever its architecture.

mod architecture;
mod batch_norm;
mod described;
mod detection;
mod frozen;
mod head;
mod layers;
mod options;
mod pass;
mod ranks;
mod state;
mod taps;
mod weights;

use std::path::Path as FilePath;

use tch::{
    Device, Kind, Tensor,
    nn::{Path, VarStore},
};

pub use self::{
    architecture::Architecture,
    frozen::{Frozen, Statistics},
    layers::{Convolution, Layers},
    options::{Init, Options},
    pass::Pass,
    taps::{Tap, Taps},
};
pub(crate) use self::{
    batch_norm::{BatchNorm, Feed},
    head::Linear,
    taps::Tapping,
};

use self::{described::Described, detection::DetectionHead, head::Head};
use crate::{Error, Precision, World, guarded, resnet::ResNet, shim};

/// Mean of the three channels of ImageNet's images, of `[0, 1]`.
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Standard deviation of the three channels of ImageNet's images.
pub const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

/// Ends the names of the second set of BatchNorms.
const AUXILIARY: &str = "_auxiliary";

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
                let first = resnet.first(x, self.precision);
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

//! How a network is built.

use std::path::PathBuf;

use tch::Device;

use super::Architecture;
use crate::Precision;

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
    /// Whether there is a second set of BatchNorms, for [`Pass::Auxiliary`](crate::Pass::Auxiliary).
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

//! What every user of the network shares: libtorch start-up, devices, precision, residual networks and their checkpoints, batches
//! on the device, and named random streams.
//!
//! Tensors are `tch` tensors. Images are N×1×H×W, f32, in `[0, 1]`; labels are N, i64; logits are N×2, f32.

mod augmentation;
mod choice;
mod device;
mod error;
mod files;
mod images;
mod precision;
mod predict;
mod resnet;
mod sgd;
mod shim;
mod streams;

pub use augmentation::{Augmentation, moved};
pub use choice::UnknownChoice;
pub use device::{Provenance, device, provenance, set_deterministic, share};
pub use error::{Error, guarded};
pub use files::{read_tensors, write_tensors};
pub use images::Images;
pub use precision::Precision;
pub use predict::{predict, predict_each};
pub use resnet::{
    Architecture, Folded, Frozen, IMAGENET_MEAN, IMAGENET_STD, Init, Options, Pass, ResNet, Statistics, Tap,
    Taps,
};
pub use sgd::Sgd;
pub use streams::{Draws, normal, shuffled, stream, stream_seed, uniform};

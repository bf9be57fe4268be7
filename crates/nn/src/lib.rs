//! What every user of the network shares: libtorch start-up, devices, precision, networks and their checkpoints, batches
//! on the device, and named random streams.
//!
//! Tensors are `tch` tensors. Images are N×1×H×W, f32, in `[0, 1]`; labels are N, i64; logits are N×K, K the classes, f32.

mod augmentation;
mod choice;
mod densenet;
mod device;
mod draws;
mod efficientnet;
mod error;
mod files;
mod images;
mod network;
mod precision;
mod predict;
mod recording;
mod resnet;
mod sgd;
mod shim;
mod streams;
mod world;

pub use augmentation::{Augmentation, moved};
pub use choice::UnknownChoice;
pub use device::{Provenance, device, own_stream, provenance, set_deterministic, share, warn_of_waiting};
pub use draws::Draws;
pub use error::{Error, guarded};
pub use files::{read_tensors, write_tensors};
pub use images::Images;
pub use network::{
    Architecture, Convolution, Frozen, IMAGENET_MEAN, IMAGENET_STD, Init, Layers, Network, Options, Pass,
    Statistics, Tap, Taps,
};
pub use precision::Precision;
pub use predict::{predict, predict_each, rows};
pub use recording::Recording;
pub use resnet::Folded;
pub use sgd::Sgd;
pub use streams::{normal, shuffled, stream, stream_seed, uniform};
pub use world::{Backend, Meeting, Misplaced, Place, Rows, Share, World};

//! Training methods: how the loss of one minibatch is made. The loop, the schedule and the checkpoints are elsewhere.
//!
//! A method is one file and one line of [`METHODS`].

mod at;
mod mask;
mod nt;
mod objective;
mod registry;
mod robustness;
mod sg;
mod sga;
mod training;

pub use mask::mask;
pub use objective::{BnStats, GenerateMode, Invalid, Objective};
pub use registry::{METHODS, Method, method};
pub use robustness::robust_accuracy;
pub use training::{Losses, TrainingMethod};

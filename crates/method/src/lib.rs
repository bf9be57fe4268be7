//! Training methods: how the loss of one minibatch is made. The loop, the schedule and the checkpoints are elsewhere.
//!
//! A method is one file and one line of the registry: `docs/adding-a-method.md` goes through one.

mod agreement;
mod alone;
mod boxes;
mod mask;
mod methods;
mod objective;
mod robustness;
mod task;
mod training;

pub use mask::mask;
pub use methods::{METHODS, Method, method};
pub use objective::{BnStats, GenerateMode, Invalid, Objective};
pub use robustness::robust_accuracy;
pub use task::Task;
pub use training::{Losses, TrainingMethod, Update};

//! The training loop: minibatches, schedule, validation, the best epoch, checkpoints. Once, for every method.

mod checkpoint;
mod descent;
mod epoch;
mod error;
mod fit;
mod memory;
mod pace;
mod recorder;
mod schedule;
mod settings;
mod source;
mod state;
mod validation;

pub use checkpoint::Checkpoints;
pub use epoch::Epoch;
pub use error::Error;
pub use fit::{Data, Fitted, Watch, fit};
pub use memory::{fits, largest_batch};
pub use pace::{Pace, pace};
pub use schedule::Schedule;
pub use settings::{EarlyStop, OnNan, Settings};
pub use source::{Minibatches, Order, Source, minibatches};

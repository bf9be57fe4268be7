//! The training loop: minibatches, schedule, validation, the best epoch. Once, for every method.

mod fit;
mod schedule;

pub use fit::{Data, Epoch, Error, Fitted, Settings, Watch, fit, minibatches};
pub use schedule::Schedule;

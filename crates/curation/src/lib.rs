//! What a data curator asks of images and splits: which pictures are the same, whether labels are balanced, what changed
//! between two ingests, whether pixels drifted. Works on what ingests know of their images; knows nothing of the store.

mod balance;
mod change;
mod drift;
mod kept_apart;
mod near;
mod picture;

pub use balance::{Balance, label_balance};
pub use change::{Change, Tally, change};
pub use drift::{Drift, drift};
pub use kept_apart::{Assignment, Member, Outcome, keep_apart};
pub use near::{Pair, Thumbnail, candidates};
pub use picture::{PICTURE, Picture};

//! Stores elsewhere: in a bucket of an S3-compatible server, or in a shared folder. They are laid out as a local store
//! is, so that a folder that was pushed to can be opened as a store. What never leaves a store is its secret.
//!
//! [`Transfer`] moves what is missing between a local store and one elsewhere; [`open`] finds the latter by its address.
//! [`cached`] makes one elsewhere look as if it were local, through a local store of limited size.

mod address;
mod bucket;
mod cache;
mod check;
mod folder;
mod remote;
mod sighting;
mod transfer;

pub use address::{Absent, open};
pub use bucket::Bucket;
pub use cache::{Watch, cached};
pub use check::{Checked, check};
pub use folder::Folder;
pub use remote::Remote;
pub use transfer::{Direction, Moved, Outcome, Transfer};

//! The images of a split, read from the store and decoded once into memory. Everything after ingest starts here.

mod dataset;
mod error;
mod images;

pub use dataset::{Dataset, fingerprint};
pub use error::Error;
pub use images::Cohort;

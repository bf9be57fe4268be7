//! What is in the store for the stages after ingest: data sets, their images decoded once into memory, trained models.

mod changes;
mod dataset;
mod error;
mod history;
mod images;
mod model;
mod test_sets;

pub use changes::changed_images;
pub use dataset::{Dataset, shards};
pub use error::Error;
pub use history::History;
pub use images::Cohort;
pub use model::Model;
pub use test_sets::TestSets;

//! Published data sets: one adapter and one card each, which say what files and labels a folder holds.
//!
//! An adapter decodes nothing, splits nothing and looks for no duplicates: that exists once, elsewhere. A new data set
//! is one file here, one card in `cards/` and one line in [`REGISTRY`].

mod boxes;
mod card;
mod chestx_ray14;
mod class;
mod csv_table;
mod error;
mod files;
mod folder;
mod github_covid;
mod listing;
mod named;
mod phantom;
mod python_boxes;
mod registry;
mod rsna_pneumonia;
mod siim;
mod table;
mod vindr_cxr;

pub use card::{Card, Expected};
pub use error::Error;
pub use listing::{Excluded, Listing};
pub use named::Named;
pub use registry::{DatasetAdapter, REGISTRY, find};

//! What people read: the HTML page with its figures, saliency overlays, and tables for the terminal.

mod drawings;
mod error;
mod figure;
mod figures;
mod gallery;
mod headline;
mod number;
pub mod overlay;
mod page;
mod paper;
mod png;
mod render;
mod results;

pub use drawings::{Drawing, drawings};
pub use error::Error;
pub use page::{
    Comparison, Contest, DataSet, Epoch, FurtherTest, GalleryOverlay, GalleryRow, Model, Objective, Page,
    Probe, Quarantined, Sanity, SplitCount, TestResult, Trail,
};
pub use paper::{File, files};
pub use png::Png;

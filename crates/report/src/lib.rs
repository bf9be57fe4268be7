//! What people read: the HTML page with its figures, saliency overlays, and tables for the terminal.

mod drawings;
mod drawn;
mod error;
mod figure;
mod figures;
mod found;
mod gallery;
mod headline;
mod number;
pub mod overlay;
mod page;
mod paper;
mod png;
mod probe;
mod render;
mod results;

pub use drawings::Drawing;
pub use drawn::Drawn;
pub use error::Error;
pub use found::{BoxGallery, BoxRow, DetectorBoxes};
pub use page::{
    Comparison, Contest, DataSet, Detector, Epoch, FurtherTest, Gallery, GalleryOverlay, GalleryRow, Model,
    ModelFindings, Objective, Page, Quarantined, Radiograph, Sanity, SplitCount, TestResult, Trail,
};
pub use paper::{File, files};
pub use png::Png;
pub use probe::{ImageProbe, Probe, ProbeFigure};

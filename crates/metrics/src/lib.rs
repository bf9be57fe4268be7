//! How good a classifier and its saliency maps are: AUROC with intervals and tests, calibration, localisation.
//!
//! Everything takes plain slices. `scores` are any real numbers, higher meaning "more likely positive"; `positive`
//! tells the class of each; the direction is never guessed from the data.

mod auroc;
mod beside;
mod bootstrap;
mod box_figures;
mod calibration;
mod compared;
mod correlation;
mod delong;
mod detection;
mod error;
mod interval;
mod localisation;
mod meaning;
mod performance;
mod roc;
mod roc_band;
mod seeds;
mod set_figures;
mod several;

pub use auroc::auroc;
pub use beside::{Beside, Less, beside};
pub use bootstrap::{Bootstrap, clustered_auroc, clustered_bootstrap};
pub use box_figures::{BoxFigures, ImageBoxes, box_figures, box_precision};
pub use calibration::{Calibration, ReliabilityBin, calibration};
pub use compared::{Compared, Figure, compared, mean_of};
pub use correlation::rank_correlation;
pub use delong::{Auroc, PairedTest, delong, delong_paired};
pub use detection::{BoxRanking, Detections, SalientBox, box_overlap};
pub use error::{Error, defined};
pub use interval::Interval;
pub use localisation::{BorderShare, Localisation, SaliencyMap};
pub use meaning::{Direction, Meaning};
pub use performance::{Answers, Confusion, Decisions, Estimate, Performance, Reliability, performance};
pub use roc::{
    OperatingPoint, RocPoint, at_threshold, average_precision, roc_curve, sensitivity_at_specificity,
    specificity_at_sensitivity, youden,
};
pub use roc_band::{RocBandPoint, roc_band};
pub use seeds::{Difference, SeededAuroc, Spread, seeded_auroc};
pub use set_figures::{FindingFigure, FindingFigures, OneSource, SetFigures, SourceConfound};
pub use several::{Column, SeveralAuroc, columns, mean_auroc, several_auroc};

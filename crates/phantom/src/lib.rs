//! Generated chest radiographs of two hospitals, in the publishers' layouts, with a shortcut built in.
//!
//! In hospital A a bright side marker stands in an upper corner of most positives and of few negatives; in hospital B
//! it stands in as many of either. A classifier that looks at the marker shines in A and fails in B; one that looks at
//! the lungs, where the opacities are, holds in both. Hospital A is laid out as SIIM-FISABIO-RSNA, hospital B as
//! covid-chestxray-dataset (positives) and ChestX-ray14 (negatives).
//!
//! The same plan gives the same bytes on the same platform.

mod acquisition;
mod anatomy;
mod chest;
mod exposure;
mod hospital_a;
mod hospital_b;
mod marker;
mod markers;
mod opacity;
mod plan;
mod plane;
mod random;
mod texture;
mod vessels;
mod write;

pub use plan::{Hospital, Plan};
pub use write::{Counts, Error, Summary, write};

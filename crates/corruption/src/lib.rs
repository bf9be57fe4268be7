//! Corruptions of images in `[0, 1]`, as they happen between the detector and the reader (after Hendrycks & Dietterich
//! 2019), and images that keep only their border, or all but it. All tensors are N×1×H×W.

mod border;
mod change;
mod jpeg;
mod kind;

pub use border::{border_blanked, border_only};
pub use kind::{Corruption, Invalid, Kind};

//! The course of a training while it runs: JSON lines for programs and `just watch`, event files for TensorBoard.
//!
//! A run has a folder of its own, `curves/<run>`. Everything is counted in training images that the run has seen, so that
//! curves of different minibatches lie on one axis.

mod course;
mod event_file;
mod line;
mod writer;

pub use course::{Course, courses};
pub use line::{Line, Outcome};
pub use writer::Writer;

/// The JSON lines in a run's folder.
const LINES: &str = "curve.jsonl";

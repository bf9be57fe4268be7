//! What is in the store for the stages after ingest: data sets, their images decoded once into memory, trained
//! models; and where images of a patient are, what was made from them, and how all that goes.

mod changes;
mod contest;
mod dataset;
mod error;
mod evaluation;
mod findings;
mod history;
mod images;
mod model;
pub mod named;
mod objective;
mod origin;
pub mod outputs;
mod overlap;
mod same_images;
mod scan;
mod set_aside;
mod setting;
mod stream;
mod test_sets;
mod trace;
mod withdrawn;
mod without;

pub use changes::changed_images;
pub use contest::mean_difference;
pub use dataset::{Dataset, shards};
pub use error::Error;
pub use evaluation::Evaluation;
pub use findings::{Finding, Findings};
pub use history::History;
pub use images::Cohort;
pub use model::Model;
pub use objective::{Objective, UNWRITTEN};
pub use origin::{Origin, Origins};
pub use overlap::Overlap;
pub use same_images::SameImages;
pub use scan::{Found, Identifiers, Images, Scan};
pub use set_aside::SetAside;
pub use setting::{Setting, differences, natural, settings};
pub use stream::{Plan, Squares, Stream};
pub use test_sets::TestSets;
pub use trace::{Holding, Saw, Trace, is_data, of_unknown_origin};
pub use withdrawn::Withdrawn;
pub use without::Remainder;

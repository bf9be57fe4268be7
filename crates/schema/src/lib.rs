//! What a data set is made of: patients, images, labels, splits, and the Parquet shards that hold them.

mod boxes;
mod error;
mod label;
mod manifest;
mod patient;
mod prediction;
mod quarantine;
mod record;
mod row;
mod saliency;
mod shard;
mod split;
mod table;

pub use boxes::{FractionBox, PixelBox};
pub use error::Error;
pub use label::Label;
pub use manifest::{About, Count, Manifest, Shard};
pub use patient::{ImageId, PatientId, PatientKey, Secret, StudyKey};
pub use prediction::{Prediction, read_predictions, write_predictions};
pub use quarantine::{Quarantined, read_quarantine, write_quarantine};
pub use record::ImageRecord;
pub use row::ImageRow;
pub use saliency::{Saliency, read_saliency, write_saliency};
pub use shard::{LARGEST_IMAGE, Pixels, read_shard, write_shard};
pub use split::{Role, Split};

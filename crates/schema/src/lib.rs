//! What a data set is made of: patients, images, labels, splits, and the Parquet shards that hold them.

mod boxes;
mod error;
mod label;
mod manifest;
mod patient;
mod quarantine;
mod record;
mod row;
mod shard;
mod split;

pub use boxes::{FractionBox, PixelBox};
pub use error::Error;
pub use label::Label;
pub use manifest::{About, Count, Manifest, Shard};
pub use patient::{ImageId, PatientId, PatientKey, Secret, StudyKey};
pub use quarantine::{Quarantined, read_quarantine, write_quarantine};
pub use record::ImageRecord;
pub use row::ImageRow;
pub use shard::{LARGEST_IMAGE, Pixels, read_shard, write_shard};
pub use split::{Role, Split};

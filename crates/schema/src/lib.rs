//! What a data set is made of: patients, images, labels, splits, and the Parquet shards that hold them.

mod answer;
mod boxes;
mod cells;
mod error;
mod found_box;
mod index;
mod label;
mod manifest;
mod patient;
mod perceptual;
mod prediction;
mod quarantine;
mod record;
mod row;
mod saliency;
mod shard;
mod split;
mod table;

pub use answer::{Answer, read_answers, write_answers};
pub use boxes::{FractionBox, PixelBox};
pub use cells::{each_cell, is_parquet};
pub use error::Error;
pub use found_box::{FoundBox, read_found_boxes, write_found_boxes};
pub use index::{Identity, IndexEntry, Traits, read_identities, read_index, write_index};
pub use label::Label;
pub use manifest::{About, Count, Counts, Joined, Manifest, Shard, Withdrawal, Work};
pub use patient::{ImageId, PatientId, PatientKey, Secret, StudyKey};
pub use perceptual::PerceptualHash;
pub use prediction::{Prediction, probability, read_predictions, same_images, scored, write_predictions};
pub use quarantine::{Quarantined, read_quarantine, write_quarantine};
pub use record::ImageRecord;
pub use row::ImageRow;
pub use saliency::{Saliency, read_saliency, write_saliency};
pub use shard::{LARGEST_IMAGE, Pixels, ShardWriter, StoredImages, read_images, read_shard, write_shard};
pub use split::{Role, Split};

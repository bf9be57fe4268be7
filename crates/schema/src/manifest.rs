//! The result of an ingest: which shards make up the data set.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ImageId, PatientKey, Role, Split};

/// A data set as ingested: its shards, and what is in them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The adapter's name.
    pub dataset: String,
    /// What it is for.
    pub role: Role,
    /// What its card says.
    pub about: About,
    /// Its shards, by split and bucket.
    pub shards: Vec<Shard>,
    /// Images, patients and labels by split and source.
    pub counts: Vec<Count>,
    /// Files set aside, by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// Patients who look alike: see [`Joined`].
    #[serde(default)]
    pub joined: Joined,
    /// Images that may show text of the patient, by their files' tags.
    #[serde(default)]
    pub text_risk: u64,
    /// What the publisher's tables and folders disagree about, one line each.
    pub notes: Vec<String>,
}

/// What near-duplicates did to the splits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// Patients who went to the split of a patient with the same picture.
    pub patients: Vec<PatientKey>,
    /// Pairs of images that stay in two splits, since parting them would move a patient that an earlier ingest placed.
    pub conflicts: Vec<[ImageId; 2]>,
}

/// What a data set's card says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The full name.
    pub title: String,
    /// Where it comes from.
    pub source: String,
    /// Its licence.
    pub licence: String,
}

/// How much of an ingest was work: in the result's provenance, since it depends on what the store had before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Files decoded.
    pub read: u64,
    /// Images whose pixels the store had.
    pub reused: u64,
    /// Files set aside, now or before.
    pub quarantined: u64,
    /// Shards of the data set.
    pub shards: u64,
    /// Shards written.
    pub rebuilt: u64,
}

/// One shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// The split its rows belong to.
    pub split: Split,
    /// The bucket of patients its rows belong to.
    pub bucket: u32,
    /// The name of the Parquet file among the ingest's outputs.
    pub name: String,
    /// Number of images.
    pub images: u64,
}

/// What one source gives to one split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The split.
    pub split: Split,
    /// The collection.
    pub source: String,
    /// Number of images.
    pub images: u64,
    /// Number of patients.
    pub patients: u64,
    /// Number of images of class 0.
    pub negative: u64,
    /// Number of images of class 1.
    pub covid: u64,
}

impl Manifest {
    /// A split's shards, in order.
    pub fn shards_of(&self, split: Split) -> impl Iterator<Item = &Shard> {
        self.shards.iter().filter(move |shard| shard.split == split)
    }
}

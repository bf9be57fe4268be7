//! The result of an ingest: which shards make up the data set.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use crate::{ImageId, IndexEntry, Label, PatientKey, Role, Split};

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
    /// Files left out since their patients withdrew consent.
    #[serde(default, skip_serializing_if = "Withdrawal::is_empty")]
    pub withdrawn: Withdrawal,
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
    /// Patients all of whose images are set aside since others in another split show the same, and the split in which they stay.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kept: BTreeMap<PatientKey, Split>,
}

/// What is left out since patients withdrew consent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// Number of patients.
    pub patients: u64,
    /// Number of their images.
    pub images: u64,
}

impl Withdrawal {
    /// Whether nothing is left out.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Withdrawal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = |count| if count == 1 { "" } else { "s" };
        let Self { patients, images } = *self;
        write!(f, "{patients} patient{} withdrew consent, {images} image{}", many(patients), many(images))
    }
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

/// Images, patients and labels by split and source, as [`Manifest::counts`] gives them.
#[derive(Clone, Debug, Default)]
pub struct Counts(BTreeMap<(Split, String), Count>);

impl Counts {
    /// Counts the images of a bucket. A patient is in one bucket only, so buckets add up.
    pub fn add(&mut self, entries: &[IndexEntry]) {
        let mut patients = BTreeSet::new();
        for entry in entries {
            let count = self.0.entry((entry.split, entry.source.clone())).or_insert_with(|| Count {
                split: entry.split,
                source: entry.source.clone(),
                images: 0,
                patients: 0,
                negative: 0,
                covid: 0,
            });
            count.images += 1;
            count.patients += u64::from(patients.insert(&entry.patient_key));
            count.negative += u64::from(entry.label == Label::Negative);
            count.covid += u64::from(entry.label == Label::Covid);
        }
    }

    /// The counts, in the order of splits and sources.
    pub fn into_vec(self) -> Vec<Count> {
        self.0.into_values().collect()
    }
}

impl Manifest {
    /// A split's shards, in order.
    pub fn shards_of(&self, split: Split) -> impl Iterator<Item = &Shard> {
        self.shards.iter().filter(move |shard| shard.split == split)
    }
}

//! Which evaluations can be set beside each other.

use std::collections::BTreeMap;

use schema::Split;
use store::Digest;

use crate::{Dataset, Error, Evaluation, shards};

/// The test images of each split on which models are compared: those that the data sets have now if any model was tested on
/// them, else those on which most models were tested.
#[derive(Clone, Debug)]
pub struct SameImages {
    shards: BTreeMap<Split, Vec<Digest>>,
    /// The splits of which they are not those that the data sets have now.
    pub outdated: Vec<Split>,
}

impl SameImages {
    /// Of these evaluations, each of all test sets.
    pub fn of(datasets: &[Dataset], evaluations: &[&Evaluation]) -> Result<Self, Error> {
        let mut same = Self { shards: BTreeMap::new(), outdated: Vec::new() };
        for split in [Split::Test, Split::Ood] {
            let now = shards(datasets, split)?;
            let mut read: BTreeMap<&[Digest], usize> = BTreeMap::new();
            for shards in evaluations.iter().filter_map(|evaluation| evaluation.shards(split)) {
                *read.entry(shards).or_default() += 1;
            }
            let most = read.iter().max_by_key(|(_, models)| **models).map(|(shards, _)| shards.to_vec());
            let shown = match most {
                Some(most) if !read.contains_key(&now[..]) => {
                    same.outdated.extend((!datasets.is_empty()).then_some(split));
                    most
                }
                _ => now,
            };
            same.shards.insert(split, shown);
        }
        Ok(same)
    }

    /// Whether an evaluation of all test sets is on these images of a split; so it is where it was not tested there.
    pub fn are_of(&self, evaluation: &Evaluation, split: Split) -> bool {
        self.are(evaluation.shards(split), split)
    }

    /// Whether a stage that read these shards of a split, or none of it, read these images.
    pub fn are(&self, read: Option<&[Digest]>, split: Split) -> bool {
        read.is_none_or(|read| self.shards.get(&split).is_none_or(|these| read == these))
    }

    /// Whether these have all the images of an evaluation of a split, be it of one data set alone.
    pub fn hold(&self, evaluation: &Evaluation, split: Split) -> bool {
        let these = self.shards.get(&split).map(Vec::as_slice).unwrap_or_default();
        evaluation.shards(split).unwrap_or_default().iter().all(|shard| these.contains(shard))
    }
}

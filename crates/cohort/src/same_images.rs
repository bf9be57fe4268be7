//! Which evaluations can be set beside each other.

use std::collections::BTreeMap;

use schema::Split;
use store::Digest;

use crate::{Dataset, Error, Evaluation, shards};

/// The test images that most can be said of: those of the data sets as they are now if any model was tested on them, else those on
/// which most models were tested.
#[derive(Clone, Debug)]
pub struct SameImages {
    shards: BTreeMap<Split, Vec<Digest>>,
    /// Whether they are those of the data sets as they are now.
    pub of_now: bool,
}

impl SameImages {
    /// Of these evaluations, each of all test sets.
    pub fn of<'e>(
        datasets: &[Dataset],
        evaluations: impl Iterator<Item = &'e Evaluation>,
    ) -> Result<Self, Error> {
        let now = [Split::Test, Split::Ood].map(|split| Ok::<_, Error>((split, shards(datasets, split)?)));
        let now: BTreeMap<_, _> = now.into_iter().collect::<Result<_, _>>()?;
        let mut read: BTreeMap<Vec<Option<Vec<Digest>>>, usize> = BTreeMap::new();
        let now = Self { shards: now, of_now: true };
        for evaluation in evaluations {
            if now.are_of(evaluation) {
                return Ok(now);
            }
            let shards = now.shards.keys().map(|split| evaluation.shards(*split).map(<[_]>::to_vec));
            *read.entry(shards.collect()).or_default() += 1;
        }
        let Some((most, _)) = read.into_iter().max_by_key(|(_, models)| *models) else { return Ok(now) };
        let splits = now.shards.into_keys().zip(most);
        let shards = splits.map(|(split, shards)| (split, shards.unwrap_or_default())).collect();
        Ok(Self { shards, of_now: datasets.is_empty() })
    }

    /// Whether these are the images of a model's evaluation, on the sets on which it was tested.
    pub fn are_of(&self, evaluation: &Evaluation) -> bool {
        self.shards.iter().all(|(split, these)| evaluation.shards(*split).is_none_or(|read| read == these))
    }

    /// Whether these have all the images of an evaluation, be it of one data set alone.
    pub fn hold(&self, evaluation: &Evaluation) -> bool {
        let read = |split: &Split| evaluation.shards(*split).unwrap_or_default();
        self.shards.iter().all(|(split, these)| read(split).iter().all(|shard| these.contains(shard)))
    }
}

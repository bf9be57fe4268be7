//! The two sets that models are tested on.

use std::collections::HashSet;

use schema::{Identity, Role, Split};
use store::{Digest, Store};

use crate::{Cohort, Dataset, Error, History, Model, shards};

/// The test images of the training hospitals and those of the unseen ones.
#[derive(Clone, Debug)]
pub struct TestSets {
    iid: Vec<Dataset>,
    ood: Vec<Dataset>,
}

impl TestSets {
    /// Every ingested data set, in its role.
    pub fn open(store: &Store) -> Result<Self, Error> {
        let (iid, ood) =
            Dataset::all(store)?.into_iter().partition(|dataset| dataset.manifest.role == Role::Iid);
        Ok(Self { iid, ood })
    }

    /// One ingested data set alone: all of it if it is unseen, its test split if it is to train on.
    pub fn of_one(store: &Store, name: &str) -> Result<Self, Error> {
        let (iid, ood) =
            [Dataset::open(store, name)?].into_iter().partition(|one| one.manifest.role == Role::Iid);
        Ok(Self { iid, ood })
    }

    /// The data sets that a model was trained on, as they are now, with the unseen ones; all where none of them is known.
    pub fn trained_on(&self, store: &Store, model: &Model) -> Result<Self, Error> {
        let seen = [Split::Train, Split::Validation].map(|split| model.result.inputs.get(split.name()));
        let seen: HashSet<&Digest> = seen.into_iter().flatten().flatten().collect();
        let mut iid = Vec::new();
        for dataset in &self.iid {
            let mut ingests = vec![dataset.clone()];
            for name in History::of(store, &dataset.manifest.dataset)?.names {
                ingests.push(History::open(store, &name)?);
            }
            let holds = |one: &Dataset| {
                let kept = one.result.inputs.values().flatten();
                one.result.outputs.values().chain(kept).any(|shard| seen.contains(shard))
            };
            if ingests.iter().any(holds) {
                iid.push(dataset.clone());
            }
        }
        Ok(if iid.is_empty() { self.clone() } else { Self { iid, ood: self.ood.clone() } })
    }

    /// The names of the data sets of a set.
    pub fn names(&self, split: Split) -> Vec<&str> {
        self.of(split).iter().map(|dataset| dataset.manifest.dataset.as_str()).collect()
    }

    /// The splits that hold images: [`Split::Test`], [`Split::Ood`].
    pub fn splits(&self) -> Vec<Split> {
        let sets = [(Split::Test, &self.iid), (Split::Ood, &self.ood)];
        let full = sets.into_iter().filter(|(split, datasets)| {
            datasets.iter().any(|dataset| dataset.manifest.shards_of(*split).next().is_some())
        });
        full.map(|(split, _)| split).collect()
    }

    /// The shards of a set.
    pub fn shards(&self, split: Split) -> Result<Vec<Digest>, Error> {
        shards(self.of(split), split)
    }

    /// The images of a set; see [`Cohort::read`].
    pub fn read(
        &self,
        store: &Store,
        split: Split,
        side: u32,
        seen: impl Fn() + Sync,
    ) -> Result<Cohort, Error> {
        Cohort::read(store, self.of(split), split, side, seen)
    }

    /// The number of images of a set.
    pub fn images(&self, split: Split) -> u64 {
        self.of(split)
            .iter()
            .flat_map(|dataset| dataset.manifest.shards_of(split))
            .map(|shard| shard.images)
            .sum()
    }

    /// Calls `with` for what the ingests know of each image of a set.
    pub fn each_identity(
        &self,
        store: &Store,
        split: Split,
        mut with: impl FnMut(Identity),
    ) -> Result<(), Error> {
        self.of(split).iter().try_for_each(|dataset| {
            dataset.each_identity(store, |identity| {
                if identity.split == split {
                    with(identity);
                }
            })
        })
    }

    fn of(&self, split: Split) -> &[Dataset] {
        if split == Split::Ood { &self.ood } else { &self.iid }
    }
}

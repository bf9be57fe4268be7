//! Whether a model would be tested on patients that it was trained on.

use std::collections::{BTreeSet, HashSet};

use schema::{PatientKey, Split, read_identities};
use store::{Digest, Store};

use crate::{Dataset, Error, Model, TestSets, changes::indices};

/// What training and tests have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Test patients whose images the model was trained or validated on.
    pub patients: usize,
    /// Shards that it was trained or validated on and of whose patients nothing is known any more.
    pub unknown: usize,
}

impl Overlap {
    /// That of a model with these tests. What the data sets have now is in disjoint splits, so only shards of an earlier
    /// ingest are looked at: its splits may have been others.
    pub fn of(store: &Store, model: &Model, tests: &TestSets) -> Result<Self, Error> {
        const SEEN: [Split; 2] = [Split::Train, Split::Validation];
        let mut now: HashSet<Digest> = HashSet::new();
        for dataset in Dataset::all(store)? {
            for split in SEEN {
                now.extend(dataset.shards(split)?);
            }
        }
        let inputs = SEEN.iter().filter_map(|split| model.result.inputs.get(split.name()));
        let earlier: Vec<&Digest> = inputs.flatten().filter(|shard| !now.contains(shard)).collect();
        let mut overlap = Self::default();
        if earlier.is_empty() {
            return Ok(overlap);
        }
        let indices = indices(store)?;
        let mut seen: BTreeSet<PatientKey> = BTreeSet::new();
        for shard in earlier {
            match indices.get(shard).filter(|index| store.reaches(index).unwrap_or(false)) {
                Some(index) => {
                    let identities = read_identities(&store.object(index)?)?;
                    seen.extend(identities.into_iter().map(|identity| identity.patient_key));
                }
                None => overlap.unknown += 1,
            }
        }
        overlap.patients = tests.patients(store)?.intersection(&seen).count();
        Ok(overlap)
    }
}

//! Whether a model would be tested on what it was trained on.

use std::collections::{BTreeSet, HashSet};

use schema::{Identity, PatientKey, Split, read_identities};
use store::{Digest, Store};

use crate::{Error, Model, TestSets, changes::indices};

/// What a model has seen, and is to be tested on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Patients of whom it has seen images. Patients of two sources are two people.
    pub patients: usize,
    /// Files that it has seen, of whichever patient: one image in two data sets.
    pub files: usize,
    /// Shards that it has seen and of whose images nothing is known any more.
    pub unknown: usize,
}

impl Overlap {
    /// What the tests have in common with the images that a model was trained or validated on.
    pub fn of_tests(store: &Store, model: &Model, tests: &TestSets) -> Result<Self, Error> {
        Self::of(store, seen_by(model, &[Split::Train, Split::Validation]), tests, &tests.splits())
    }

    /// What the validation images of now have in common with those that a model was trained on: of an earlier ingest, for
    /// the splits of one are disjoint.
    pub fn of_validation(store: &Store, model: &Model, training: &TestSets) -> Result<Self, Error> {
        let now: HashSet<Digest> = training.shards(Split::Train)?.into_iter().collect();
        let earlier: Vec<&Digest> =
            seen_by(model, &[Split::Train]).into_iter().filter(|shard| !now.contains(shard)).collect();
        if earlier.is_empty() {
            return Ok(Self::default());
        }
        Self::of(store, earlier, training, &[Split::Validation])
    }

    /// Why a model must not be tested so, and what to do; `None` where it may be.
    pub fn forbids(&self, model: &str) -> Option<(String, &'static str)> {
        let Self { patients, files, .. } = self;
        if *patients > 0 {
            let message =
                format!("{patients} patients of the tests are among those that {model} was trained on");
            return Some((
                message,
                "the data were split anew since: train on them again, or ingest with the split_seed of before",
            ));
        }
        (*files > 0).then(|| {
            let message = format!("{files} files of the tests are among those that {model} was trained on");
            (
                message,
                "an image is in two data sets, or had another patient when it was trained: `just leakage`, `just diff`; \
                 take it out of one, or one away (`just store do=remove ref=ingest/NAME`), train again, or test on=NAME alone",
            )
        })
    }

    fn of(store: &Store, seen: Vec<&Digest>, sets: &TestSets, splits: &[Split]) -> Result<Self, Error> {
        let (mut patients, mut files): (BTreeSet<PatientKey>, HashSet<String>) = Default::default();
        let mut overlap = Self::default();
        let indices = indices(store)?;
        for shard in seen {
            match indices.get(shard).filter(|index| store.reaches(index).unwrap_or(false)) {
                Some(index) => {
                    for Identity { patient_key, source_digest, .. } in read_identities(&store.object(index)?)?
                    {
                        patients.insert(patient_key);
                        files.insert(source_digest);
                    }
                }
                None => overlap.unknown += 1,
            }
        }
        let mut known: BTreeSet<PatientKey> = BTreeSet::new();
        for split in splits {
            sets.each_identity(store, *split, |Identity { patient_key, source_digest, .. }| {
                overlap.files += usize::from(files.contains(&source_digest));
                if patients.contains(&patient_key) {
                    known.insert(patient_key);
                }
            })?;
        }
        overlap.patients = known.len();
        Ok(overlap)
    }
}

/// The shards of a model's splits.
fn seen_by<'a>(model: &'a Model, splits: &[Split]) -> Vec<&'a Digest> {
    splits.iter().filter_map(|split| model.result.inputs.get(split.name())).flatten().collect()
}

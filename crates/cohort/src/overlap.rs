//! Whether a model would be tested on what it was trained on.

use std::collections::{BTreeSet, HashSet};

use schema::{PatientKey, Split, read_identities};
use store::{Digest, Record, Store};

use crate::{
    Error, Model, TestSets,
    changes::{index_of, indices},
};

/// What a model has seen, itself or in what its first weights were trained on, and is to be tested on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Patients of whom it has seen images. Patients of two sources are two people.
    pub patients: usize,
    /// Files that it has seen, of whichever patient: one image in two data sets.
    pub files: usize,
    /// Images whose pixels it has seen, in whichever file.
    pub pictures: usize,
    /// Shards that it has seen and of whose images nothing is known any more.
    pub unknown: usize,
}

impl Overlap {
    /// What the tests have in common with the images that a model was trained or validated on.
    pub fn of_tests(store: &Store, model: &Model, tests: &TestSets) -> Result<Self, Error> {
        let records = store.records();
        let seen = seen_by(&records, model, &[Split::Train, Split::Validation]);
        Self::of(store, &records, &seen, tests, &tests.splits())
    }

    /// What the validation images of now have in common with those that a model was trained on: of an earlier ingest, for
    /// the splits of one are disjoint.
    pub fn of_validation(store: &Store, model: &Model, training: &TestSets) -> Result<Self, Error> {
        let now: HashSet<Digest> = training.shards(Split::Train)?.into_iter().collect();
        let records = store.records();
        let mut earlier = seen_by(&records, model, &[Split::Train]);
        earlier.retain(|shard| !now.contains(shard));
        if earlier.is_empty() {
            return Ok(Self::default());
        }
        Self::of(store, &records, &earlier, training, &[Split::Validation])
    }

    /// Which of these models saw images of which nothing is known any more: whether they are tested on some of them cannot be told.
    pub fn untold<'a>(store: &Store, models: impl IntoIterator<Item = &'a Model>) -> Vec<&'a Model> {
        let records = store.records();
        let indices = indices(&records);
        let is_known = |shard: &Digest| index_of(store, &indices, shard).is_some();
        let is_untold = |model: &&Model| {
            !seen_by(&records, model, &[Split::Train, Split::Validation]).iter().all(is_known)
        };
        models.into_iter().filter(is_untold).collect()
    }

    /// Why a model must not be tested so, and what to do; `None` where it may be.
    pub fn forbids(&self, model: &str) -> Option<(String, &'static str)> {
        let anew = "the data were split anew since: train on them again, or ingest with the split_seed of before; first weights \
                    count as well";
        let twice = "an image is in two data sets, or had another patient when it was trained: `just leakage`, `just diff`; take it \
                     out of one, or one away (`just store do=remove ref=ingest/NAME`), train again, or test on=NAME alone";
        let found = [
            (self.patients, "patients of the tests are among those", anew),
            (self.files, "files of the tests are among those", twice),
            (self.pictures, "images of the tests have the pixels of those", twice),
        ];
        let (number, what, remedy) = found.into_iter().find(|(number, ..)| *number > 0)?;
        Some((format!("{number} {what} that {model} was trained on"), remedy))
    }

    /// Whether it has seen none of it, as far as is known.
    pub fn is_none(&self) -> bool {
        self.patients + self.files + self.pictures == 0
    }

    fn of(
        store: &Store,
        records: &[Record],
        seen: &[Digest],
        sets: &TestSets,
        splits: &[Split],
    ) -> Result<Self, Error> {
        let (mut patients, mut files, mut pixels): (BTreeSet<PatientKey>, HashSet<String>, HashSet<String>) =
            Default::default();
        let mut overlap = Self::default();
        let indices = indices(records);
        for shard in seen {
            match index_of(store, &indices, shard) {
                Some(index) => {
                    for image in read_identities(&store.object(index)?)? {
                        patients.insert(image.patient_key);
                        files.insert(image.source_digest);
                        pixels.insert(image.pixel_digest);
                    }
                }
                None => overlap.unknown += 1,
            }
        }
        let mut known: BTreeSet<PatientKey> = BTreeSet::new();
        for split in splits {
            sets.each_identity(store, *split, |image| {
                overlap.files += usize::from(files.contains(&image.source_digest));
                overlap.pictures += usize::from(pixels.contains(&image.pixel_digest));
                if patients.contains(&image.patient_key) {
                    known.insert(image.patient_key);
                }
            })?;
        }
        overlap.patients = known.len();
        Ok(overlap)
    }
}

/// The shards of these splits that a model was trained on, and those of the trainings that its first weights come from,
/// be they without a name.
fn seen_by(records: &[Record], model: &Model, splits: &[Split]) -> Vec<Digest> {
    let trainings = || records.iter().map(|record| &record.result).filter(|result| result.stage == "train");
    let mut seen = Vec::new();
    let (mut next, mut known) = (Some(&model.result), HashSet::new());
    while let Some(result) = next {
        seen.extend(splits.iter().filter_map(|split| result.inputs.get(split.name())).flatten());
        let first = result.document["parameters"]["init"].as_str();
        let first = first.and_then(|init| init.parse::<Digest>().ok()).filter(|first| known.insert(*first));
        next = first.and_then(|first| {
            trainings().find(|training| training.outputs.values().any(|output| *output == first))
        });
    }
    seen
}

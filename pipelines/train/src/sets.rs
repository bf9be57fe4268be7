//! Training and validation images on the device, which the runs of a sweep share.

use std::{collections::BTreeMap, sync::Mutex};

use cohort::{Cohort, Dataset};
use nn::Images;
use schema::Split;
use stage::{Failure, Fallible, Result, progress};
use store::{Digest, Store};

/// What was read so far.
#[derive(Default)]
pub(crate) struct Sets(Mutex<BTreeMap<Asked, Set>>);

/// Shards, side and device.
type Asked = (Vec<Digest>, u32, String);

/// Images to train on and images to choose the epoch by.
pub(crate) struct Set {
    pub(crate) train: Images,
    pub(crate) validation: Images,
    /// Which of the validation images are of class 1.
    pub(crate) positive: Vec<bool>,
    /// The name of each training image.
    pub(crate) names: Vec<String>,
}

impl Sets {
    /// The images of these data sets at this side; read once.
    pub(crate) fn read(
        &self,
        store: &Store,
        datasets: &[Dataset],
        side: u32,
        device: tch::Device,
    ) -> Result<Set> {
        let shards = cohort::shards(datasets, Split::Train).or_other()?;
        // While one run reads, the others wait: they want the same.
        let mut known = self.0.lock().expect("no run panics while it reads");
        let key = (shards, side, format!("{device:?}"));
        if let Some(set) = known.get(&key) {
            return Ok(set.shallow_clone());
        }
        let load = |cohort: &Cohort| {
            Images::new(&cohort.pixels, &cohort.labels(), i64::from(side), device).or_other()
        };
        let (train, validation) =
            (read(store, datasets, side, Split::Train)?, read(store, datasets, side, Split::Validation)?);
        let set = Set {
            train: load(&train)?,
            validation: load(&validation)?,
            positive: validation.positive(),
            names: train.rows.iter().map(|row| row.image_id.to_string()).collect(),
        };
        Ok(known.entry(key).or_insert(set).shallow_clone())
    }
}

impl Set {
    fn shallow_clone(&self) -> Self {
        Self {
            train: self.train.shallow_clone(),
            validation: self.validation.shallow_clone(),
            positive: self.positive.clone(),
            names: self.names.clone(),
        }
    }
}

fn read(store: &Store, datasets: &[Dataset], side: u32, split: Split) -> Result<Cohort> {
    let shards = datasets.iter().flat_map(|dataset| dataset.manifest.shards_of(split));
    let bar = progress::bar(
        &format!("decoding {}", split.name()),
        shards.map(|shard| shard.images).sum(),
        "images",
    );
    let cohort = Cohort::read(store, datasets, split, side, || bar.inc(1)).or_other()?;
    bar.finish_and_clear();
    if cohort.is_empty() {
        return Err(Failure::data(format!("the {} split is empty", split.name())));
    }
    Ok(cohort)
}

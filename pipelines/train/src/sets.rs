//! Training and validation images, which the runs of a sweep share.

use std::{collections::BTreeMap, sync::Mutex};

use cohort::{Cohort, Dataset, Stream};
use indicatif::HumanBytes;
use nn::Images;
use rand::seq::SliceRandom;
use schema::{Label, Split};
use stage::{Failure, Fallible, Result, progress};
use store::{Digest, Store};
use sysinfo::{MemoryRefreshKind, RefreshKind, System};
use tch::Device;
use trainer::Source;

use crate::{parameters::Run, streamed::Streamed};

/// What was read so far.
#[derive(Default)]
pub(crate) struct Sets(Mutex<BTreeMap<Asked, Set>>);

/// Shards, side, device, images that are shuffled together, and by which seed labels are.
type Asked = (Vec<Digest>, u32, String, usize, Option<u64>);

/// Images to train on and images to choose the epoch by.
pub(crate) struct Set {
    train: Loaded,
    validation: Loaded,
    /// Which of the validation images are of class 1.
    pub(crate) positive: Vec<bool>,
    /// The name of each training image.
    pub(crate) names: Vec<String>,
}

/// A split, in the device's memory or in its shards.
enum Loaded {
    Held(Images),
    Streamed(Streamed),
}

impl Sets {
    /// The images of these data sets at this side; held on the device, once for all runs, or streamed.
    pub(crate) fn read(&self, store: &Store, datasets: &[Dataset], run: &Run, device: Device) -> Result<Set> {
        let shards = cohort::shards(datasets, Split::Train).or_other()?;
        // While one run reads, the others wait: they want the same.
        let mut known = self.0.lock().expect("no run panics while it reads");
        let key = (shards, run.side, format!("{device:?}"), run.stream, run.labels_from());
        if let Some(set) = known.get(&key) {
            return Ok(set.shallow_clone());
        }
        let set = if run.stream == 0 {
            held(store, datasets, run, device)
        } else {
            streamed(store, datasets, run, device)
        }?;
        Ok(known.entry(key).or_insert(set).shallow_clone())
    }
}

impl Set {
    /// Images to train on.
    pub(crate) fn train(&self) -> &dyn Source {
        self.train.source()
    }

    /// Images to choose the epoch by.
    pub(crate) fn validation(&self) -> &dyn Source {
        self.validation.source()
    }

    fn shallow_clone(&self) -> Self {
        Self {
            train: self.train.shallow_clone(),
            validation: self.validation.shallow_clone(),
            positive: self.positive.clone(),
            names: self.names.clone(),
        }
    }
}

impl Loaded {
    fn source(&self) -> &dyn Source {
        match self {
            Self::Held(images) => images,
            Self::Streamed(images) => images,
        }
    }

    fn shallow_clone(&self) -> Self {
        match self {
            Self::Held(images) => Self::Held(images.shallow_clone()),
            Self::Streamed(images) => Self::Streamed(images.clone()),
        }
    }
}

fn held(store: &Store, datasets: &[Dataset], run: &Run, device: Device) -> Result<Set> {
    let side = run.side;
    let load = |cohort: &Cohort, labels: &[i64]| {
        Images::new(&cohort.pixels, labels, i64::from(side), device)
            .or_other()
            .map_err(|failure| failure.remedy("read them while training: stream=4096"))
    };
    let (train, validation) =
        (read(store, datasets, side, Split::Train)?, read(store, datasets, side, Split::Validation)?);
    let (mut labels, mut chosen_by) = (train.labels(), validation.labels());
    shuffle(&mut labels, run.labels_from(), Split::Train);
    shuffle(&mut chosen_by, run.labels_from(), Split::Validation);
    Ok(Set {
        train: Loaded::Held(load(&train, &labels)?),
        validation: Loaded::Held(load(&validation, &chosen_by)?),
        positive: positive(&chosen_by),
        names: train.rows.iter().map(|row| row.image_id.to_string()).collect(),
    })
}

fn read(store: &Store, datasets: &[Dataset], side: u32, split: Split) -> Result<Cohort> {
    let images: u64 =
        datasets.iter().flat_map(|dataset| dataset.manifest.shards_of(split)).map(|shard| shard.images).sum();
    fits_in_memory(images, side)?;
    let bar = progress::bar(&format!("decoding {}", split.name()), images, "images");
    let cohort = Cohort::read(store, datasets, split, side, || bar.inc(1)).or_other()?;
    bar.finish_and_clear();
    if cohort.is_empty() { Err(empty(split)) } else { Ok(cohort) }
}

/// Refuses what would end in the system killing the program.
fn fits_in_memory(images: u64, side: u32) -> Result<()> {
    const COPIES: u64 = 2; // while they are put together
    let needed = COPIES * images * u64::from(side).pow(2);
    let system =
        System::new_with_specifics(RefreshKind::nothing().with_memory(MemoryRefreshKind::everything()));
    let free = system.available_memory();
    if free > 0 && needed > free {
        let [needed, free] = [needed, free].map(HumanBytes);
        return Err(Failure::other(format!(
            "{images} images of {side} pixels take {needed} of memory, and {free} are free"
        ))
        .remedy("read them while training: stream=4096; or a smaller size="));
    }
    Ok(())
}

fn streamed(store: &Store, datasets: &[Dataset], run: &Run, device: Device) -> Result<Set> {
    let open = |split| {
        let mut stream = Stream::open(store, datasets, split, run.side).or_other()?;
        let mut labels = stream.labels.to_vec();
        shuffle(&mut labels, run.labels_from(), split);
        stream.labels = labels.into();
        if stream.is_empty() { Err(empty(split)) } else { Ok(stream) }
    };
    let (train, validation) = (open(Split::Train)?, open(Split::Validation)?);
    Ok(Set {
        positive: positive(&validation.labels),
        names: train.names.iter().map(ToString::to_string).collect(),
        train: Loaded::Streamed(Streamed::new(train, run.stream, device)),
        validation: Loaded::Streamed(Streamed::new(validation, run.stream, device)),
    })
}

/// Deals the labels of a split out anew where there is a seed for that; their shares stay.
fn shuffle(labels: &mut [i64], seed: Option<u64>, split: Split) {
    if let Some(seed) = seed {
        labels.shuffle(&mut nn::stream(seed, &format!("labels of {}", split.name()), 0, 0));
    }
}

fn positive(labels: &[i64]) -> Vec<bool> {
    labels.iter().map(|label| *label == Label::Covid.index()).collect()
}

fn empty(split: Split) -> Failure {
    Failure::data(format!("the {} split is empty", split.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffled_labels_keep_their_shares_and_know_nothing_of_the_images() {
        let labels: Vec<i64> = (0..1000).map(|image| i64::from(image % 10 < 3)).collect();
        let dealt = |seed, split| {
            let mut dealt = labels.clone();
            shuffle(&mut dealt, seed, split);
            dealt
        };
        assert_eq!(dealt(None, Split::Train), labels);
        let train = dealt(Some(0), Split::Train);
        assert_eq!(train.iter().sum::<i64>(), 300);
        assert_eq!(train, dealt(Some(0), Split::Train));
        for other in [dealt(Some(1), Split::Train), dealt(Some(0), Split::Validation), labels.clone()] {
            let both = train.iter().zip(&other).filter(|(a, b)| **a + **b == 2).count();
            assert!((50..130).contains(&both), "{both} of 300; 90 by chance");
        }
    }
}

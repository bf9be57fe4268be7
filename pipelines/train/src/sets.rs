//! Training and validation images, which the runs of a sweep share.

use std::{collections::BTreeMap, sync::Mutex};

use cohort::{Cohort, Dataset, Findings, Stream};
use indicatif::HumanBytes;
use metrics::{ImageBoxes, box_precision, columns, mean_auroc};
use nn::Images;
use rand::seq::SliceRandom;
use schema::{Asked, ImageRow, Split, Truth};
use stage::{Failure, Fallible, Result, progress};
use store::{Digest, Store};
use sysinfo::{MemoryRefreshKind, RefreshKind, System};
use tch::{Device, Tensor};
use trainer::Source;

use crate::{run::Run, streamed::Streamed};

/// What was read so far.
#[derive(Default)]
pub(crate) struct Sets(Mutex<BTreeMap<Key, Set>>);

/// Shards, side, device, images that are shuffled together, by which seed labels are, and what is asked.
type Key = (Vec<Digest>, u32, String, usize, Option<u64>, String);

/// Images to train on and images to choose the epoch by.
pub(crate) struct Set {
    train: Loaded,
    validation: Loaded,
    /// What the network tells apart.
    pub(crate) findings: Findings,
    /// Of the validation images.
    truth: Truth,
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
        let asked = format!("{:?}", run.asked);
        let key = (shards, run.side, format!("{device:?}"), run.stream, run.labels_from(), asked);
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

    /// How good the outputs on the validation images are: AUROC, the mean over the findings; the average precision of boxes.
    pub(crate) fn figure(&self, outputs: &Tensor) -> Result<f64, metrics::Error> {
        match &self.truth {
            Truth::Findings(held) => self.mean_auroc(outputs, held),
            Truth::Boxes(boxes) => {
                let found = detection::found(outputs).into_iter().zip(boxes);
                let images: Vec<ImageBoxes> = found
                    .map(|(found, truth)| ImageBoxes {
                        found: found.into_iter().map(|one| (one.area, one.score)).collect(),
                        truth: truth.clone(),
                    })
                    .collect();
                Ok(box_precision(&images, 0.5).expect("some validation image has a box"))
            }
        }
    }

    fn mean_auroc(&self, outputs: &Tensor, held: &[Vec<bool>]) -> Result<f64, metrics::Error> {
        let scores: Vec<Vec<f64>> =
            nn::rows(outputs).iter().map(|logits| self.findings.scores(logits)).collect();
        mean_auroc(&columns(&scores, held, self.findings.told_apart()))
    }

    fn shallow_clone(&self) -> Self {
        Self {
            train: self.train.shallow_clone(),
            validation: self.validation.shallow_clone(),
            findings: self.findings.clone(),
            truth: self.truth.clone(),
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
            Self::Streamed(images) => Self::Streamed(images.shallow_clone()),
        }
    }
}

fn held(store: &Store, datasets: &[Dataset], run: &Run, device: Device) -> Result<Set> {
    let splits = [Split::Train, Split::Validation];
    fits_in_memory(splits.map(|split| count(datasets, split)).iter().sum(), run.side)?;
    let read = |split| read(store, datasets, run.side, split);
    let (train, validation) = (read(Split::Train)?, read(Split::Validation)?);
    let findings = findings(run.asked, &train.rows)?;
    let load = |cohort: &Cohort, truth: &Truth| {
        Images::new(&cohort.pixels, &run.objective.task.truth(truth), i64::from(run.side), device)
            .or_other()
            .map_err(|failure| failure.remedy("read them while training: stream=4096"))
    };
    let truth_of_train = truth(&findings, &train.rows, run, Split::Train)?;
    let truth = truth(&findings, &validation.rows, run, Split::Validation)?;
    Ok(Set {
        train: Loaded::Held(load(&train, &truth_of_train)?),
        validation: Loaded::Held(load(&validation, &truth)?),
        names: names(&train.rows),
        findings,
        truth,
    })
}

fn read(store: &Store, datasets: &[Dataset], side: u32, split: Split) -> Result<Cohort> {
    let bar = progress::bar(&format!("decoding {}", split.name()), count(datasets, split), "images");
    let cohort = Cohort::read(store, datasets, split, side, || bar.inc(1)).or_other()?;
    bar.finish_and_clear();
    if cohort.is_empty() { Err(empty(split)) } else { Ok(cohort) }
}

/// How many images of a split there are.
fn count(datasets: &[Dataset], split: Split) -> u64 {
    datasets.iter().flat_map(|dataset| dataset.manifest.shards_of(split)).map(|shard| shard.images).sum()
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
        let stream = Stream::open(store, datasets, split, run.side).or_other()?;
        if stream.is_empty() { Err(empty(split)) } else { Ok(stream) }
    };
    let (train, validation) = (open(Split::Train)?, open(Split::Validation)?);
    let findings = findings(run.asked, &train.rows)?;
    let task = run.objective.task;
    let of_train = task.truth(&truth(&findings, &train.rows, run, Split::Train)?);
    let truth = truth(&findings, &validation.rows, run, Split::Validation)?;
    let of_validation = task.truth(&truth);
    Ok(Set {
        names: names(&train.rows),
        train: Loaded::Streamed(Streamed::new(train, of_train, run.stream, device)),
        validation: Loaded::Streamed(Streamed::new(validation, of_validation, run.stream, device)),
        findings,
        truth,
    })
}

fn findings(asked: Asked, train: &[ImageRow]) -> Result<Findings> {
    Findings::of_images(asked, train).or_data().map_err(|failure| {
        failure.remedy("task=covid asks for COVID-19 or not; data=NAME chooses a data set")
    })
}

/// What is so of these images, dealt out anew where there is a seed for that.
fn truth(findings: &Findings, rows: &[ImageRow], run: &Run, split: Split) -> Result<Truth> {
    let mut truth = findings.truth(rows);
    match &mut truth {
        Truth::Findings(holds) => {
            let both = |place| [true, false].iter().all(|kind| holds.iter().any(|row| row[place] == *kind));
            if split == Split::Validation && !findings.told_apart().any(both) {
                return Err(Failure::data("the validation images are all of one class, so no epoch can be chosen by them").remedy(
                    "`just splits` shows where the patients are; ingest more of them, or with another split_seed",
                ));
            }
            shuffle(holds, run.labels_from(), split);
        }
        Truth::Boxes(boxes) if boxes.iter().all(Vec::is_empty) => {
            let message =
                format!("task=detect: no image of the {} split has a radiologist's box", split.name());
            return Err(
                Failure::data(message).remedy("data=NAME chooses a data set with boxes, such as siim")
            );
        }
        Truth::Boxes(boxes) => shuffle(boxes, run.labels_from(), split),
    }
    Ok(truth)
}

/// Deals the labels of a split out anew where there is a seed for that; their shares stay.
fn shuffle<T>(labels: &mut [T], seed: Option<u64>, split: Split) {
    if let Some(seed) = seed {
        labels.shuffle(&mut nn::stream(seed, &format!("labels of {}", split.name()), 0, 0));
    }
}

fn names(rows: &[ImageRow]) -> Vec<String> {
    rows.iter().map(|row| row.image_id.to_string()).collect()
}

fn empty(split: Split) -> Failure {
    Failure::data(format!("the {} split is empty", split.name())).remedy(
        "`just splits` shows where the patients are: it takes some twenty, told apart by folder, name, table or header",
    )
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

//! Whether a model could be tested on what it was trained on.

use std::collections::{BTreeMap, BTreeSet};

use cohort::Dataset;
use schema::{IndexEntry, Split};
use stage::{Column, Failure, Result, Table};
use store::Store;

use crate::images::Images;

/// Looks for patients, files, pixels and pictures that lie in two splits or in two data sets, and prints how many.
///
/// # Errors
/// There are some.
pub(crate) fn check(store: &Store, datasets: &[Dataset]) -> Result<()> {
    let images = Images::of(store, datasets)?;
    let (same, _) = images.twice(store)?;
    let alike = same.iter().filter(|twice| images.are_apart(twice.pair.first, twice.pair.second)).count();
    let patient = |entry: &IndexEntry| format!("{} {}", entry.source, entry.patient_key);
    let checks = [
        ("patients in two splits", by(&images, patient, |(_, split)| split.name().to_owned())),
        ("files in two splits or data sets", by(&images, |entry| entry.source_digest.clone(), place)),
        ("pixels in two splits or data sets", by(&images, |entry| entry.traits.pixel_digest.clone(), place)),
        ("pairs of alike pictures in two splits or data sets", alike),
    ];
    let mut table = Table::new([Column::text("leak"), Column::number("found")]);
    for (what, found) in &checks {
        table.row([(*what).to_owned(), found.to_string()]);
    }
    table.print();
    println!("\n{} images in {} data sets", images.entries.len(), datasets.len());
    let leaks: usize = checks.iter().map(|(_, found)| found).sum();
    if leaks == 0 {
        return Ok(());
    }
    Err(Failure::data("a model could be tested on what it was trained on")
        .remedy("`just duplicates` shows the pictures; ingest both data sets again, or leave one out"))
}

/// Where an image lies.
fn place((dataset, split): (usize, Split)) -> String {
    format!("{dataset} {}", split.name())
}

/// How many of what `key` names lie in more than one of what `place` tells apart.
fn by(
    images: &Images<'_>,
    key: impl Fn(&IndexEntry) -> String,
    place: impl Fn((usize, Split)) -> String,
) -> usize {
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (dataset, entry) in &images.entries {
        places.entry(key(entry)).or_default().insert(place((*dataset, entry.split)));
    }
    places.values().filter(|places| places.len() > 1).count()
}

//! Whether a model could be tested on what it was trained on.

use std::collections::{BTreeMap, BTreeSet};

use cohort::Dataset;
use schema::{IndexEntry, Split};
use stage::{Column, Failure, Result, Table};
use store::Store;

use crate::images::Images;

/// A data set, by its place, and a split of it.
type Place = (usize, Split);

/// Looks for patients, files, pixels and pictures that lie in two splits or in two data sets, and prints how many, and where.
///
/// # Errors
/// There are some.
pub(crate) fn check(store: &Store, datasets: &[Dataset]) -> Result<()> {
    let images = Images::of(store, datasets)?;
    let (same, _) = images.twice(store)?;
    let alike = same.iter().filter(|twice| images.are_apart(twice.pair.first, twice.pair.second));
    let place = |index: usize| (images.entries[index].0, images.entries[index].1.split);
    let alike = alike.map(|twice| BTreeSet::from([twice.pair.first, twice.pair.second].map(place))).collect();
    let patient = |entry: &IndexEntry| format!("{} {}", entry.source, entry.patient_key);
    let in_two_splits =
        |places: &BTreeSet<Place>| places.iter().map(|(_, split)| split).collect::<BTreeSet<_>>().len() > 1;
    let mut patients = apart(&images, patient);
    patients.retain(in_two_splits);
    let checks: [(&str, Vec<BTreeSet<Place>>); 4] = [
        ("patients in two splits", patients),
        ("files in two splits or data sets", apart(&images, |entry| entry.source_digest.clone())),
        ("pixels in two splits or data sets", apart(&images, |entry| entry.traits.pixel_digest.clone())),
        ("pairs of alike pictures in two splits or data sets", alike),
    ];
    let mut table = Table::new([Column::text("leak"), Column::number("found"), Column::text("where")]);
    for (what, found) in &checks {
        table.row([(*what).to_owned(), found.len().to_string(), places(found, datasets)]);
    }
    table.print();
    println!("\n{} images in {} data sets", images.entries.len(), datasets.len());
    let mut leaks = checks.iter().flat_map(|(_, found)| found).peekable();
    if leaks.peek().is_none() {
        return Ok(());
    }
    let is_test = |(_, split): &Place| matches!(split, Split::Test | Split::Ood);
    let message = if leaks.all(|places| places.iter().all(is_test)) {
        "two test sets share what stands in both: they are no two tests of it"
    } else {
        "a model could be tested on what it was trained on"
    };
    Err(Failure::data(message).remedy(
        "`just duplicates` shows the pictures; take the files out of one of the folders and ingest it again, or one data set out \
         of the store: `just store do=remove ref=ingest/NAME`",
    ))
}

/// Where what `key` names lies, of all that lies in more than one place.
fn apart(images: &Images<'_>, key: impl Fn(&IndexEntry) -> String) -> Vec<BTreeSet<Place>> {
    let mut places: BTreeMap<String, BTreeSet<Place>> = BTreeMap::new();
    for (dataset, entry) in &images.entries {
        places.entry(key(entry)).or_default().insert((*dataset, entry.split));
    }
    places.into_values().filter(|places| places.len() > 1).collect()
}

/// `siim train + hospital-c ood: 3`, for each such pair of places.
fn places(found: &[BTreeSet<Place>], datasets: &[Dataset]) -> String {
    let mut counts: BTreeMap<&BTreeSet<Place>, usize> = BTreeMap::new();
    for places in found {
        *counts.entry(places).or_default() += 1;
    }
    let name = |(dataset, split): &Place| format!("{} {}", datasets[*dataset].manifest.dataset, split.name());
    let line = |(places, count): (&BTreeSet<Place>, usize)| {
        format!("{}: {count}", places.iter().map(name).collect::<Vec<_>>().join(" + "))
    };
    counts.into_iter().map(line).collect::<Vec<_>>().join("; ")
}

//! The published data sets themselves, where they are at hand: `SGA_REAL_DATA`, or `../shared/data` beside the project.

use std::collections::HashSet;
use std::path::PathBuf;

use datasets::{Listing, find};
use schema::Label;

/// Lists the folder `name` of the real data with the adapter `adapter`; `None`, with a word, when it is not there.
fn listing(adapter: &str, name: &str) -> Option<Listing> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("SGA_REAL_DATA").map_or_else(beside, PathBuf::from).join(name);
    if !folder.is_dir() {
        println!("skipped: there is no {}", folder.display());
        return None;
    }
    Some(find(adapter).unwrap().list(&folder).unwrap())
}

fn count(listing: &Listing, label: Label) -> usize {
    listing.records.iter().filter(|record| record.label == label).count()
}

fn patients(listing: &Listing) -> usize {
    listing.records.iter().map(|record| record.patient.as_ref().unwrap()).collect::<HashSet<_>>().len()
}

#[test]
fn siim_has_the_published_counts() {
    let Some(listing) = listing("siim", "siim-fisabio-rsna") else { return };
    let expected = find("siim").unwrap().card().expected.unwrap();
    assert_eq!(listing.records.len(), expected.images);
    assert_eq!(count(&listing, Label::Covid), expected.positive);
    assert_eq!(count(&listing, Label::Negative), expected.negative);
    let without_box = |record: &&schema::ImageRecord| record.label == Label::Covid && record.boxes.is_empty();
    assert_eq!(listing.records.iter().filter(without_box).count(), 304);
    assert!(listing.missing.is_empty() && listing.unlisted.is_empty());
}

#[test]
fn github_covid_has_the_published_counts() {
    let Some(listing) = listing("github-covid", "github-covid") else { return };
    let expected = find("github-covid").unwrap().card().expected.unwrap();
    assert_eq!(listing.records.len(), expected.images);
    assert_eq!(count(&listing, Label::Covid), expected.positive);
    assert_eq!(patients(&listing), 257);
    assert_eq!(listing.missing.len(), 7);
}

#[test]
fn chestx_ray14_lists_the_part_that_is_there() {
    let Some(listing) = listing("chestx-ray14", "chestx-ray14") else { return };
    let expected = find("chestx-ray14").unwrap().card().expected.unwrap();
    assert_eq!(count(&listing, Label::Negative), 500);
    assert_eq!(patients(&listing), 332);
    assert_eq!(listing.records.len() + listing.missing.len(), expected.images, "as many No Finding rows");
}

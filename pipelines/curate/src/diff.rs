//! What changed between two ingests.

use std::collections::BTreeSet;

use cohort::{Dataset, History};
use curation::{Tally, change, drift};
use schema::{IndexEntry, Split};
use stage::{Column, Failure, Fallible, Parameters, Result, Table};
use store::Store;

/// Prints changes of images and patients, and drift of the greys, by source and split.
pub(crate) fn show(store: &Store, run: &Parameters) -> Result<()> {
    let [before, after] = names(store, run)?;
    let [old, new] = [&before, &after].map(|name| History::open(store, name).or_usage());
    let (old, new) = (old?, new?);
    if old.parameters()["secret"] != new.parameters()["secret"] {
        return Err(Failure::data(format!("{before} and {after} were made with different secrets")).remedy(
            "images and patients have other names since then: only ingests of one secret can be compared",
        ));
    }
    println!("{before} → {after}");
    for parameter in ["size", "fit", "buckets", "split_seed", "role", "codecs"] {
        let (was, is) = (&old.parameters()[parameter], &new.parameters()[parameter]);
        if was != is {
            println!("{parameter}: {was} → {is}");
        }
    }
    let (old, new) = (entries(store, &old)?, entries(store, &new)?);
    changes(&old, &new);
    drifts(&old, &new);
    Ok(())
}

/// The two ingests asked for.
fn names(store: &Store, run: &Parameters) -> Result<[String; 2]> {
    let given = |name: &str| run.text(name).map(str::to_owned);
    if let (Some(before), Some(after)) = (given("before"), given("after")) {
        return Ok([before, after]);
    }
    let data = given("data").ok_or_else(|| {
        Failure::usage("which ingests?")
            .remedy("just diff siim.1 siim.2, or do=diff data=siim for the last two")
    })?;
    let History { names } = History::of(store, &data).or_other()?;
    let [.., before, after] = names.as_slice() else {
        return Err(Failure::usage(format!("{data} has {} ingests: a diff needs two", names.len())));
    };
    Ok([given("before").unwrap_or_else(|| before.clone()), given("after").unwrap_or_else(|| after.clone())])
}

fn entries(store: &Store, dataset: &Dataset) -> Result<Vec<IndexEntry>> {
    dataset.entries(store).or_other()
}

/// A number of a place.
type Number = fn(&Tally) -> u64;

/// The columns of the table of changes, and what stands in them.
const COLUMNS: [(&str, Number); 9] = [
    ("images added", |tally| tally.added),
    ("removed", |tally| tally.removed),
    ("relabelled", |tally| tally.relabelled),
    ("file replaced", |tally| tally.replaced),
    ("described otherwise", |tally| tally.described),
    ("moved in", |tally| tally.moved_in),
    ("moved out", |tally| tally.moved_out),
    ("patients added", |tally| tally.patients_added),
    ("removed", |tally| tally.patients_removed),
];

fn changes(old: &[IndexEntry], new: &[IndexEntry]) {
    let places = ["source", "split"].map(Column::text);
    let mut table = Table::new(places.into_iter().chain(COLUMNS.map(|(title, _)| Column::number(title))));
    let change = change(old, new);
    for ((source, split), tally) in &change {
        let places = [source.clone(), split.name().to_owned()];
        table.row(places.into_iter().chain(COLUMNS.map(|(_, of)| of(tally).to_string())));
    }
    if change.is_empty() {
        println!("the same {} images, labels, descriptions and splits", new.len());
    } else {
        table.print();
    }
}

/// A number of each image.
type Measure = fn(&IndexEntry) -> f32;

/// Prints how the greys of the stored images differ, where they do.
fn drifts(old: &[IndexEntry], new: &[IndexEntry]) {
    let [text, number] = [Column::text, Column::number];
    let mut table = Table::new([
        text("source"),
        text("split"),
        text("of the stored image"),
        number("mean before"),
        number("after"),
        number("KS statistic"),
        number("p"),
    ]);
    let places: BTreeSet<(&str, Split)> =
        new.iter().map(|entry| (entry.source.as_str(), entry.split)).collect();
    for (source, split) in places {
        let of = |entries: &'_ [IndexEntry]| -> Vec<usize> {
            let here = |entry: &IndexEntry| entry.source == source && entry.split == split;
            (0..entries.len()).filter(|&index| here(&entries[index])).collect()
        };
        let before: Vec<&IndexEntry> = of(old).into_iter().map(|index| &old[index]).collect();
        let after: Vec<&IndexEntry> = of(new).into_iter().map(|index| &new[index]).collect();
        let measures: [(&str, Measure); 2] =
            [("mean grey", |entry| entry.traits.mean), ("contrast", |entry| entry.traits.contrast)];
        for (measure, get) in measures {
            let Some(drift) = drift(&before, &after, get) else { continue };
            table.row([
                source.to_owned(),
                split.name().to_owned(),
                measure.to_owned(),
                format!("{:.1}", drift.means[0]),
                format!("{:.1}", drift.means[1]),
                format!("{:.3}", drift.statistic),
                format!("{:.3}", drift.p),
            ]);
        }
    }
    println!();
    table.print();
}

//! How images, patients and labels are shared out.

use std::collections::BTreeMap;

use cohort::Dataset;
use curation::label_balance;
use schema::{Count, Manifest};
use stage::{Column, Table};

/// Prints counts by data set, source and split, and per source whether the labels are balanced.
pub(crate) fn show(datasets: &[Dataset]) {
    let [text, number] = [Column::text, Column::number];
    let mut table = Table::new([
        text("data set"),
        text("source"),
        text("split"),
        number("images"),
        number("patients"),
        number("negative"),
        number("covid"),
        number("covid share"),
    ]);
    let mut lines = Vec::new();
    for Dataset { manifest, .. } in datasets {
        let mut counts: Vec<&Count> = manifest.counts.iter().collect();
        counts.sort_by_key(|count| (&count.source, count.split));
        for count in &counts {
            table.row([
                manifest.dataset.clone(),
                count.source.clone(),
                count.split.name().to_owned(),
                count.images.to_string(),
                count.patients.to_string(),
                count.negative.to_string(),
                count.covid.to_string(),
                format!("{:.1} %", 100.0 * count.covid as f64 / count.images as f64),
            ]);
        }
        lines.extend(balances(manifest, &counts));
    }
    table.print();
    println!();
    for line in lines {
        println!("{line}");
    }
    println!("Images of one patient are not independent: few patients with many images make p small, too.");
}

fn balances(manifest: &Manifest, counts: &[&Count]) -> Vec<String> {
    let mut sources: BTreeMap<&str, Vec<&Count>> = BTreeMap::new();
    for count in counts {
        sources.entry(&count.source).or_default().push(count);
    }
    let mut lines: Vec<String> = sources
        .into_iter()
        .map(|(source, counts)| match label_balance(&counts) {
            Some(balance) => format!(
                "{}, {source}: label balance over splits: chi-square {:.2} with {} degrees of freedom, p = {:.3}",
                manifest.dataset, balance.chi_square, balance.freedom, balance.p
            ),
            None => format!("{}, {source}: one split or one class, so no test of balance", manifest.dataset),
        })
        .collect();
    let (joined, conflicts) = (&manifest.joined.patients, &manifest.joined.conflicts);
    if !joined.is_empty() || !conflicts.is_empty() {
        lines.push(format!(
            "{}: {} patients follow another patient with the same picture; {} such pairs stay in two splits",
            manifest.dataset,
            joined.len(),
            conflicts.len()
        ));
    }
    lines
}

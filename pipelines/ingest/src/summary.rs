//! The table at the end.

use schema::{Joined, Work};
use stage::{Column, Table};

use crate::ingest::Ingested;

/// What all ingests of one call did.
#[derive(Default)]
pub(crate) struct Summary {
    ingested: Vec<Ingested>,
}

impl Summary {
    /// Says in a line what one ingest did, and keeps it for the table.
    pub(crate) fn add(&mut self, ingested: Ingested) {
        let Ingested { manifest, work, otherwise } = &ingested;
        let quarantined: u64 = manifest.quarantined.values().sum();
        let images: u64 = manifest.counts.iter().map(|count| count.images).sum();
        let did = match work {
            None => "unchanged".to_owned(),
            Some(Work { read, reused, rebuilt, shards, .. }) => {
                format!("{read} read, {reused} reused; {rebuilt} of {shards} shards rebuilt")
            }
        };
        println!("{}: {did}; {images} images, {quarantined} quarantined", manifest.dataset);
        for (reason, files) in &manifest.quarantined {
            println!("  quarantined, {reason}: {files}");
        }
        let Joined { patients, conflicts, .. } = &manifest.joined;
        if !patients.is_empty() || !conflicts.is_empty() {
            println!(
                "  near-duplicates: {} patients joined another patient's split, {} pairs stay in two splits \
                 (`just duplicates`)",
                patients.len(),
                conflicts.len()
            );
        }
        if manifest.text_risk > 0 {
            println!("  {} images may show text of the patient, by their DICOM tags", manifest.text_risk);
        }
        if !manifest.withdrawn.is_empty() {
            println!("  left out: {}", manifest.withdrawn);
        }
        for note in manifest.notes.iter().chain(otherwise) {
            println!("  {note}");
        }
        self.ingested.push(ingested);
    }

    /// Prints images, patients and labels by data set, source and split.
    pub(crate) fn print(&self) {
        if self.ingested.is_empty() {
            return;
        }
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
        for Ingested { manifest, .. } in &self.ingested {
            for count in &manifest.counts {
                let positive = 100.0 * count.covid as f64 / count.images as f64;
                table.row([
                    manifest.dataset.clone(),
                    count.source.clone(),
                    count.split.name().to_owned(),
                    count.images.to_string(),
                    count.patients.to_string(),
                    count.negative.to_string(),
                    count.covid.to_string(),
                    format!("{positive:.1} %"),
                ]);
            }
        }
        println!();
        table.print();
    }
}

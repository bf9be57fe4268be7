//! From images to what saw them.

use std::collections::BTreeMap;

use cohort::{Error, Trace};
use schema::IndexEntry;
use serde::Serialize;
use stage::{Column, Table, plural};
use store::{Lineage, Store};

use crate::saw::how;

/// Where images are, and what was made from them.
#[derive(Serialize)]
pub(super) struct Forward {
    images: Vec<Row>,
    data: Vec<Data>,
    seen_by: Vec<Seen>,
}

#[derive(Serialize)]
struct Row {
    image: String,
    source: String,
    split: &'static str,
    source_digest: String,
}

/// A shard that holds some of them.
#[derive(Serialize)]
struct Data {
    ingest: Option<String>,
    split: &'static str,
    shard: String,
    digest: String,
    images: usize,
}

/// A result that was made from them.
#[derive(Serialize)]
struct Seen {
    stage: String,
    name: String,
    key: String,
    how: String,
    /// How many of the images its tables, pages and pictures name.
    names: usize,
}

impl Forward {
    /// Follows the images that are wanted.
    pub(super) fn of(
        store: &Store,
        lineage: &Lineage,
        image: impl Fn(&IndexEntry) -> bool,
    ) -> Result<Self, Error> {
        let trace = Trace::of(store, lineage, image, |_| false)?;
        let images = trace.images();
        let named = cohort::Images::of(images.keys().copied());
        let mut seen_by = Vec::new();
        for (node, saw) in trace.made_from(lineage) {
            seen_by.push(Seen {
                stage: node.record.result.stage.clone(),
                name: node.name(),
                key: node.record.key.hex(),
                how: how(node, &saw),
                names: named.in_outputs(store, &node.record.result)?,
            });
        }
        let data = trace.holdings.iter().map(|holding| Data {
            ingest: holding.ingest.clone(),
            split: holding.images[0].split.name(),
            shard: holding.name.clone(),
            digest: holding.shard.to_string(),
            images: holding.images.len(),
        });
        let mut data: Vec<Data> = data.collect();
        data.retain(|data| data.ingest.is_some());
        data.sort_by(|a, b| (&a.ingest, &a.shard).cmp(&(&b.ingest, &b.shard)));
        let images = images.into_values().map(|entry| Row {
            image: entry.image_id.to_string(),
            source: entry.source.clone(),
            split: entry.split.name(),
            source_digest: entry.source_digest.clone(),
        });
        Ok(Self { images: images.collect(), data, seen_by })
    }

    pub(super) fn print_json(&self) {
        println!("{}", serde_json::to_string(self).expect("plain data"));
    }

    pub(super) fn print(&self, rows: bool) {
        if self.images.is_empty() {
            println!("No image of them was found in the store.");
            return;
        }
        let [text, number] = [Column::text, Column::number];
        let mut splits: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for image in &self.images {
            *splits.entry((&image.source, image.split)).or_default() += 1;
        }
        for ((source, split), images) in splits {
            println!("{source}, {split}: {}", plural(images, "image"));
        }
        if rows {
            for Row { image, source_digest, .. } in &self.images {
                println!("  image {image} of source file {source_digest}");
            }
        }
        println!();
        let mut table = Table::new([text("ingest"), text("split"), text("shard"), number("images")]);
        for Data { ingest, split, shard, images, .. } in &self.data {
            let ingest = ingest.clone().unwrap_or_default();
            table.row([ingest, (*split).to_owned(), shard.clone(), images.to_string()]);
        }
        table.print();
        println!();
        if self.seen_by.is_empty() {
            println!("Nothing was made from these shards.");
            return;
        }
        let mut table = Table::new([text("seen by"), text("how"), number("images named in it")]);
        for Seen { name, how, names, .. } in &self.seen_by {
            table.row([name.clone(), how.clone(), names.to_string()]);
        }
        table.print();
    }
}

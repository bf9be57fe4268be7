//! What a result was made from, as it is told.

use std::collections::BTreeMap;

use schema::IndexEntry;
use serde::Serialize;
use serde_json::Value;
use stage::plural;
use store::{Digest, spelled};

/// A result with all that it was made from.
#[derive(Serialize)]
pub(super) struct Tree {
    /// The file that was pointed at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<String>,
    /// The image that the file shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shows: Option<Row>,
    #[serde(flatten)]
    pub(super) made: Step,
    /// What was made from it, by name.
    pub(super) used_by: Vec<String>,
}

/// A result.
#[derive(Serialize)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) stage: String,
    pub(super) version: Value,
    pub(super) made: String,
    pub(super) key: String,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) provenance: Value,
    pub(super) from: Vec<Part>,
}

/// One thing that a result was made from.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Part {
    /// What another result made.
    Result {
        input: String,
        #[serde(flatten)]
        made: Box<Step>,
    },
    /// A result that was told already.
    Again { input: String, name: String },
    /// Images of an ingest.
    Images(Data),
    /// An object that no result in the store made.
    Object { input: String, digest: String },
}

/// Images of an ingest that a result was made from.
#[derive(Serialize)]
pub(super) struct Data {
    pub(super) input: String,
    pub(super) ingest: String,
    pub(super) split: String,
    pub(super) shards: usize,
    pub(super) images: usize,
    pub(super) patients: usize,
    pub(super) source_files: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) rows: Vec<Row>,
}

/// An image, and where it lies.
#[derive(Serialize)]
pub(super) struct Row {
    pub(super) image: String,
    pub(super) split: &'static str,
    pub(super) ingest: String,
    pub(super) shard: String,
    pub(super) shard_digest: String,
    pub(super) source_digest: String,
}

impl Row {
    pub(super) fn of(entry: &IndexEntry, ingest: &str, shard: &str, digest: &Digest) -> Self {
        Self {
            image: entry.image_id.to_string(),
            split: entry.split.name(),
            ingest: ingest.to_owned(),
            shard: shard.to_owned(),
            shard_digest: digest.to_string(),
            source_digest: entry.source_digest.clone(),
        }
    }
}

impl Tree {
    pub(super) fn print_json(&self) {
        println!("{}", serde_json::to_string(self).expect("plain data"));
    }

    pub(super) fn print(&self) {
        if let Some(output) = &self.output {
            println!("file {output} of");
        }
        if let Some(row) = &self.shows {
            println!("it shows");
            print_row(row, 1);
        }
        println!("{}", self.made.name);
        self.made.print(1);
        if !self.used_by.is_empty() {
            println!("used by {}", self.used_by.join(", "));
        }
    }
}

impl Step {
    fn print(&self, depth: usize) {
        let indent = "  ".repeat(depth);
        let Self { stage, version, made, key, .. } = self;
        println!("{indent}made by {stage}, version {version}, on {made}, key {}", &key[..8]);
        let words: Vec<String> =
            self.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !words.is_empty() {
            println!("{indent}with {}", words.join(" "));
        }
        let known: Vec<String> = self
            .provenance
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| *name != "made")
            .map(|(name, value)| format!("{name} {}", spelled(value)))
            .collect();
        if !known.is_empty() {
            println!("{indent}({})", known.join(", "));
        }
        for part in &self.from {
            match part {
                Part::Result { input, made } => {
                    println!("{indent}{input}: {}", made.name);
                    made.print(depth + 1);
                }
                Part::Again { input, name } => println!("{indent}{input}: {name}, as above"),
                Part::Object { input, digest } => println!("{indent}{input}: object {digest}"),
                Part::Images(images) => images.print(depth),
            }
        }
    }
}

impl Data {
    fn print(&self, depth: usize) {
        let Self { input, ingest, split, shards, images, patients, source_files, rows } = self;
        println!(
            "{}{input}: {ingest}, {split}: {}, {} of {}, from {}",
            "  ".repeat(depth),
            plural(*shards, "shard"),
            plural(*images, "image"),
            plural(*patients, "patient"),
            plural(*source_files, "file")
        );
        for row in rows {
            print_row(row, depth + 1);
        }
    }
}

fn print_row(row: &Row, depth: usize) {
    let Row { image, split, ingest, shard, shard_digest, source_digest } = row;
    println!(
        "{}image {image}, {split} of {ingest}, shard {shard} {}, source file {source_digest}",
        "  ".repeat(depth),
        &shard_digest[..8]
    );
}

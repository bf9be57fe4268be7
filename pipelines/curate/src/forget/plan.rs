//! What tells of the patients, and what becomes of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::{Path, PathBuf},
};

use cohort::{Saw, of_unknown_origin};
use serde_json::{Value, json};
use stage::{Column, Failure, Result, Table, plural};
use store::{Digest, Lineage, Node, Store};
use walkdir::WalkDir;

use crate::{
    asked::{Asked, Missing},
    duplicates::PAGE,
    saw::how,
    theirs::Theirs,
};

/// Everything in the store that tells of the patients.
pub(super) struct Plan {
    pub(super) theirs: Theirs,
    pub(super) lineage: Lineage,
    /// Files that stages left in the folder for people.
    pub(super) files: Vec<PathBuf>,
    missing: Missing,
}

impl Plan {
    pub(super) fn of(store: &Store, asked: &Asked, out: &Path) -> Result<Self> {
        let lineage = Lineage::of(store)?;
        let theirs = Theirs::of(store, &lineage, asked)?;
        let missing = asked.missing(&theirs.found());
        let mut plan = Self { theirs, lineage, files: Vec::new(), missing };
        plan.files = plan.files_in(out);
        Ok(plan)
    }

    /// Results that go, the nearest to the data first, and why.
    pub(super) fn dropped(&self) -> Vec<(&Node, Saw)> {
        let mut dropped = self.theirs.trace.made_from(&self.lineage);
        if !self.theirs.trace.is_empty() {
            let known: HashSet<&Path> = dropped.iter().map(|(node, _)| node.record.path.as_path()).collect();
            let unknown = of_unknown_origin(&self.lineage).into_iter();
            let unknown: Vec<_> =
                unknown.filter(|node| !known.contains(node.record.path.as_path())).collect();
            dropped.extend(unknown.into_iter().map(|node| (node, Saw::Unknown)));
        }
        dropped
    }

    /// The ingests that tell of the patients, by the names that they have under this stage.
    pub(super) fn ingests(&self, stage: &str) -> BTreeSet<String> {
        let names = self.theirs.trace.ingests(&self.lineage).into_iter().flat_map(|node| &node.refs);
        names.filter(|name| name.stage == stage).map(|name| name.name.clone()).collect()
    }

    /// Fails where something may tell of the patients and stays.
    pub(super) fn check_rest(&self) -> Result<()> {
        self.theirs.check_told()?;
        let unknown = if self.theirs.trace.is_empty() { of_unknown_origin(&self.lineage).len() } else { 0 };
        if unknown > 0 {
            let message = format!(
                "whether {} were made from images of these patients cannot be told: the ingests are forgotten",
                plural(unknown, "result")
            );
            return Err(
                Failure::data(message).remedy("`just ls` lists them, `just store do=remove` takes one away")
            );
        }
        Ok(())
    }

    /// Files in the folder for people that are copies of what goes, that stand in the folder of an exported model that goes, and
    /// the page of duplicates, which shows pictures of whoever has some.
    fn files_in(&self, out: &Path) -> Vec<PathBuf> {
        let outputs = |node: &Node| node.record.result.outputs.values().copied().collect::<Vec<_>>();
        let mut going: HashSet<Digest> = self.theirs.trace.objects.clone();
        going.extend(self.dropped().into_iter().flat_map(|(node, _)| outputs(node)));
        let dropped = self.dropped();
        let models = dropped.iter().filter_map(|(node, _)| node.name_of("train"));
        let exported: Vec<PathBuf> = models.map(|name| out.join("export").join(name)).collect();
        let page = out.join(PAGE);
        let is_of_model = |path: &Path| exported.iter().any(|folder| path.starts_with(folder));
        let may_show = |path: &Path| path == page && !self.theirs.trace.is_empty();
        let sizes: HashSet<u64> = going.iter().map(|digest| digest.size).collect();
        let entries = WalkDir::new(out).sort_by_file_name().into_iter().filter_map(std::result::Result::ok);
        entries
            .filter(|entry| entry.file_type().is_file())
            .filter(|entry| {
                let is_copy = || {
                    entry.metadata().is_ok_and(|data| sizes.contains(&data.len()))
                        && Digest::of_file(entry.path()).is_ok_and(|digest| going.contains(&digest))
                };
                is_of_model(entry.path()) || may_show(entry.path()) || is_copy()
            })
            .map(walkdir::DirEntry::into_path)
            .collect()
    }

    /// Prints it for people.
    pub(super) fn print(&self) {
        self.missing.print();
        let trace = &self.theirs.trace;
        if trace.is_empty() {
            println!(
                "No image of these patients was found in the store; with a yes, no ingest will take one."
            );
            return;
        }
        let text = Column::text;
        let mut table = Table::new([text("what"), text("name"), text("how it knows them"), text("becomes")]);
        for (ingest, shards) in self.rows() {
            let images: usize = shards.values().sum();
            let what = format!("{} in {}", plural(images, "image"), plural(shards.len(), "shard"));
            table.row(["data".to_owned(), ingest, what, "written without them".to_owned()]);
        }
        for pin in self.theirs.trace.ingests(&self.lineage).into_iter().flat_map(Node::pins) {
            table.row(["pin", &pin.to_string(), "names an ingest of them", "dropped"]);
        }
        for (node, saw) in self.dropped() {
            let name = if node.refs.is_empty() { node.name() } else { names(node).join(", ") };
            table.row([node.record.result.stage.clone(), name, how(node, &saw), "dropped".to_owned()]);
        }
        table.print();
        println!();
        let images = trace.images().len();
        println!(
            "{} and {} set aside, of {}",
            plural(images, "image"),
            plural(trace.set_aside.len(), "file"),
            plural(self.patients(), "patient")
        );
        self.print_files();
    }

    /// Prints which files for people are copies of what goes.
    pub(super) fn print_files(&self) {
        if !self.files.is_empty() {
            println!("Copies that the store does not own; delete them yourself:");
            self.files.iter().for_each(|path| println!("  {}", path.display()));
        }
    }

    /// The same for programs.
    pub(super) fn document(&self) -> Value {
        let dropped: Vec<Value> = self
            .dropped()
            .iter()
            .map(|(node, saw)| {
                json!({"stage": node.record.result.stage, "names": names(node), "key": node.record.key.hex(), "how": how(node, saw)})
            })
            .collect();
        json!({
            "patients": self.patients(),
            "lines_not_found": self.missing.lines,
            "images": self.theirs.trace.images().len(),
            "set_aside": self.theirs.trace.set_aside.len(),
            "ingests": self.rows(),
            "dropped": dropped,
            "copies": self.files,
            "untold": self.theirs.untold,
            "shared": self.theirs.shared,
            "other_sources": self.theirs.beside,
        })
    }

    fn patients(&self) -> usize {
        self.theirs.found().len()
    }

    /// Images by named ingest and shard.
    fn rows(&self) -> BTreeMap<String, BTreeMap<&str, usize>> {
        let mut rows: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
        for holding in &self.theirs.trace.holdings {
            if let Some(ingest) = &holding.ingest {
                let shards = rows.entry(ingest.clone()).or_default();
                shards.insert(&holding.name, holding.images.len());
            }
        }
        rows
    }
}

fn names(node: &Node) -> Vec<String> {
    node.refs.iter().map(ToString::to_string).collect()
}

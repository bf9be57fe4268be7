//! What tells of the patients, and what becomes of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::{Path, PathBuf},
};

use cohort::{Holding, Saw, Trace, of_unknown_origin};
use schema::PatientKey;
use serde_json::{Value, json};
use stage::{Column, Failure, Fallible, Result, Table, plural};
use store::{Digest, Lineage, Node, Store};
use walkdir::WalkDir;

use crate::{
    asked::{Asked, check_told},
    saw::how,
};

/// Everything in the store that tells of the patients.
pub(super) struct Plan {
    /// The patients' keys, also under earlier secrets as far as their files tell.
    pub(super) keys: HashSet<PatientKey>,
    pub(super) lineage: Lineage,
    pub(super) trace: Trace,
    /// Files that stages left in the folder for people.
    pub(super) files: Vec<PathBuf>,
    /// Files in the store that may or may not be theirs.
    pub(super) untold: usize,
    /// Their files that are other patients' too, by ingest.
    pub(super) shared: BTreeMap<String, usize>,
}

impl Plan {
    pub(super) fn of(store: &Store, asked: &Asked, out: &Path) -> Result<Self> {
        let lineage = Lineage::of(store)?;
        let mut keys: HashSet<PatientKey> = asked.keys().into_iter().collect();
        let trace = |keys: &HashSet<PatientKey>| {
            Trace::of(
                store,
                &lineage,
                |entry| keys.contains(&entry.patient_key),
                |file| file.patient_key.as_ref().is_some_and(|key| keys.contains(key)),
            )
            .or_other()
        };
        let mut found = trace(&keys)?;
        let files: HashSet<String> =
            found.images().into_values().map(|entry| entry.source_digest.clone()).collect();
        let same = Trace::of(store, &lineage, |entry| files.contains(&entry.source_digest), |_| false);
        let secret = asked.secret.fingerprint();
        let (same, earlier): (Vec<_>, Vec<_>) =
            same.or_other()?.holdings.into_iter().partition(|holding| holding.secret == secret);
        let mut shared: BTreeMap<String, usize> = BTreeMap::new();
        for Holding { ingest, images, .. } in same {
            let others = images.iter().filter(|entry| !keys.contains(&entry.patient_key)).count();
            if let (Some(ingest), 1..) = (ingest, others) {
                *shared.entry(ingest).or_default() += others;
            }
        }
        let earlier: Vec<_> =
            earlier.into_iter().flat_map(|holding| holding.images).map(|entry| entry.patient_key).collect();
        if !earlier.is_empty() {
            keys.extend(earlier);
            found = trace(&keys)?;
        }
        let untold = asked.untold(store, &lineage)?;
        let mut plan = Self { keys, lineage, trace: found, files: Vec::new(), untold, shared };
        plan.files = plan.files_in(out);
        Ok(plan)
    }

    /// Results that go, the nearest to the data first, and why.
    pub(super) fn dropped(&self) -> Vec<(&Node, Saw)> {
        let mut dropped = self.trace.made_from(&self.lineage);
        if !self.trace.is_empty() {
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
        let names = self.trace.ingests(&self.lineage).into_iter().flat_map(|node| &node.refs);
        names.filter(|name| name.stage == stage).map(|name| name.name.clone()).collect()
    }

    /// Fails where something may tell of the patients and stays.
    pub(super) fn check_rest(&self) -> Result<()> {
        check_told(self.untold)?;
        let unknown = if self.trace.is_empty() { of_unknown_origin(&self.lineage).len() } else { 0 };
        if unknown > 0 {
            let message = format!(
                "whether {} were made from images of these patients cannot be told: the ingests are forgotten",
                plural(unknown, "result")
            );
            return Err(
                Failure::data(message).remedy("`just ls` lists them, `just store do=remove` takes one away")
            );
        }
        if self.shared.is_empty() {
            return Ok(());
        }
        let places: Vec<String> =
            self.shared.iter().map(|(ingest, files)| format!("{ingest} ({files})")).collect();
        Err(Failure::data(format!(
            "their files are other patients' too, and stay there: {}",
            places.join(", ")
        ))
        .remedy("if these are the same people, forget them there as well: source=…"))
    }

    /// Files in the folder for people that are copies of what goes.
    fn files_in(&self, out: &Path) -> Vec<PathBuf> {
        let outputs = |node: &Node| node.record.result.outputs.values().copied().collect::<Vec<_>>();
        let mut going: HashSet<Digest> = self.trace.objects.clone();
        going.extend(self.dropped().into_iter().flat_map(|(node, _)| outputs(node)));
        let sizes: HashSet<u64> = going.iter().map(|digest| digest.size).collect();
        let entries = WalkDir::new(out).sort_by_file_name().into_iter().filter_map(std::result::Result::ok);
        entries
            .filter(|entry| {
                entry.file_type().is_file() && entry.metadata().is_ok_and(|data| sizes.contains(&data.len()))
            })
            .map(walkdir::DirEntry::into_path)
            .filter(|path| Digest::of_file(path).is_ok_and(|digest| going.contains(&digest)))
            .collect()
    }

    /// Prints it for people.
    pub(super) fn print(&self) {
        let trace = &self.trace;
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
        for pin in self.trace.ingests(&self.lineage).into_iter().flat_map(Node::pins) {
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
            "images": self.trace.images().len(),
            "set_aside": self.trace.set_aside.len(),
            "ingests": self.rows(),
            "dropped": dropped,
            "copies": self.files,
            "untold": self.untold,
            "shared": self.shared,
        })
    }

    fn patients(&self) -> usize {
        let images = self.trace.images().into_values().map(|entry| &entry.patient_key);
        let files = self.trace.set_aside.iter().filter_map(|file| file.patient_key.as_ref());
        images.chain(files).collect::<BTreeSet<_>>().len()
    }

    /// Images by named ingest and shard.
    fn rows(&self) -> BTreeMap<String, BTreeMap<&str, usize>> {
        let mut rows: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
        for holding in &self.trace.holdings {
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

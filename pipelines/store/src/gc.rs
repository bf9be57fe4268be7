//! `do=gc`: frees what no name reaches.

use std::{cmp::Reverse, collections::BTreeSet, time::Duration};

use cohort::History;
use indicatif::HumanBytes;
use serde_json::json;
use stage::{Column, Parameters, Result, Table};
use store::{ActionResult, Collection, Digest, RefName, Store};

use crate::describe::{age, print_json, short, words};

/// Rows shown to people; `json=true` gives all.
const SHOWN: usize = 40;

/// Checks the word of `keep=`.
pub(crate) fn keep(text: &str) -> Result<String, String> {
    match text.strip_prefix("last:").map(str::parse::<usize>) {
        Some(Ok(newest)) if newest > 0 => Ok(format!("last:{newest}")),
        _ if text == "all" => Ok("all".to_owned()),
        _ => Err("all, or last:5 for the five last used of each stage but ingest".to_owned()),
    }
}

/// Leaves out the trainings whose weights others that stay began with: what those have seen is told by them.
fn keep_parents(store: &Store, outdated: &mut Vec<RefName>) -> Result<()> {
    let trainings = store.refs_of("train")?.into_iter().map(|name| {
        let result = store.recorded("train", &name)?;
        Ok(result.map(|result| (RefName { stage: "train".to_owned(), name }, result)))
    });
    let trainings: Vec<(RefName, ActionResult)> =
        trainings.filter_map(Result::transpose).collect::<Result<_>>()?;
    loop {
        let stay = trainings.iter().filter(|(name, _)| !outdated.contains(name));
        let first: BTreeSet<&str> =
            stay.filter_map(|(_, result)| result.document["parameters"]["init"].as_str()).collect();
        let is_first = |digest: &Digest| first.contains(&*digest.to_string());
        let parents = trainings.iter().filter(|(_, result)| result.outputs.values().any(is_first));
        let parents: Vec<&RefName> = parents.map(|(name, _)| name).collect();
        let before = outdated.len();
        outdated.retain(|name| !parents.contains(&name));
        if outdated.len() == before {
            return Ok(());
        }
    }
}

/// Prints what can go and, unless `dry_run`, deletes it.
pub(crate) fn collect(store: &Store, run: &Parameters) -> Result<()> {
    let lease = Duration::from_hours(run.integer("lease") as u64);
    let newest = run.required("keep")?.strip_prefix("last:").and_then(|number| number.parse().ok());
    let mut outdated = newest.map_or(Ok(Vec::new()), |newest| store.outdated(newest))?;
    // Data sets and raw folders are no runs: each is in use, however old it is, and models are told by those of before.
    outdated.retain(|name| !["ingest", History::STAGE, folder::STAGE].contains(&&*name.stage));
    keep_parents(store, &mut outdated)?;
    let free = store.unreachable_without(lease, outdated)?;
    let dry_run = run.flag("dry_run");
    if run.flag("json") {
        print_json(&document(&free, dry_run));
    } else {
        tell(&free);
    }
    if !dry_run {
        store.collect(&free)?;
    }
    if !run.flag("json") {
        let what = format!(
            "{} names, {} results and {} objects, {}, and the progress of {} unfinished runs",
            free.refs.len(),
            free.results.len(),
            free.objects.len(),
            HumanBytes(free.bytes),
            free.unfinished.len(),
        );
        if dry_run {
            println!("would free {what}; the same with dry_run=false does");
        } else {
            println!("freed {what}");
        }
    }
    Ok(())
}

fn tell(free: &Collection) {
    for name in &free.refs {
        println!("name goes: {name}");
    }
    let mut results: Vec<_> = free.results.iter().collect();
    results.sort_by_key(|record| Reverse(record.size()));
    let [text, number] = [Column::text, Column::number];
    let mut table =
        Table::new([text("result"), text("key"), text("parameters"), text("last used"), number("size")]);
    for record in results.iter().take(SHOWN) {
        let age = age(&record.path).unwrap_or_default();
        let (size, words) = (HumanBytes(record.size()).to_string(), short(&words(record).join(" "), 48));
        table.row([record.result.stage.clone(), record.key.short(), words, format!("{age} ago"), size]);
    }
    if !results.is_empty() {
        table.print();
    }
    if results.len() > SHOWN {
        println!("… and {} smaller ones", results.len() - SHOWN);
    }
    let named: std::collections::HashSet<String> =
        results.iter().flat_map(|record| record.result.outputs.values().map(store::Digest::hex)).collect();
    let stray = free.objects.iter().filter(|path| !named.contains(&hex(path))).count();
    if stray > 0 {
        println!("{stray} objects that no result names");
    }
}

/// The hash of an object by its place.
fn hex(path: &std::path::Path) -> String {
    let name = |path: &std::path::Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    path.parent().map(name).unwrap_or_default() + &name(path)
}

fn document(free: &Collection, dry_run: bool) -> serde_json::Value {
    let results: Vec<_> = free
        .results
        .iter()
        .map(|record| {
            json!({
                "stage": record.result.stage,
                "key": record.key,
                "parameters": record.result.document["parameters"],
                "last_used": age(&record.path),
                "bytes": record.size(),
            })
        })
        .collect();
    json!({
        "dry_run": dry_run,
        "refs": free.refs,
        "results": results,
        "objects": free.objects.iter().map(|path| hex(path)).collect::<Vec<_>>(),
        "bytes": free.bytes,
        "unfinished": free.unfinished.iter().filter_map(|folder| folder.file_name()?.to_str()).collect::<Vec<_>>(),
    })
}

//! Removing what tells of the patients. Whatever moment it ends at, the next run finds what is left: the list comes
//! first, results go from the farthest to the data themselves.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::PathBuf,
    time::Instant,
};

use cohort::{Dataset, History, Identifiers, Remainder, SetAside, Withdrawn};
use serde_json::json;
use stage::{Action, Fallible, Input, Result, stamped};
use store::{ActionResult, Digest, FileDigests, Lineage, Store};

use super::plan::Plan;
use crate::{asked::Asked, theirs::Theirs};

/// Does it; returns what a scan must not find any more.
pub(super) fn carry_out(store: &Store, asked: &Asked, plan: &Plan) -> Result<Identifiers> {
    let Plan { lineage, theirs: Theirs { trace, keys, .. }, .. } = plan;
    let mut identifiers = Identifiers::of(store, keys, trace).or_other()?;
    let withdrawn = withdraw(store, asked, plan)?;
    FileDigests::forget(store, |file| withdrawn.has_file(file))?;
    let set_aside = trace.set_aside.iter().map(|file| &file.image_id).collect();
    SetAside::forget(store, &set_aside).or_other()?;
    store.sweep_temporary()?;
    store.drop_all_unfinished()?; // checkpoints saw them, and do not say so
    for name in plan.ingests("ingest") {
        ingest_again(store, &name, plan, &withdrawn)?;
    }
    for (node, _) in plan.dropped().iter().rev() {
        store.remove_result(node)?;
    }
    for name in plan.ingests(History::STAGE) {
        let left = History::open(store, &name).or_other()?.without(store, keys).or_other()?;
        History::replace(store, &name, left).or_other()?;
    }
    for node in trace.ingests(lineage) {
        store.remove_result(node)?;
    }
    let foreign = foreign(store, plan);
    let after = Lineage::of(store)?;
    let mut unreached = after.unreached(store);
    unreached.retain(|path| !foreign.contains(path));
    store.remove_objects(&unreached)?;
    identifiers.leave_shared_studies(store, &after).or_other()?;
    Ok(identifiers)
}

/// Writes down that the patients withdrew, and how their files are known.
fn withdraw(store: &Store, asked: &Asked, plan: &Plan) -> Result<Withdrawn> {
    let trace = &plan.theirs.trace;
    let images = trace.images().into_values().map(|entry| (Some(&entry.patient_key), &entry.source_digest));
    let set_aside = trace.set_aside.iter().map(|file| (file.patient_key.as_ref(), &file.digest));
    let (of_others, own): (Vec<_>, Vec<_>) =
        images.chain(set_aside).partition(|(_, digest)| trace.shared.contains(*digest));
    let own: Vec<Digest> = own.into_iter().filter_map(|(_, digest)| digest.parse().ok()).collect();
    let change = |withdrawn: &mut Withdrawn| {
        for patient in &asked.patients {
            withdrawn.add(&asked.secret, &asked.source, patient);
            let keys = asked.keys(patient);
            let too = of_others.iter().filter(|(of, _)| of.is_some_and(|of| keys.contains(of)));
            let too: Vec<Digest> = too.filter_map(|(_, digest)| digest.parse().ok()).collect();
            withdrawn.add_files_of_others_too(&asked.source, patient, &too);
        }
        withdrawn.add_files(&own);
    };
    Withdrawn::change(store, change).or_other()
}

/// Publishes the data set without the patients: the result that `just ingest` would now give for the folder as it was.
fn ingest_again(store: &Store, name: &str, plan: &Plan, withdrawn: &Withdrawn) -> Result<()> {
    let began = Instant::now();
    let dataset = Dataset::open(store, name).or_other()?;
    let sources = dataset.manifest.counts.iter().map(|count| count.source.clone()).collect();
    let Remainder { manifest, outputs, work, .. } = dataset.without(store, &plan.theirs.keys).or_other()?;
    if manifest.shards.is_empty() {
        store.remove_ref("ingest", name)?;
        return Ok(());
    }
    let document = &dataset.result.document;
    let mut parameters = document["parameters"].as_object().cloned().unwrap_or_default();
    parameters.insert("withdrawn".to_owned(), json!(withdrawn.fingerprint(&sources)));
    let listing = document["inputs"]["listing"].as_str().unwrap_or_default().to_owned();
    let action = Action {
        stage: "ingest",
        version: document["version"].as_u64().unwrap_or_default() as u32,
        parameters,
        inputs: BTreeMap::from([
            ("listing".to_owned(), Input::Outside(listing)),
            ("before".to_owned(), Input::Outside(dataset.result.fingerprint().to_string())),
        ]),
    };
    let result = ActionResult {
        document: action.document(),
        outputs,
        provenance: stamped(json!(work), began),
        ..dataset.result
    };
    let key = action.key();
    store.put_result(&key, &result)?;
    store.set_ref("ingest", name, &key, &result)?;
    History::record(store, &key, &Dataset::open(store, name).or_other()?).or_other()
}

/// Objects that results read and none made, as first weights: they know nothing of the patients.
fn foreign(store: &Store, plan: &Plan) -> HashSet<PathBuf> {
    let nodes = plan.lineage.nodes().iter();
    let read: BTreeSet<Digest> = nodes.flat_map(|node| node.inputs().into_values().flatten()).collect();
    read.into_iter()
        .filter(|digest| {
            plan.lineage.producers(digest).is_empty() && !plan.theirs.trace.objects.contains(digest)
        })
        .map(|digest| store.object_path(&digest))
        .collect()
}

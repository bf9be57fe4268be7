//! `do=remove`: takes a result out of sight, and what was made of it; but no model.

use std::{collections::HashSet, iter};

use cohort::{History, named};
use serde_json::json;
use stage::{Failure, Parameters, Result, plural};
use store::{Digest, Lineage, Node, PIN, RefName, Store};

use crate::describe::{named, print_json};

/// Prints the names that go and, unless `dry_run`, removes them; refuses what is pinned, and data sets of models.
pub(crate) fn remove(store: &Store, run: &Parameters) -> Result<()> {
    let name = named(run.required("ref")?)?;
    let lineage = Lineage::of(store)?;
    let node = lineage.named(&name.to_string()).filter(|_| name.stage != PIN).ok_or_else(|| {
        Failure::usage(format!("ref={name}: no result has this name")).remedy("`just ls` lists names")
    })?;
    if name.stage == History::STAGE {
        return Err(Failure::usage(format!("ref={name}: models are told by what earlier ingests knew"))
            .remedy(format!(
                "ref=ingest/{} takes the data set away",
                name.name.rsplit_once('.').map_or("", |name| name.0)
            )));
    }
    let mut outputs: HashSet<Digest> = node.record.result.outputs.values().copied().collect();
    if name.stage == "ingest" {
        let earlier = |other: &&Node| {
            other.refs.iter().any(|other| other.stage == History::STAGE && is_of(&name, other))
        };
        let results = lineage.nodes().iter().filter(earlier).map(|node| &node.record.result);
        outputs.extend(
            results.flat_map(|result| result.outputs.values().chain(result.inputs.values().flatten())),
        );
    }
    let made_of_it = lineage.descendants(&outputs, |node| !gathers(node));
    let refs = made_of_it.iter().flat_map(|node| &node.refs);
    let pin = node.refs.iter().chain(refs.clone()).find(|name| name.stage == PIN);
    if let Some(RefName { name: pin, .. }) = pin {
        return Err(Failure::usage(format!("ref={name}: it, or what was made of it, is pinned as {pin}"))
            .remedy(format!("`just store do=unpin name={pin}` first")));
    }
    let models: Vec<String> =
        refs.clone().filter(|other| other.stage == "train").map(ToString::to_string).collect();
    if let Some(model) = models.first() {
        let message = format!("ref={name}: {} models were trained on it, such as {model}", models.len());
        return Err(Failure::usage(message).remedy("remove those first"));
    }
    // Another model of the same weights has the same tests, under its own name.
    let goes = |other: &&RefName| match &*name.stage {
        "train" => is_of(&name, other),
        _ => other.stage != History::STAGE,
    };
    let going: Vec<&RefName> = iter::once(&name).chain(refs.filter(goes)).collect();
    let dry_run = run.flag("dry_run");
    if !dry_run {
        for name in &going {
            store.remove_ref(&name.stage, &name.name)?;
        }
    }
    if run.flag("json") {
        print_json(&json!({"dry_run": dry_run, "refs": going}));
        return Ok(());
    }
    for name in &going {
        println!("name goes: {name}");
    }
    if dry_run {
        println!("would remove {}; the same with dry_run=false does", plural(going.len(), "name"));
    } else {
        println!(
            "removed {}. What they named stays until `just store do=gc dry_run=false` frees it; until then the \
             stage that made it brings it back",
            plural(going.len(), "name")
        );
    }
    Ok(())
}

/// Whether a result puts all there is on a page: it does without this the next time.
fn gathers(node: &Node) -> bool {
    let of_all = |name: &RefName| name.stage == "report" || named::is_of_all(&name.name);
    match &*node.record.result.stage {
        "report" => true,
        "gallery" => node.refs.iter().all(of_all),
        _ => false,
    }
}

/// Whether another stage calls its result after this one: `train/sga-1a2b3c4d`, `eval/sga-1a2b3c4d.fgsm-0.03`.
fn is_of(name: &RefName, other: &RefName) -> bool {
    other.name.strip_prefix(&name.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

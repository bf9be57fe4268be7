//! `do=repair`: sets damaged things aside and makes them again by the stages that made them.

pub(crate) mod again;
mod plan;

use jiff::Timestamp;
use stage::{Parameters, Result};
use store::{Aside, Damage, Fault, Record, RefName, Store};

use crate::{describe::damaged, verify};
use again::{Again, STAGES};
use plan::{Plan, Task};

/// Shows what a repair would do and, unless `dry_run`, does it.
pub(crate) fn repair(store: &Store, run: &Parameters) -> Result<()> {
    let found = verify::read(store)?;
    if found.damage.is_empty() {
        println!("nothing is damaged: {} objects are whole", found.objects);
        return Ok(());
    }
    let aside = store.aside(Timestamp::now());
    let plan = Plan::of(store, &found)?;
    tell(&found.damage, &aside, &plan);
    if run.flag("dry_run") {
        println!("\nnothing was changed; `just store do=repair dry_run=false` does this");
        return Ok(());
    }
    let mut lost = 0;
    for damage in &found.damage {
        aside.take(damage)?;
    }
    for (name, record) in &plan.mended {
        store.set_ref(&name.stage, &name.name, &record.key, &record.result)?;
        println!("named again: {name}");
    }
    let folder = store.temporary_folder()?;
    for stage in STAGES {
        let tasks: Vec<&Task> = plan.tasks.iter().filter(|task| task.record.result.stage == *stage).collect();
        let mut done: Vec<(&Again, Result<(), String>)> = Vec::new();
        for again in tasks.iter().filter_map(|task| task.again.as_ref().ok()) {
            if done.iter().all(|(earlier, _)| *earlier != again) {
                println!("\n{again}");
                done.push((again, again.run(store, folder.path())));
            }
        }
        for task in tasks {
            let outcome = match &task.again {
                Ok(again) => done
                    .iter()
                    .find(|(command, _)| *command == again)
                    .map_or(Ok(()), |(_, outcome)| outcome.clone()),
                Err(why) => Err(why.clone()),
            };
            let whole = outcome_of(store, task, outcome);
            if whole {
                name_again(store, task)?;
            }
            lost += usize::from(!whole);
            drop_incomplete(store, &aside, &task.record, &task.names)?;
        }
    }
    lost += drop_rest(store, &aside, &plan)?;
    if aside.folder().exists() {
        println!(
            "\nset aside: {} (list.txt says what and why; delete it when nothing of it is wanted)",
            aside.folder().display()
        );
    }
    match lost {
        0 => Ok(()),
        count => Err(damaged(format!(
            "{count} results could not be made again as they were; the store is whole without them"
        ))
        .remedy("run their stages again: what is missing is made anew")),
    }
}

fn tell(damage: &[Damage], aside: &Aside, plan: &Plan) {
    for damage in damage {
        println!("damaged: {}: {}", damage.path.display(), damage.what);
    }
    if damage.iter().any(|damage| damage.fault != Fault::Missing) {
        println!("to be set aside: what lies there of it, in {}", aside.folder().display());
    }
    for (name, record) in &plan.mended {
        println!("to be named again: {name} ({} {})", record.result.stage, record.key.short());
    }
    for task in &plan.tasks {
        match &task.again {
            Ok(again) => println!("to be made again: {}: {again}", task.title()),
            Err(why) => println!("cannot be made again: {}: {why}", task.title()),
        }
    }
    for name in &plan.lost {
        println!("cannot be made again: {name}: what it was made from is not known, its record is damaged");
    }
    if plan.unnamed > 0 {
        println!(
            "results without a name: {}; they come back with those that were made from them, or go",
            plan.unnamed
        );
    }
}

/// Says whether a result is what it was; returns it too.
fn outcome_of(store: &Store, task: &Task, outcome: Result<(), String>) -> bool {
    let Task { record, .. } = task;
    let title = task.title();
    if is_complete(store, record) {
        println!("repaired: {title}: the same digests as before");
        return true;
    }
    let answers = store.results(&record.key).unwrap_or_default();
    let other = answers
        .iter()
        .find(|answer| answer.outputs != record.result.outputs && store.reaches_all(answer).unwrap_or(false));
    match (other, outcome) {
        (Some(other), _) => {
            println!(
                "OTHER RESULT: {title}: made again, but {} IS NOT WHAT IT WAS: the stage is not deterministic, or this \
                 machine computes differently",
                record.result.differing(other).join(", ")
            );
        }
        (None, Ok(())) => {
            println!(
                "not repaired: {title}: what it was made from has changed since, so the stage made something else"
            );
        }
        (None, Err(why)) => println!("not repaired: {title}: {why}"),
    }
    false
}

/// Leads a result's names back to it, where its stage found another answer to the question of now.
fn name_again(store: &Store, task: &Task) -> Result<()> {
    let Task { record, names, .. } = task;
    for name in names {
        let target = store.ref_target(&name.stage, &name.name)?;
        if target != Some(record.target()) {
            store.set_ref(&name.stage, &name.name, &record.key, &record.result)?;
            println!("named again: {name}");
        }
    }
    Ok(())
}

fn is_complete(store: &Store, record: &Record) -> bool {
    record.path.exists() && store.reaches_all(&record.result).unwrap_or(false)
}

/// Sets a result aside that is still incomplete, and the names that still lead to it.
fn drop_incomplete(store: &Store, aside: &Aside, record: &Record, names: &[RefName]) -> Result<()> {
    if is_complete(store, record) {
        return Ok(());
    }
    for name in names {
        let target = store.ref_target(&name.stage, &name.name)?;
        if target == Some(record.target()) {
            aside.take(&gone(store, name))?;
        }
    }
    let what = "some of its outputs are lost".to_owned();
    Ok(aside.take(&Damage { path: record.path.clone(), fault: Fault::Changed, what })?)
}

fn gone(store: &Store, name: &RefName) -> Damage {
    let what = "what it named is lost".to_owned();
    Damage { path: store.ref_path(name), fault: Fault::Changed, what }
}

/// Sets aside what is left: incomplete results without a name, and names that lead nowhere. Returns how many names.
fn drop_rest(store: &Store, aside: &Aside, plan: &Plan) -> Result<usize> {
    for record in store.records() {
        drop_incomplete(store, aside, &record, &[])?;
    }
    let mut lost = 0;
    for name in store.all_refs()? {
        if store.resolve(&name.stage, &name.name).is_err() {
            println!("not repaired: {name}: its result is lost");
            aside.take(&gone(store, &name))?;
            lost += 1;
        }
    }
    // A ref whose own file was damaged has been set aside already.
    let unreadable = plan
        .lost
        .iter()
        .filter(|name| store.ref_target(&name.stage, &name.name).is_ok_and(|target| target.is_none()));
    Ok(lost.max(unreadable.count()))
}

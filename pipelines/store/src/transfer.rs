//! `do=push` and `do=pull`: what is missing goes to a store elsewhere, or comes from there. `do=verify remote=…` reads
//! it.

use indicatif::HumanBytes;
use remote::{Absent, Direction, Moved, Outcome, Remote, Transfer};
use stage::{Column, Exit, Failure, Parameters, Result, Table, progress};
use store::{RefName, RefTarget, Store};

use crate::describe::named;

/// Takes what is missing there from this store.
pub(crate) fn push(store: &Store, run: &Parameters) -> Result<()> {
    let names = match run.text("ref") {
        Some(name) => vec![named(name)?],
        None => shared(store)?,
    };
    let remote = remote::open(run.required("remote")?, Absent::Make)?;
    transfer(store, run, &*remote, &names, Direction::Push)
}

/// Takes what is missing here from the store elsewhere; makes a store here, where there is none, once that one is there.
pub(crate) fn pull(run: &Parameters) -> Result<()> {
    let names: Vec<RefName> = run.text("ref").map(named).transpose()?.into_iter().collect();
    let remote = remote::open(run.required("remote")?, Absent::Refuse)?;
    transfer(&run.make_store()?, run, &*remote, &names, Direction::Pull)
}

/// Moves what is missing and prints what became of the names; fails if some were moved on both sides.
fn transfer(
    store: &Store,
    run: &Parameters,
    remote: &dyn Remote,
    names: &[RefName],
    direction: Direction,
) -> Result<()> {
    let doing = match direction {
        Direction::Push => "pushing",
        Direction::Pull => "pulling",
    };
    let _lock = store.lock("transfer", |holder| {
        eprintln!("waiting to move objects: {holder}");
    })?;
    store.sweep_temporary()?;

    let transfer = Transfer::new(store, remote, direction, names, run.integer("parallel") as usize)?;
    let objects = transfer.objects().len();
    let bar = progress::bar("looking", objects as u64, "objects");
    let missing = transfer.missing(|| bar.inc(1))?;
    bar.finish_and_clear();
    let bytes = missing.iter().map(|digest| digest.size).sum();
    let bar = progress::bytes(doing, bytes);
    let moved = transfer.run(&missing, |bytes| bar.inc(bytes), run.flag("force"))?;
    bar.finish_and_clear();

    print(&moved, direction);
    println!(
        "{}: {} of {objects} objects were missing, {}",
        remote.address(),
        missing.len(),
        HumanBytes(bytes)
    );
    match moved.iter().filter(|moved| matches!(moved.outcome, Outcome::Conflict(_))).count() {
        0 => Ok(()),
        count => Err(Failure::other(format!("{count} names lead to different results here and there"))
            .remedy("give one of them another name, or overwrite with force=true")),
    }
}

/// Every name but those of raw folders: these hold what a hospital's files hold, and leave only when they are named.
fn shared(store: &Store) -> Result<Vec<RefName>> {
    let mut shared = Vec::new();
    for name in store.all_refs()? {
        match store.resolve(&name.stage, &name.name)? {
            Some((_, result)) if result.stage == folder::STAGE => {
                println!("{name} stays here: it is a raw folder; ref={name} sends it");
            }
            _ => shared.push(name),
        }
    }
    if shared.is_empty() {
        return Err(Failure::data("there is nothing to push").remedy("`just ls` shows what is in the store"));
    }
    Ok(shared)
}

/// Reads everything at the store elsewhere; fails if anything is damaged.
pub(crate) fn check(run: &Parameters) -> Result<()> {
    let remote = remote::open(run.required("remote")?, Absent::Refuse)?;
    let bar = progress::bytes("verifying", 0);
    let found = remote::check(
        &*remote,
        run.integer("parallel") as usize,
        |bytes| bar.set_length(bytes),
        |bytes| bar.inc(bytes),
    )?;
    bar.finish_and_clear();
    println!("{}: {} objects, {} read", remote.address(), found.objects, HumanBytes(found.bytes));
    for damage in &found.damage {
        println!("damaged: {damage}");
    }
    match found.damage.len() {
        0 => Ok(()),
        count => Err(Failure::new(Exit::Store, format!("{count} damaged files at {}", remote.address()))
            .remedy("delete there what is named above and push again from a store that has it")),
    }
}

/// One line per name that did not lead to the same result on both sides.
fn print(moved: &[Moved], direction: Direction) {
    let mut table = Table::new(["name", "here", "there", ""].map(Column::text));
    let (mut same, destination) = (true, if direction == Direction::Push { "there" } else { "here" });
    for Moved { name, target, outcome } in moved {
        let (found, what) = match *outcome {
            Outcome::Same => continue,
            Outcome::New => (None, format!("new {destination}")),
            Outcome::Moved(found) => (Some(found), format!("moved {destination}")),
            Outcome::Ahead(found) => (Some(found), format!("left: moved {destination} since")),
            Outcome::Conflict(found) => (Some(found), "left: moved on both sides".to_owned()),
        };
        let (target, found) = (shown(target), found.as_ref().map_or("-".to_owned(), shown));
        let (here, there) = if direction == Direction::Push { (target, found) } else { (found, target) };
        table.row([name.to_string(), here, there, what]);
        same = false;
    }
    if !same {
        table.print();
    }
}

/// The key as `do=list` shows it, and which of several results under it.
fn shown(target: &RefTarget) -> String {
    format!("{}/{}", target.key.short(), target.result.short())
}

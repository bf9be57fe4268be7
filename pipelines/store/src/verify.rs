//! `do=verify`: reads everything again.

use indicatif::HumanBytes;
use serde_json::json;
use stage::{Parameters, Result, progress};
use store::{Store, Verification};

use crate::{
    compare,
    describe::{Names, damaged, print_json},
};

/// Prints what is damaged; fails if anything is.
pub(crate) fn verify(store: &Store, run: &Parameters) -> Result<()> {
    let found = read(store)?;
    let names = Names::of(store)?;
    let incomplete: Vec<String> = found.incomplete.iter().map(|record| names.title(record)).collect();
    let broken: Vec<String> = found.broken.iter().map(ToString::to_string).collect();
    let differences = compare::differences(store);
    if run.flag("json") {
        print_json(&json!({
            "store": store.root(),
            "objects": found.objects,
            "bytes": found.bytes,
            "damage": found.damage,
            "incomplete": incomplete,
            "broken_refs": broken,
            "warnings": found.warnings,
            "differences": differences,
        }));
    } else {
        println!("{} objects, {} read", found.objects, HumanBytes(found.bytes));
        for damage in &found.damage {
            println!("damaged: {}: {}", damage.path.display(), damage.what);
        }
        for result in &incomplete {
            println!("incomplete: {result}");
        }
        for name in &broken {
            println!("leads nowhere: {name}");
        }
        for warning in &found.warnings {
            println!("warning: {}: {}", warning.path.display(), warning.what);
        }
        for line in &differences {
            println!("warning: {line}");
        }
    }
    match found.damage.len() {
        0 => Ok(()),
        count => Err(damaged(format!("{count} damaged things in {}", store.root().display()))),
    }
}

/// Reads everything, with a bar.
pub(crate) fn read(store: &Store) -> Result<Verification> {
    let bar = progress::bytes("verifying", store.size());
    let found = store.verify(|bytes| bar.inc(bytes));
    bar.finish_and_clear();
    Ok(found?)
}

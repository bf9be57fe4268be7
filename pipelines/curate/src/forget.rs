//! Patients who withdraw consent: what tells of them goes, and a scan proves it.

mod carry_out;
mod plan;

use std::{
    io::{IsTerminal, Write},
    path::Path,
};

use cohort::{Found, Identifiers, Scan, Withdrawn};
use folder::Version;
use serde_json::json;
use stage::{Exit, Failure, Fallible, Parameters, Program, Result, plural, progress};
use store::Store;

use crate::asked::Asked;
use plan::Plan;

const ELSEWHERE: &str = "\
Out of reach, and yours to see to: the source folder (ingests leave the patient's files out from now on), copies of the
store and of exported cards, pages or models, remotes that were pushed to, backups.";

/// Shows what tells of the patients and, after a yes, removes it.
pub(crate) fn forget(store: &Store, run: &Parameters) -> Result<()> {
    let asked = Asked::of(store, run)?.ok_or_else(|| {
        Failure::usage("which patient?")
            .remedy("just forget patient=ID source=NAME, or patients=FILE with a number a line")
    })?;
    let json = run.flag("json");
    let out = Path::new(run.required(Program::OUT.name)?);
    let mut plan = Plan::of(store, &asked, out)?;
    let several = run.text("patient").is_some_and(|id| id.contains(',')) && plan.theirs.trace.is_empty();
    if several {
        return Err(Failure::usage("nothing was found of this patient, whose number has a comma in it")
            .remedy("patients=FILE names several, a number a line"));
    }
    if !json {
        plan.print();
    }
    let asks = !run.flag("yes") && !json && std::io::stdin().is_terminal();
    if !(run.flag("yes") || asks && agreed()?) {
        if json {
            println!("{}", json!({"done": false, "plan": plan.document()}));
        } else {
            println!("Nothing was changed; yes=true does it.");
        }
        return plan.check_rest();
    }
    let _alone = store.alone(|holder| eprintln!("waiting: {holder}"))?;
    plan = Plan::of(store, &asked, out)?; // nobody else writes from here on
    let identifiers = carry_out::carry_out(store, &asked, &plan)?;
    let scan = proof(store, &identifiers)?;
    if json {
        let found: Vec<_> =
            scan.found.iter().map(|found| json!({"path": found.path, "what": found.what})).collect();
        let scan = json!({"files": scan.files, "bytes": scan.bytes, "found": found});
        println!("{}", json!({"done": true, "plan": plan.document(), "scan": scan}));
    } else {
        for found in &scan.found {
            println!("left: {}: {}", found.path.display(), found.what);
        }
        let read = format!("searched {} files, {} bytes", scan.files, scan.bytes);
        println!(
            "{read} for {} identifiers: {}",
            identifiers.len(),
            match scan.found.len() {
                0 => "nothing left".to_owned(),
                places => format!("{places} places"),
            }
        );
        plan.print_files();
        println!("{ELSEWHERE}");
    }
    if scan.found.is_empty() {
        return plan.check_rest();
    }
    Err(Failure::new(Exit::Store, "something is left of the patients").remedy(
        "look at the files named above: sga did not make them from the patients' images. Take away what names them (`just \
         store do=remove ref=…`, then do=gc), or delete them, and run again",
    ))
}

/// Asks on the terminal.
fn agreed() -> Result<bool> {
    print!("This cannot be undone. Type yes to go on: ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

/// Searches the store for the identifiers, and for files of everyone who withdrew, also in the folders that it keeps: an earlier
/// forget may have found some that sga did not make.
fn proof(store: &Store, identifiers: &Identifiers) -> Result<Scan> {
    let bar = progress::bytes("searching", store.size());
    let mut scan = identifiers.scan(store, |bytes| bar.inc(bytes)).or_other()?;
    bar.finish_and_clear();
    let withdrawn = Withdrawn::of(store).or_other()?;
    for (path, object) in store.objects_here() {
        if withdrawn.has_file(&object) && scan.found.iter().all(|found| found.path != path) {
            scan.found.push(Found { path, what: "file of a patient who withdrew".to_owned() });
        }
    }
    for name in store.refs_of(folder::STAGE)? {
        let Some(version) = Version::open(store, &name).or_other()? else { continue };
        let files = version.listing.contents().filter(|file| withdrawn.has_file(file)).count();
        if files > 0 {
            let path = store.root().join("refs").join(folder::STAGE).join(&name);
            let what = format!("names {} of patients who withdrew", plural(files, "file"));
            scan.found.push(Found { path, what });
        }
    }
    Ok(scan)
}

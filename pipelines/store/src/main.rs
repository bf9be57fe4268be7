//! `sga-store`: looks into the store, verifies it, frees space.

use std::{process::ExitCode, time::Duration};

use indicatif::HumanBytes;
use stage::{Allowed, Column, Exit, Failure, Parameter, Parameters, Program, Result, Table, progress};
use store::Store;

static PROGRAM: Program = Program {
    stage: "store",
    about: "Looks into the store, verifies it, frees space.",
    parameters: &[
        Parameter::unkeyed(
            "do",
            Allowed::Choice(&["list", "verify", "gc"]),
            Some("list"),
            "list what has a name, read everything again, or free what no name reaches",
        ),
        Parameter::unkeyed("dry_run", Allowed::Flag, Some("true"), "gc: show what would go, delete nothing"),
        Parameter::unkeyed(
            "lease",
            Allowed::Integer(0, 100_000),
            Some("24"),
            "gc: keep what is younger than this many hours: a running stage may need it",
        ),
        Program::STORE,
    ],
    examples: "  just store\n  just store do=verify\n  just store do=gc dry_run=false",
};

fn main() -> ExitCode {
    stage::main(&PROGRAM, |runs| {
        for run in runs {
            let store = run.open_store()?;
            match run.required("do")? {
                "verify" => verify(&store)?,
                "gc" => collect(&store, &run)?,
                _ => list(&store)?,
            }
        }
        Ok(())
    })
}

fn list(store: &Store) -> Result<()> {
    let [text, number] = [Column::text, Column::number];
    let mut table = Table::new([text("stage"), text("name"), text("key"), number("files"), number("size")]);
    for stage in store.stages()? {
        for name in store.refs_of(&stage)? {
            let Some((key, result)) = store.resolve(&stage, &name)? else { continue };
            let bytes: u64 = result.outputs.values().map(|digest| digest.size).sum();
            let (files, size) = (result.outputs.len().to_string(), HumanBytes(bytes).to_string());
            table.row([stage.clone(), name, key.short(), files, size]);
        }
    }
    table.print();
    println!("\n{}: {} of objects", store.root().display(), HumanBytes(store.size()));
    Ok(())
}

fn verify(store: &Store) -> Result<()> {
    let bar = progress::bytes("verifying", store.size());
    let found = store.verify(|bytes| bar.inc(bytes))?;
    bar.finish_and_clear();
    println!("{} objects, {} read", found.objects, HumanBytes(found.bytes));
    for damage in &found.damage {
        println!("damaged: {}: {}", damage.path.display(), damage.what);
    }
    match found.damage.len() {
        0 => Ok(()),
        count => {
            Err(Failure::new(Exit::Store, format!("{count} damaged files in {}", store.root().display()))
                .remedy(
                    "delete the files named above and run the stages again: what is missing is made anew",
                ))
        }
    }
}

fn collect(store: &Store, run: &Parameters) -> Result<()> {
    let lease = Duration::from_secs(run.integer("lease") as u64 * 3600);
    let free = store.unreachable(lease)?;
    let what = format!(
        "{} results and {} objects, {}",
        free.results.len(),
        free.objects.len(),
        HumanBytes(free.bytes)
    );
    if run.flag("dry_run") {
        println!("would free {what}; `just store do=gc dry_run=false` does");
    } else {
        store.collect(&free)?;
        println!("freed {what}");
    }
    Ok(())
}

//! `sga-curate`: shows what ingests set aside, how splits are balanced, which pictures come twice, what changed; writes
//! a data set's card; changes the store's secret.

mod card;
mod diff;
mod duplicates;
mod quarantine;
mod secret;
mod splits;

use std::process::ExitCode;

use cohort::Dataset;
use stage::{Allowed, Fallible, Parameter, Parameters, Program, Result};
use store::Store;

static PROGRAM: Program = Program {
    stage: "curate",
    about: "Shows what ingests set aside, how splits are balanced, which pictures come twice and what changed.",
    parameters: &[
        Parameter::unkeyed(
            "do",
            Allowed::Choice(&["quarantine", "splits", "duplicates", "diff", "card", "rotate-secret"]),
            Some("splits"),
            "what to show or write",
        ),
        Parameter::unkeyed(
            "data",
            Allowed::Text("a data set's name"),
            None,
            "which ingested data set (default: all in the store)",
        ),
        Parameter::unkeyed(
            "before",
            Allowed::Text("an ingest"),
            None,
            "diff: the earlier ingest, as in siim.1 (default: the last but one of data=…)",
        ),
        Parameter::unkeyed(
            "after",
            Allowed::Text("an ingest"),
            None,
            "diff: the later ingest, as in siim.2 (default: the last one of data=…)",
        ),
        Parameter::unkeyed(
            "limit",
            Allowed::Integer(1, 100_000),
            Some("200"),
            "duplicates: most pairs on the page; quarantine: most files in the list",
        ),
        Parameter::unkeyed(
            "dry_run",
            Allowed::Flag,
            Some("true"),
            "rotate-secret: say what it leads to, change nothing",
        ),
        Program::OUT,
        Program::STORE,
    ],
    examples: "  just quarantine data=siim\n  just splits\n  just duplicates out=results\n  just diff siim.1 siim.2\n  \
               just card data=siim out=results\n  just rotate-secret dry_run=false",
};

fn main() -> ExitCode {
    stage::main(&PROGRAM, |runs| {
        for run in runs {
            let store = run.open_store()?;
            match run.required("do")? {
                "quarantine" => quarantine::show(&store, &chosen(&store, &run)?, &run)?,
                "duplicates" => duplicates::write_page(&store, &chosen(&store, &run)?, &run)?,
                "diff" => diff::show(&store, &run)?,
                "card" => card::write(&store, &chosen(&store, &run)?, run.required("out")?.as_ref())?,
                "rotate-secret" => secret::rotate(&store, run.flag("dry_run"))?,
                _ => splits::show(&chosen(&store, &run)?),
            }
        }
        Ok(())
    })
}

/// The data sets asked for.
fn chosen(store: &Store, run: &Parameters) -> Result<Vec<Dataset>> {
    match run.text("data") {
        Some(name) => Ok(vec![Dataset::open(store, name).or_usage()?]),
        None => Dataset::all(store).or_other(),
    }
}

//! `sga-curate`: shows what ingests set aside, how splits are balanced, which pictures come twice, whether tests leak into
//! training, what changed, what a result was made from; writes a data set's card; changes the store's secret; forgets patients.

mod asked;
mod card;
mod diff;
mod duplicates;
mod forget;
mod images;
mod leakage;
mod lineage;
mod quarantine;
mod saw;
mod secret;
mod splits;
mod theirs;

use std::{collections::BTreeSet, process::ExitCode};

use cohort::Dataset;
use stage::{Allowed, Failure, Fallible, Parameter, Parameters, Program, Result};
use store::Store;

static PROGRAM: Program = Program {
    stage: "curate",
    about: "Shows what ingests set aside, how splits are balanced, which pictures come twice and what changed.",
    parameters: &[
        Parameter::unkeyed(
            "do",
            Allowed::Choice(&[
                "quarantine",
                "splits",
                "duplicates",
                "diff",
                "card",
                "rotate-secret",
                "lineage",
                "forget",
                "leakage",
            ]),
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
        Parameter::unkeyed(
            "what",
            Allowed::Path,
            None,
            "lineage: a result (STAGE/NAME), the beginning of a digest, an image's key, or a file",
        ),
        Parameter::unkeyed(
            "patient",
            Allowed::Path, // taken as it stands: numbers may hold commas
            None,
            "lineage, forget: a patient's number as the publisher writes it; it is hashed at once and never written",
        ),
        Parameter::unkeyed(
            "patients",
            Allowed::Path,
            None,
            "lineage, forget: a file with a number on each line",
        ),
        Parameter::unkeyed(
            "source",
            Allowed::Text("a source's name"),
            None,
            "lineage, forget: the collection that gave the patient this number (default: the only one)",
        ),
        Parameter::unkeyed(
            "rows",
            Allowed::Flag,
            Some("false"),
            "lineage: list every image and its source file",
        ),
        Parameter::unkeyed(
            "yes",
            Allowed::Flag,
            Some("false"),
            "forget: do it without asking; without a terminal to ask on, it only says what would go",
        ),
        Program::JSON,
        Program::OUT,
        Program::STORE,
        Program::EXPERIMENT,
    ],
    examples: "  just quarantine data=siim\n  just splits\n  just duplicates out=results\n  just leakage\n  just diff siim.1 siim.2\n  \
               just card data=siim out=results\n  just rotate-secret dry_run=false\n  \
               just lineage eval/sga-1a2b3c4d\n  just lineage patient=0017 source=siim\n  \
               just forget patient=0017 source=siim",
};

fn main() -> ExitCode {
    stage::main(&PROGRAM, |runs| {
        for (run, data) in together(runs) {
            let forgets = run.required("do")? == "forget";
            let store = if forgets { run.open_own_store()? } else { run.open_store()? };
            let what = run.required("do")?;
            if run.flag("json") && !["lineage", "forget"].contains(&what) {
                let message = format!("do={what} prints for people: json=true is of lineage and forget");
                return Err(Failure::usage(message));
            }
            match what {
                "quarantine" => quarantine::show(&store, &chosen(&store, &data)?, &run)?,
                "leakage" => leakage::check(&store, &chosen(&store, &data)?)?,
                "duplicates" => duplicates::write_page(&store, &chosen(&store, &data)?, &run)?,
                "diff" => diff::show(&store, &run)?,
                "card" => card::write(&store, &chosen(&store, &data)?, run.required("out")?.as_ref())?,
                "rotate-secret" => secret::rotate(&store, run.flag("dry_run"))?,
                "lineage" => lineage::show(&store, &run)?,
                "forget" => forget::forget(&store, &run)?,
                _ => splits::show(&chosen(&store, &data)?),
            }
        }
        Ok(())
    })
}

/// Each run with the data sets that it is of. Those of a list are held against each other, not each against itself.
fn together(runs: Vec<Parameters>) -> Vec<(Parameters, BTreeSet<String>)> {
    let mut folded: Vec<(Parameters, BTreeSet<String>)> = Vec::new();
    let words = |run: &Parameters| {
        let mut words = run.values();
        words.remove("data");
        words
    };
    for run in runs {
        let compares = run.text("do").is_some_and(|what| ["leakage", "duplicates"].contains(&what));
        let data: BTreeSet<String> = run.text("data").map(str::to_owned).into_iter().collect();
        match folded.iter_mut().find(|(known, _)| compares && words(known) == words(&run)) {
            Some((_, known)) => known.extend(data),
            None => folded.push((run, data)),
        }
    }
    folded
}

/// The data sets of these names, all where there is none.
fn chosen(store: &Store, names: &BTreeSet<String>) -> Result<Vec<Dataset>> {
    if names.is_empty() {
        return Dataset::all(store).or_other();
    }
    names.iter().map(|name| Dataset::open(store, name).or_usage()).collect()
}

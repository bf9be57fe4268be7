//! `sga-report`: puts data, results and heat maps on one page.

mod contests;
mod gather;
mod looks;
mod pictures;
mod probed;
mod serve;
mod tested;

use std::{collections::BTreeMap, path::Path, process::ExitCode};

use cohort::{Dataset, Model, named};
use stage::{
    Action, Allowed, Fallible, Input, Made, Parameter, Parameters, Program, Result, answer, version,
};
use store::Store;

static PROGRAM: Program = Program {
    stage: "report",
    about: "Writes one self-contained HTML page: data, AUROC with intervals, ROC curves, heat maps; and beside it the \
            paper's Tables 1 and 2 and Figure 3 with our numbers, as Markdown, CSV and LaTeX, and every figure as SVG \
            and PNG.",
    parameters: &[
        Parameter::new(
            "title",
            Allowed::Sentence,
            Some("Chest X-ray classifiers at an unseen hospital"),
            "the page's title",
        ),
        Parameter::new(
            "resamples",
            Allowed::Integer(0, 1_000_000),
            Some("2000"),
            "resamples of patients behind the intervals; 0 for DeLong's alone",
        ),
        Parameter::new("seed", Allowed::Integer(0, i64::MAX), Some("0"), "seed of the resamples"),
        Parameter::unkeyed(
            "serve",
            Allowed::Text("an address and port, as 127.0.0.1:8000"),
            None,
            "serve the page there instead, made anew when the store changes; port 0 takes a free one",
        ),
        Program::OUT,
        Program::DRY_RUN,
        Program::AGAIN,
        Program::JSON_PLAN,
        Program::STORE,
        Program::EXPERIMENT,
    ],
    examples: "  just report\n  just report title=\"Pilot study\" out=pilot",
};

/// The page among the files that the stage makes.
const PAGE: &str = "report.html";

fn main() -> ExitCode {
    stage::main(&PROGRAM, |runs| {
        for run in runs {
            let store = run.open_store()?;
            match run.text("serve") {
                Some(address) => serve::serve(address, || live(&store, &run))?,
                None => write(&store, &run)?,
            }
        }
        Ok(())
    })
}

/// What the page is made of, and the question it answers.
fn ask(store: &Store, run: &Parameters) -> Result<(Vec<Dataset>, Vec<Model>, Action)> {
    let datasets = Dataset::all(store).or_other()?;
    let models = Model::all(store).or_other()?;
    let mut inputs = BTreeMap::new();
    for stage in ["ingest", "train", "eval", "explain", "sanity", "gallery"] {
        for name in store.refs_of(stage)? {
            if stage == "gallery" && !named::is_of_all(&name) {
                continue; // pictures of one model are not on the page
            }
            if let Some((_, result)) = store.resolve(stage, &name)? {
                let outputs = result.outputs.into_values().collect();
                inputs.insert(format!("{stage}/{name}"), Input::Objects(outputs));
            }
        }
    }
    let action = Action { stage: "report", version: version::REPORT, parameters: run.keyed(), inputs };
    Ok((datasets, models, action))
}

/// The page of the store as it is now, under the key of what is in it.
fn live(store: &Store, run: &Parameters) -> Result<serve::Live<impl FnOnce() -> Result<String>>> {
    let (datasets, models, action) = ask(store, run)?;
    let key = action.key().to_string();
    let make = move || {
        let page = gather::page(store, run, &datasets, &models, &action.key().short())?;
        page.draw().or_other()?.to_html().or_other()
    };
    Ok(serve::Live { key, make })
}

/// Writes the page and what stands beside it into the folder `out=`.
fn write(store: &Store, run: &Parameters) -> Result<()> {
    let (datasets, models, action) = ask(store, run)?;
    let outcome = answer(store, run, &action, "all", &|_, _, _| Ok(Some(Vec::new())), |folder| {
        let page = gather::page(store, run, &datasets, &models, &action.key().short())?;
        let drawn = page.draw().or_other()?;
        fs_err::write(folder.join(PAGE), drawn.to_html().or_other()?)?;
        for file in report::files(&page.models).or_other()? {
            fs_err::write(folder.join(file.name), file.text)?;
        }
        for drawing in drawn.drawings().or_other()? {
            fs_err::write(folder.join(format!("{}.svg", drawing.name)), drawing.svg)?;
            fs_err::write(folder.join(format!("{}.png", drawing.name)), drawing.png.as_bytes())?;
        }
        Ok(Made::default())
    })?;
    let Some(outcome) = outcome else { return Ok(()) };
    let out = Path::new(run.required(Program::OUT.name)?);
    fs_err::create_dir_all(out)?;
    for (name, digest) in &outcome.result.outputs {
        fs_err::write(out.join(name), store.read(digest)?)?;
    }
    let path = out.join(PAGE);
    println!("report: {}{}", path.display(), if outcome.reused { " (unchanged)" } else { "" });
    Ok(())
}

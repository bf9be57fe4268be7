//! `sga-ingest`: reads published data sets into Parquet shards, split by patient.

mod apart;
mod bucket;
mod changed;
mod finished;
mod ingest;
mod known;
mod listed;
mod place;
mod progress;
mod read;
mod refusal;
mod sources;
mod summary;

use std::process::ExitCode;

use stage::{Allowed, Parameter, Program};

static PROGRAM: Program = Program {
    stage: "ingest",
    about: "Reads published chest X-ray data sets (DICOM, PNG, JPEG) into Parquet shards, split 6:2:2 by patient.",
    parameters: &[
        Parameter::unkeyed(
            "dataset",
            Allowed::Text("a data set's name"),
            None,
            "which data set, or which layout: folder, csv, … (default: all of sga.toml)",
        ),
        Parameter::unkeyed("path", Allowed::Path, None, "its folder (default: as in sga.toml)"),
        Parameter::unkeyed(
            "name",
            Allowed::Text("lower-case letters, digits, hyphens"),
            None,
            "what to call it: a hospital of your own (default: the layout's name)",
        ),
        Parameter::unkeyed(
            "role",
            Allowed::Choice(&["iid", "ood"]),
            None,
            "iid: split by patient for training; ood: an unseen hospital (default: as its card says)",
        ),
        Parameter::new(
            "size",
            Allowed::Other("pixels | native", canonical::<imaging::Size>),
            Some("256"),
            "shorter side of the stored images; native keeps every pixel",
        ),
        Parameter::new(
            "fit",
            Allowed::Choice(&["keep", "squash", "crop", "pad"]),
            Some("keep"),
            "how an image that is not square is stored",
        ),
        Parameter::new(
            "buckets",
            Allowed::Integer(1, 4096),
            Some("16"),
            "shards per split: choose for the final size of the data set",
        ),
        Parameter::new(
            "split_seed",
            Allowed::Integer(0, i64::MAX),
            Some("0"),
            "another number splits the patients anew",
        ),
        Program::DRY_RUN,
        Program::AGAIN,
        Program::JSON_PLAN,
        Program::STORE,
        Program::EXPERIMENT,
    ],
    examples: "  just ingest\n  just ingest dataset=siim path=/data/siim-fisabio-rsna\n  \
        just ingest dataset=folder path=/data/hospital-c name=hospital-c role=ood",
};

fn main() -> ExitCode {
    stage::main(&PROGRAM, |runs| {
        let mut summary = summary::Summary::default();
        for run in runs {
            let sources = sources::of(&run)?; // refused words make no store
            let store = run.make_store()?;
            for source in sources {
                if let Some(ingested) = ingest::ingest(&store, &run, &source)? {
                    summary.add(ingested);
                }
            }
        }
        summary.print();
        Ok(())
    })
}

/// Checks a value by its type and returns its one spelling.
fn canonical<T: std::str::FromStr<Err: std::fmt::Display> + std::fmt::Display>(
    text: &str,
) -> Result<String, String> {
    text.parse::<T>().map(|value| value.to_string()).map_err(|error| error.to_string())
}

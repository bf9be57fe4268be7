//! `sga-phantom`: writes generated chest radiographs of two hospitals.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use phantom::{Hospital, Plan, Summary};
use serde_json::{Value, json};
use stage::{Allowed, Failure, Fallible, Parameter, Parameters, Program, Result};

/// Raised when the same parameters would give other images.
const VERSION: u32 = 2;

/// The file that says of which parameters a folder was made.
const STAMP: &str = "plan.json";

/// Everything that lies in a folder that this stage wrote.
const ENTRIES: [&str; 3] = [STAMP, "hospital-a", "hospital-b"];

static PROGRAM: Program = Program {
    stage: "phantom",
    about: "Writes generated chest radiographs of two hospitals in the publishers' layouts. In hospital A a marker goes \
            with the label; in hospital B it does not.",
    parameters: &[
        Parameter::unkeyed(
            "path",
            Allowed::Path,
            None,
            "the folder to write: hospital-a and hospital-b come in it (must be given)",
        ),
        Parameter::new(
            "patients_a",
            Allowed::Integer(10, 1_000_000),
            Some("500"),
            "patients of the training hospital; each has one to four images",
        ),
        Parameter::new(
            "patients_b",
            Allowed::Integer(10, 1_000_000),
            Some("150"),
            "patients of the unseen hospital; each has one or two images",
        ),
        Parameter::new(
            "side",
            Allowed::Integer(32, 4096),
            Some("128"),
            "shorter side of the images in pixels",
        ),
        Parameter::new("positives", Allowed::Real(0.0, 1.0), Some("0.5"), "share of positive patients"),
        Parameter::new(
            "marker",
            Allowed::Real(0.5, 1.0),
            Some("0.9"),
            "share of the marked positives, and of the unmarked negatives, in hospital A; half in hospital B",
        ),
        Parameter::new(
            "opacity_min",
            Allowed::Real(0.0, 1.0),
            Some("0.2"),
            "share of the lung's air that the faintest opacity takes away",
        ),
        Parameter::new(
            "opacity_max",
            Allowed::Real(0.0, 1.0),
            Some("0.8"),
            "share of the lung's air that the densest opacity takes away",
        ),
        Parameter::new("seed", Allowed::Integer(0, i64::MAX), Some("0"), "seed of everything random"),
        Program::EXPERIMENT,
    ],
    examples: "  just phantom path=demo/phantom\n  just phantom path=big patients_a=20000 side=512",
};

fn main() -> ExitCode {
    stage::main(&PROGRAM, |runs| runs.iter().try_for_each(write))
}

/// Writes both hospitals beside the folder and moves them there when they are whole.
fn write(run: &Parameters) -> Result<()> {
    let path = Path::new(run.required("path")?);
    let stamp = json!({"stage": PROGRAM.stage, "version": VERSION, "parameters": run.keyed()});
    if stamp_of(path).as_ref() == Some(&stamp) {
        println!("{}: unchanged", path.display());
        return Ok(());
    }
    let plan = plan(run)?;
    refuse_foreign(path)?;
    let beside = beside(path)?;
    if beside.exists() {
        fs_err::remove_dir_all(&beside)?;
    }
    let [new, old] = ["new", "old"].map(|name| beside.join(name));
    fs_err::create_dir_all(&new)?;
    let summary = phantom::write(&new, &plan).or_other()?;
    fs_err::write(new.join(STAMP), format!("{stamp:#}\n"))?;
    if path.exists() {
        fs_err::rename(path, old)?;
    }
    fs_err::rename(new, path)?;
    fs_err::remove_dir_all(beside)?;
    println!("{}: {}", path.display(), counts(&summary));
    Ok(())
}

/// Of which parameters the folder `path` was made; `None` when this stage did not write it.
fn stamp_of(path: &Path) -> Option<Value> {
    let stamp: Value = serde_json::from_slice(&fs_err::read(path.join(STAMP)).ok()?).ok()?;
    (stamp["stage"] == PROGRAM.stage).then_some(stamp)
}

/// Only what this stage wrote, whole and with nothing added, and empty folders are replaced.
fn refuse_foreign(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let own = stamp_of(path).is_some();
    for entry in fs_err::read_dir(path)? {
        let name = entry?.file_name();
        if !own || !ENTRIES.iter().any(|known| name == *known) {
            let (path, name) = (path.display(), name.display());
            return Err(Failure::usage(format!("{path} holds {name}, which is no phantom's"))
                .remedy("name a folder that is empty or does not exist: path=…"));
        }
    }
    Ok(())
}

/// Where the folder is made; what an interrupted run left there goes.
fn beside(path: &Path) -> Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| Failure::usage(format!("path={}: the folder needs a name", path.display())))?;
    Ok(path.with_file_name(format!(".{}.partial", name.display())))
}

fn plan(run: &Parameters) -> Result<Plan> {
    let plan = Plan::default();
    let (marked, faintest, densest) = (run.real("marker"), run.real("opacity_min"), run.real("opacity_max"));
    if faintest > densest {
        return Err(Failure::usage(format!("opacity_min={faintest} is above opacity_max={densest}")));
    }
    Ok(Plan {
        seed: run.integer("seed") as u64,
        side: run.integer("side") as u32,
        positives: run.real("positives"),
        opacity: faintest as f32..=densest as f32,
        hospital_a: Hospital {
            patients: run.integer("patients_a") as u32,
            marker_in_positives: marked,
            marker_in_negatives: 1.0 - marked,
            ..plan.hospital_a
        },
        hospital_b: Hospital { patients: run.integer("patients_b") as u32, ..plan.hospital_b },
        ..plan
    })
}

fn counts(summary: &Summary) -> String {
    [("hospital-a", summary.hospital_a), ("hospital-b", summary.hospital_b)]
        .map(|(name, counts)| {
            format!(
                "{name} {} patients, {} positive images ({} marked), {} negative ({} marked)",
                counts.patients,
                counts.positives,
                counts.marked_positives,
                counts.negatives,
                counts.marked_negatives
            )
        })
        .join("; ")
}

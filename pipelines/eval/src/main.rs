//! `sga-eval`: measures every trained classifier that has no up-to-date evaluation.

mod answers;
mod boxes;
mod cache;
mod condition;
mod confound;
mod covid;
mod evaluate;
mod evaluated;
mod findings;
mod logits;
mod sets;
mod summary;

use std::process::ExitCode;

use cohort::Model;
use schema::Asked;
use stage::{Allowed, Failure, Fallible, Parameter, Program};

use crate::{cache::Cache, condition::Condition, sets::Sets};

static PROGRAM: Program = Program {
    stage: "eval",
    about: "Measures trained classifiers and detectors on the test images of the training hospital (IID) and of the unseen one (OOD).",
    parameters: &[
        Program::MODEL,
        Parameter::unkeyed(
            "on",
            Allowed::Text("a data set's name"),
            None,
            "test on this data set alone (default: all); of one to train on, its test images",
        ),
        Parameter::new(
            "under",
            Allowed::Other(
                "clean | fgsm-EPS | pgd-EPS | gain-, gamma-, noise-, blur-, jpeg-, rotation-STRENGTH | \
                 border-only | border-blanked",
                Condition::spelled,
            ),
            Some("clean"),
            "what is done to the images: attacks (PGD of 10 steps), corruptions; a word without a number, attacks, \
             corruptions or borders stand for several",
        ),
        Parameter::new(
            "eps_space",
            Allowed::Choice(&["pixel", "normalised"]),
            Some("pixel"),
            "unit of an attack's EPS, as in training",
        ),
        Parameter::new(
            "dtype",
            Allowed::Choice(&["f32", "bf16"]),
            Some("f32"),
            "number format of the passes",
        ),
        Parameter::unkeyed("batch", Allowed::Integer(1, 65_536), Some("128"), "images per pass"),
        Parameter::unkeyed(
            "device",
            Allowed::Text("auto | cpu | cuda | cuda:N"),
            Some("auto"),
            "where to compute",
        ),
        Program::DRY_RUN,
        Program::AGAIN,
        Program::JSON_PLAN,
        Program::STORE,
        Program::EXPERIMENT,
    ],
    examples: "  just eval\n  just eval model=sga-1a2b3c4d device=cuda\n  just eval on=hospital-c\n  just eval under=clean,attacks,blur",
};

fn main() -> ExitCode {
    stage::main(&PROGRAM, |runs| {
        let (mut evaluated, mut cache) = (Vec::new(), Cache::default());
        let (mut tested, mut refused) = (false, None);
        for run in runs {
            let store = run.open_store()?;
            let models = Model::chosen(&store, run.text("model")).or_data()?;
            let sets = Sets::open(&store, run.text("on"))?;
            let conditions = Condition::of(run.required("under")?).map_err(Failure::usage)?;
            for model in &models {
                let sets = sets.of_model(&store, model)?;
                for condition in &conditions {
                    if model.findings.asked == Asked::Boxes && condition.moves_pixels() {
                        println!(
                            "{}: {condition} is left out: boxes do not turn with their images",
                            model.name
                        );
                        continue;
                    }
                    match evaluate::evaluate(&store, &run, model, *condition, &sets, &mut cache)? {
                        Ok(one) => {
                            tested = true;
                            evaluated.extend(one);
                        }
                        Err(refusal) if run.has("model") => return Err(refusal),
                        Err(refusal) => {
                            println!("{} is left out: {refusal}", model.name);
                            refused = Some(refusal);
                            break;
                        }
                    }
                }
            }
        }
        match refused {
            Some(refusal) if !tested => Err(refusal), // nothing was measured: no success
            _ => summary::print(evaluated),
        }
    })
}

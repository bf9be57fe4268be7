//! `sga-eval`: measures every trained classifier that has no up-to-date evaluation.

mod evaluate;
mod summary;

use std::process::ExitCode;

use cohort::{Model, TestSets};
use stage::{Allowed, Failure, Fallible, Parameter, Program};

static PROGRAM: Program = Program {
    stage: "eval",
    about: "Measures trained classifiers on the test images of the training hospital (IID) and of the unseen one (OOD).",
    parameters: &[
        Parameter::unkeyed(
            "model",
            Allowed::Text("a model's name"),
            None,
            "which model (default: all in the store)",
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
        Program::JSON,
        Program::STORE,
        Program::EXPERIMENT,
    ],
    examples: "  just eval\n  just eval model=sga-1a2b3c4d device=cuda",
};

fn main() -> ExitCode {
    stage::main(&PROGRAM, |runs| {
        let mut evaluated = Vec::new();
        for run in runs {
            let store = run.open_store()?;
            let mut models = Model::all(&store).or_other()?;
            models.retain(|model| run.text("model").is_none_or(|name| name == model.name));
            if models.is_empty() {
                return Err(
                    Failure::data("there is no such model in the store").remedy("`just train` trains one")
                );
            }
            let sets = TestSets::open(&store).or_other()?;
            let mut cache = evaluate::Cache::default();
            for model in &models {
                evaluated.extend(evaluate::evaluate(&store, &run, model, &sets, &mut cache)?);
            }
        }
        summary::print(evaluated);
        Ok(())
    })
}

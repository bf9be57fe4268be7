//! `sga-compare`: evaluated classifiers side by side, the best first.

mod bar;
mod measured;

use std::process::ExitCode;

use schema::Split;
use stage::{Allowed, Column, Failure, Parameter, Parameters, Program, Result, Table};

use crate::measured::Measured;

static PROGRAM: Program = Program {
    stage: "compare",
    about: "Shows every evaluated classifier, the best first, with bars from 0.5 (chance) to 1, and tests each against the \
            first on the same images.",
    parameters: &[
        Parameter::unkeyed(
            "by",
            Allowed::Choice(&["ood", "iid", "average"]),
            Some("ood"),
            "what to sort by: AUROC at the unseen hospital, at the training hospital, or the mean of both",
        ),
        Parameter::unkeyed(
            "under",
            Allowed::Text("clean, or a condition as `just eval` writes it: fgsm-0.03"),
            Some("clean"),
            "which evaluations to compare",
        ),
        Program::JSON,
        Program::STORE,
    ],
    examples: "  just compare\n  just compare by=iid\n  just compare under=pgd-0.03",
};

fn main() -> ExitCode {
    stage::main(&PROGRAM, |runs| runs.iter().try_for_each(compare))
}

fn compare(run: &Parameters) -> Result<()> {
    let store = run.open_store()?;
    let by = run.required("by")?;
    let mut models = measured::all(&store, run.required("under")?)?;
    models.retain(|model| model.value(by).is_some());
    if models.is_empty() {
        return Err(Failure::data("there is no such evaluation in the store").remedy("`just eval` makes one"));
    }
    models.sort_by(|a, b| b.value(by).partial_cmp(&a.value(by)).expect("areas are numbers"));
    if run.flag(Program::JSON.name) {
        for model in &models {
            println!("{}", model.to_json(&models[0])?);
        }
        return Ok(());
    }
    table(&models, by)?.print();
    println!("\n* p of no difference to the first model on the same images: DeLong's paired test");
    Ok(())
}

fn table(models: &[Measured], by: &str) -> Result<Table> {
    let columns = [
        Column::text("model"),
        Column::number("seed"),
        Column::text(by.to_uppercase()),
        Column::number("IID [95 % CI]"),
        Column::number("p*"),
        Column::number("OOD [95 % CI]"),
        Column::number("p*"),
        Column::number("average"),
    ];
    let mut table = Table::new(columns);
    for model in models {
        let interval = |split| {
            model.auroc(split).map_or("-".to_owned(), |area| {
                format!("{:.3} [{:.3}, {:.3}]", area.value, area.low, area.high)
            })
        };
        let test = |split| -> Result<String> {
            Ok(model.test_against(&models[0], split)?.map_or("-".to_owned(), |test| format!("{:.3}", test.p)))
        };
        let value = model.value(by).unwrap_or(f64::NAN);
        table.row([
            model.name.clone(),
            model.seed.to_string(),
            bar::bar(value),
            interval(Split::Test),
            test(Split::Test)?,
            interval(Split::Ood),
            test(Split::Ood)?,
            model.value("average").map_or("-".to_owned(), |value| format!("{value:.3}")),
        ]);
    }
    Ok(table)
}

//! `sga-compare`: evaluated classifiers side by side, the best first.

mod bar;
mod measured;
mod validation;

use std::{collections::BTreeSet, process::ExitCode};

use schema::Split;
use stage::{Allowed, Column, Failure, Parameter, Parameters, Program, Result, Table};

use crate::measured::Measured;

static PROGRAM: Program = Program {
    stage: "compare",
    about: "Shows every evaluated classifier, the best first, with bars from 0.5 (chance) to 1, and tests each against one \
            of them on the same images.",
    parameters: &[
        Parameter::unkeyed(
            "by",
            Allowed::Choice(&["ood", "iid", "average", "validation"]),
            Some("ood"),
            "what to sort by: AUROC at the unseen hospital, at the training hospital, or the mean of both; validation: settings by \
             their mean over seeds on validation images, without a look at the tests, to choose one",
        ),
        Parameter::unkeyed(
            "under",
            Allowed::Text(
                "clean, or a condition as `just eval` writes it: fgsm-0.03; on-NAME for a test on=NAME",
            ),
            Some("clean"),
            "which evaluations to compare",
        ),
        Parameter::unkeyed(
            "against",
            Allowed::Text("a model's name"),
            None,
            "the model that the others are tested against (default: the first)",
        ),
        Parameter::unkeyed(
            "resamples",
            Allowed::Integer(0, 1_000_000),
            Some("2000"),
            "resamples of patients behind the intervals of differences; 0 for none",
        ),
        Program::JSON,
        Program::STORE,
    ],
    examples: "  just compare\n  just compare by=iid\n  just compare by=validation\n  just compare against=nt-1a2b3c4d\n  just compare under=pgd-0.03",
};

fn main() -> ExitCode {
    stage::main(&PROGRAM, |runs| runs.iter().try_for_each(compare))
}

fn compare(run: &Parameters) -> Result<()> {
    let store = run.open_store()?;
    let by = run.required("by")?;
    if by == "validation" {
        if run.text("against").is_some() || run.required("under")? != "clean" {
            let remedy = "leave out under= and against=, or sort by another figure";
            return Err(Failure::usage("by=validation looks at no test").remedy(remedy));
        }
        return validation::print(&store, run.flag(Program::JSON.name));
    }
    let mut models = measured::all(&store, run.required("under")?)?;
    let earlier = measured::retain_newest_attack(&mut models);
    if !earlier.is_empty() {
        let names = earlier.join(", ");
        eprintln!(
            "warning: left out, attacked as by an earlier version: {names}; `just eval` attacks them anew"
        );
    }
    let evaluated = models.len();
    models.retain(|model| model.value(by).is_some());
    if models.is_empty() {
        let under = run.required("under")?;
        if evaluated > 0 {
            let message = format!("none of the {evaluated} evaluations has a figure {}", by.to_uppercase());
            return Err(Failure::data(message)
                .remedy("`just report` has those of findings and boxes; by= names another figure"));
        }
        let names = store.refs_of("eval")?;
        let known: BTreeSet<&str> = names.iter().filter_map(|name| Some(name.split_once('.')?.1)).collect();
        let known = match known.into_iter().collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => none,
            known => format!("; under= names one of those in the store: {known}"),
        };
        let remedy = match under {
            "clean" => format!("`just eval` makes one{known}"),
            _ => format!("`just eval under={under}` makes one, or several of that kind{known}"),
        };
        return Err(Failure::data("there is no such evaluation in the store").remedy(remedy));
    }
    let asked: &[Split] = match by {
        "iid" => &[Split::Test],
        "ood" => &[Split::Ood],
        _ => &[Split::Test, Split::Ood],
    };
    let (elsewhere, of_now) = measured::retain_same_images(&store, &mut models, run.text("against"), asked)?;
    if !of_now {
        eprintln!("warning: tests of other images than the data sets hold now; `just eval` tests anew");
    }
    if !elsewhere.is_empty() {
        let names = elsewhere.join(", ");
        eprintln!("warning: left out, tested on other images: {names}; `just eval` tests them anew");
    }
    let untold: Vec<&str> = models.iter().filter(|model| model.untold).map(|model| &*model.name).collect();
    if !untold.is_empty() {
        let names = untold.join(", ");
        eprintln!("warning: what they were trained on is not known here, it may be among the tests: {names}");
    }
    models.sort_by(|a, b| b.value(by).partial_cmp(&a.value(by)).expect("areas are numbers"));
    let against = match run.text("against") {
        None => &models[0],
        Some(name) => models.iter().find(|model| model.name == name).ok_or_else(|| {
            let message =
                format!("no model {name} was evaluated so, or it has no figure {}", by.to_uppercase());
            Failure::usage(message).remedy("`just compare` lists them")
        })?,
    };
    let draws = run.integer("resamples") as usize;
    if run.flag(Program::JSON.name) {
        for model in &models {
            println!("{}", model.to_json(against, draws)?);
        }
        return Ok(());
    }
    let tested = if by == "iid" { Split::Test } else { Split::Ood };
    table(&models, by, against, tested, draws)?.print();
    let intervals = match run.required("under")? {
        under if under == "clean" || under.starts_with("on-") => {
            "patients resampled (where they are too few, DeLong's, over images)"
        }
        _ => "DeLong's, images taken as independent",
    };
    println!("\nIID, OOD: 95 % CI, {intervals}");
    println!(
        "* less {} on the same images: 95 % CI and p, patients resampled (where they are too few, p by DeLong's paired test, \
         over images); p values are not corrected for their number",
        against.name
    );
    Ok(())
}

fn table(models: &[Measured], by: &str, against: &Measured, tested: Split, draws: usize) -> Result<Table> {
    let less = if tested == Split::Test { "IID less*" } else { "OOD less*" };
    let columns = [
        Column::text("model"),
        Column::number("seed"),
        Column::text(by.to_uppercase()),
        Column::number("IID [95 % CI]"),
        Column::number("OOD [95 % CI]"),
        Column::number("average"),
        Column::number(less),
        Column::number("p*"),
    ];
    let mut table = Table::new(columns);
    for model in models {
        let interval = |split| {
            model.auroc(split).map_or("-".to_owned(), |area| {
                format!("{:.3} [{:.3}, {:.3}]", area.value, area.low, area.high)
            })
        };
        let less = model.less(against, tested, draws)?;
        let difference = less.as_ref().map_or("-".to_owned(), |less| {
            let range = less.by_patient.map(|range| format!(" [{:+.3}, {:+.3}]", range.low, range.high));
            format!("{:+.3}{}", less.test.difference, range.unwrap_or_default())
        });
        let value = model.value(by).unwrap_or(f64::NAN);
        table.row([
            format!("{} {}", model.name, model.parameters).trim_end().to_owned(),
            model.seed.to_string(),
            bar::bar(value),
            interval(Split::Test),
            interval(Split::Ood),
            model.value("average").map_or("-".to_owned(), |value| format!("{value:.3}")),
            difference,
            less.map_or("-".to_owned(), |less| format!("{:.3}", less.p())),
        ]);
    }
    Ok(table)
}

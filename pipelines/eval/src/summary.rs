//! The tables at the end: every model on clean images, methods over their seeds, and methods under each condition.

use std::collections::BTreeSet;

use cohort::{Model, Setting};
use metrics::{Bootstrap, BoxFigures, Difference, Estimate, FindingFigure, FindingFigures, Spread};
use schema::{Asked, Prediction, Split};
use stage::{Column, Fallible, Result, Table};

use crate::{condition::Condition, evaluated::Evaluated};

/// Prints the tables, methods in the order of the registry.
pub(crate) fn print(mut evaluated: Vec<Evaluated>) -> Result<()> {
    let rank = |method: &str| method::METHODS.iter().position(|known| known.name == method);
    evaluated.reverse();
    let mut named = BTreeSet::new(); // an evaluation that another one has replaced is not a further seed
    evaluated
        .retain(|one| named.insert((one.condition.evaluation(&one.model.name, one.space), one.on.clone())));
    evaluated.sort_by_key(|one| (rank(&one.model.method), one.model.seed(), one.model.name.clone()));
    for one in evaluated.iter().filter(|one| one.findings.iter().any(Option::is_some)) {
        let name = one.condition.evaluation(&one.model.name, one.space);
        println!("\n{name}, AUROC of each finding against the others{}", on(one));
        of_findings(one).print();
        let all = one.findings.iter().flatten().flat_map(|set| &set.each);
        let rare: BTreeSet<&str> = all.filter(|one| one.is_rare()).map(|one| one.name.as_str()).collect();
        if !rare.is_empty() {
            let names = rare.into_iter().collect::<Vec<_>>().join(", ");
            println!(
                "warning: {names}: seen in fewer than {} images: intervals of so few are too narrow",
                FindingFigure::ENOUGH
            );
        }
    }
    let detectors: Vec<&Evaluated> =
        evaluated.iter().filter(|one| one.model.findings.asked == Asked::Boxes).collect();
    if !detectors.is_empty() {
        println!("\nAverage precision of boxes");
        of_boxes(&detectors).print();
        println!(
            "mAP@0.5 counts a box that overlaps a radiologist's by one half; mAP is the mean over 0.5, 0.55, … 0.95. Without a \
             value, the images have no boxes."
        );
    }
    evaluated.retain(|one| one.model.findings.says_covid()); // the tables below are of COVID-19
    let (alone, evaluated): (Vec<Evaluated>, Vec<Evaluated>) =
        evaluated.into_iter().partition(|one| one.on.is_some());
    let names: BTreeSet<String> = alone.iter().filter_map(|one| one.on.clone()).collect();
    for name in names {
        println!("\nAUROC on {name} alone");
        let of_set: Vec<&Evaluated> = alone.iter().filter(|one| one.on.as_ref() == Some(&name)).collect();
        one_set(&of_set).print();
        if of_set.iter().any(|one| one.condition != Condition::Clean) {
            println!(
                "Patients are resampled on clean images; other intervals are DeLong's, which are narrower."
            );
        }
    }
    let clean: Vec<&Evaluated> = evaluated.iter().filter(|one| one.condition == Condition::Clean).collect();
    if !clean.is_empty() {
        println!("\nAUROC, patients resampled (where they are too few, DeLong's interval, over images)");
        models(&clean).print();
        if let Some(auroc) = clean.iter().find_map(|one| one.ood_by_source) {
            println!(
                "OOD of a classifier that was taught the sources alone, on the same images: {auroc:.3}. As much of the \
                 values above may be the source."
            );
        }
    }
    let lines = lines(&evaluated);
    if have_several_seeds(&lines) && !clean.is_empty() {
        println!(
            "\nAUROC, mean ± standard deviation over trainings; differences with 95 % interval and p, patients resampled"
        );
        seeds(&lines, &clean)?.print();
    }
    for (family, conditions) in families(&evaluated) {
        println!(
            "\nAUROC, {family}{}",
            if have_several_seeds(&lines) { ", mean ± standard deviation over trainings" } else { "" }
        );
        let of_family: Vec<&Evaluated> = evaluated
            .iter()
            .filter(|one| {
                one.condition == Condition::Clean || one.condition.family_title(one.space) == family
            })
            .collect();
        under(&lines, &of_family, &conditions).print();
    }
    Ok(())
}

fn models(clean: &[&Evaluated]) -> Table {
    let words = ["model", "method"].map(Column::text);
    let numbers =
        ["seed", "validation", "IID [95 % CI]", "OOD [95 % CI]", "OOD - IID", "average"].map(Column::number);
    let mut table = Table::new(words.into_iter().chain(numbers));
    for one in clean {
        table.row([
            one.model.name.clone(),
            one.model.method.clone(),
            one.model.seed().to_string(),
            number(one.model.training["best"]["validation_auroc"].as_f64()),
            estimate(one.iid.as_ref()),
            estimate(one.ood.as_ref()),
            one.change().map_or("-".to_owned(), |change| format!("{change:+.3}")),
            number(one.average()),
        ]);
    }
    table
}

fn on(one: &Evaluated) -> String {
    one.on.as_ref().map_or_else(String::new, |on| format!(", on {on} alone"))
}

/// How well models find boxes.
fn of_boxes(detectors: &[&Evaluated]) -> Table {
    let words = ["model", "method", "under"].map(Column::text);
    let sets = ["IID", "OOD"].map(|set| {
        let titles = [format!("boxes {set}"), format!("mAP@0.5 {set} [95 % CI]"), format!("mAP {set}")];
        titles.map(Column::number)
    });
    let titles = words.into_iter().chain([Column::number("seed")]).chain(sets.into_iter().flatten());
    let mut table = Table::new(titles);
    for one in detectors {
        let words =
            [one.model.name.clone(), one.model.method.clone(), format!("{}{}", one.condition, on(one))];
        let cells = one.boxes.iter().flat_map(|set| match set {
            None => ["-".to_owned(), "-".to_owned(), "-".to_owned()],
            Some(BoxFigures { boxes, precision_at_half, precision, .. }) => {
                [boxes.to_string(), estimate(Some(precision_at_half)), number(Some(precision.value))]
            }
        });
        table.row(words.into_iter().chain([one.model.seed().to_string()]).chain(cells));
    }
    table
}

/// What a model tells apart, and how well.
fn of_findings(one: &Evaluated) -> Table {
    let titles = ["images IID", "IID [95 % CI]", "images OOD", "OOD [95 % CI]"].map(Column::number);
    let mut table = Table::new([Column::text("finding")].into_iter().chain(titles));
    let of = |set: &Option<FindingFigures>, name: &str| {
        let Some(set) = set else { return ["-".to_owned(), "-".to_owned()] };
        if let Some(finding) = set.each.iter().find(|finding| finding.name == name) {
            return [finding.images.to_string(), estimate(finding.auroc.as_ref())];
        }
        let count = set.each.iter().filter(|finding| finding.auroc.is_some()).count();
        [format!("of {count}"), estimate(Some(&set.mean))]
    };
    let names = one.findings.iter().flatten().take(1).flat_map(|set| &set.each).map(|one| one.name.as_str());
    for name in names.chain(["mean"]) {
        let [iid, ood] = &one.findings;
        table.row([name.to_owned()].into_iter().chain(of(iid, name)).chain(of(ood, name)));
    }
    table
}

/// Models on one data set.
fn one_set(evaluated: &[&Evaluated]) -> Table {
    let words = ["model", "method", "under"].map(Column::text);
    let numbers = ["seed", "AUROC [95 % CI]"].map(Column::number);
    let mut table = Table::new(words.into_iter().chain(numbers));
    for one in evaluated {
        table.row([
            one.model.name.clone(),
            one.model.method.clone(),
            one.condition.to_string(),
            one.model.seed().to_string(),
            estimate(one.iid.as_ref().or(one.ood.as_ref())),
        ]);
    }
    table
}

/// The models of one setting.
struct Line {
    /// The method, and its parameters where these differ.
    title: String,
    models: BTreeSet<String>,
    /// The models that it is compared with: natural training, where there is any, else the first setting.
    others: BTreeSet<String>,
}

/// In the order of the models.
fn lines(evaluated: &[Evaluated]) -> Vec<Line> {
    let mut models: Vec<Model> = Vec::new();
    for one in evaluated {
        if models.iter().all(|model| model.name != one.model.name) {
            models.push(one.model.clone());
        }
    }
    let settings = cohort::settings(&models);
    let names = |setting: &Setting| setting.models.iter().map(|model| model.name.clone()).collect();
    let compared_with_natural = settings.iter().any(|of| cohort::natural(&settings, of).is_some());
    let line = |(index, setting): (usize, &Setting)| {
        let first = (index > 0 && !compared_with_natural).then(|| &settings[0]);
        Line {
            title: setting.title(),
            models: names(setting),
            others: cohort::natural(&settings, setting).or(first).map(names).unwrap_or_default(),
        }
    };
    settings.iter().enumerate().map(line).collect()
}

fn have_several_seeds(lines: &[Line]) -> bool {
    lines.iter().any(|line| line.models.len() > 1)
}

fn seeds(lines: &[Line], clean: &[&Evaluated]) -> Result<Table> {
    let compared_with: Vec<&Line> =
        lines.iter().filter(|line| lines.iter().any(|one| one.others == line.models)).collect();
    let other = match &compared_with[..] {
        [one] => &*one.title,
        _ => "nt",
    };
    let numbers = ["trainings", "IID", "OOD", "OOD - IID", "average"].map(str::to_owned);
    let numbers = numbers.into_iter().chain(["IID", "OOD"].map(|set| format!("{set} less {other}")));
    let mut table = Table::new([Column::text("method")].into_iter().chain(numbers.map(Column::number)));
    for line in lines {
        let of = |value: fn(&Evaluated) -> Option<f64>| over_seeds(clean, &line.models, value);
        let difference = |split: Split| -> Result<String> {
            Ok(less(line, clean, split)?.map_or("-".to_owned(), |Difference { value, interval, p }| {
                format!("{value:+.3} [{:+.3}, {:+.3}] p {p:.3}", interval.low, interval.high)
            }))
        };
        table.row([
            line.title.clone(),
            line.models.len().to_string(),
            spread(of(|one| Some(one.iid.as_ref()?.value)), false),
            spread(of(|one| Some(one.ood.as_ref()?.value)), false),
            spread(of(Evaluated::change), true),
            spread(of(Evaluated::average), false),
            difference(Split::Test)?,
            difference(Split::Ood)?,
        ]);
    }
    Ok(table)
}

/// A setting less what it is compared with, on the same resampled patients.
fn less(line: &Line, clean: &[&Evaluated], split: Split) -> Result<Option<Difference>> {
    let of = |names: &BTreeSet<String>| -> Vec<Vec<&Prediction>> {
        let models = clean.iter().filter(|one| names.contains(&one.model.name));
        models.map(|one| one.predictions.iter().filter(|row| row.split == split).collect()).collect()
    };
    cohort::mean_difference(&of(&line.models), &of(&line.others), Bootstrap::default()).or_other()
}

/// The conditions by family, each family from its weakest on.
fn families(evaluated: &[Evaluated]) -> Vec<(String, Vec<Condition>)> {
    let mut families: Vec<(String, Vec<Condition>)> = Vec::new();
    for one in evaluated.iter().filter(|one| one.condition != Condition::Clean) {
        let family = one.condition.family_title(one.space);
        match families.iter_mut().find(|(known, _)| *known == family) {
            Some((_, conditions)) if conditions.contains(&one.condition) => {}
            Some((_, conditions)) => conditions.push(one.condition),
            None => families.push((family, vec![one.condition])),
        }
    }
    for (_, conditions) in &mut families {
        conditions.sort_by(|a, b| a.strength().total_cmp(&b.strength()));
    }
    families
}

/// Methods under the conditions of a family, from clean on.
fn under(lines: &[Line], evaluated: &[&Evaluated], conditions: &[Condition]) -> Table {
    let clean = evaluated.iter().any(|one| one.condition == Condition::Clean);
    let conditions: Vec<Condition> =
        clean.then_some(Condition::Clean).into_iter().chain(conditions.iter().copied()).collect();
    let titles = ["IID", "OOD"].iter().flat_map(|set| {
        conditions.iter().map(move |condition| Column::number(format!("{set} {}", condition.short())))
    });
    let mut table = Table::new([Column::text("method")].into_iter().chain(titles));
    for Line { title, models, .. } in lines {
        let cells = [true, false].into_iter().flat_map(|iid| {
            conditions.iter().map(move |condition| {
                let of: Vec<&Evaluated> =
                    evaluated.iter().copied().filter(|one| one.condition == *condition).collect();
                let side =
                    |one: &Evaluated| Some(if iid { one.iid.as_ref() } else { one.ood.as_ref() }?.value);
                spread(over_seeds(&of, models, side), false)
            })
        });
        table.row([title.clone()].into_iter().chain(cells));
    }
    table
}

/// Over a method's seeds; `None` where one of them has no value.
fn over_seeds(
    evaluated: &[&Evaluated],
    names: &BTreeSet<String>,
    value: impl Fn(&Evaluated) -> Option<f64>,
) -> Option<Spread> {
    let of_method = evaluated.iter().filter(|one| names.contains(&one.model.name));
    let values: Option<Vec<f64>> = of_method.map(|one| value(one)).collect();
    Spread::of(&values?)
}

fn spread(spread: Option<Spread>, sign: bool) -> String {
    let Some(Spread { mean, deviation, .. }) = spread else { return "-".to_owned() };
    let mean = if sign { format!("{mean:+.3}") } else { format!("{mean:.3}") };
    deviation.map_or(mean.clone(), |deviation| format!("{mean} ±{deviation:.3}"))
}

fn number(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.3}"))
}

fn estimate(estimate: Option<&Estimate>) -> String {
    estimate
        .map_or("-".to_owned(), |Estimate { value, low, high }| format!("{value:.3} [{low:.3}, {high:.3}]"))
}

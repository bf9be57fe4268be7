//! Tables 1 and 2 and Figure 3 of Li et al. 2022, ours beside theirs, on the page and as files.

use std::collections::{BTreeMap, BTreeSet};

use metrics::Spread;
use minijinja::context;
use serde::Serialize;

use crate::results::{average, change, iid, ood};
use crate::{Error, Model, Objective, render};

/// One of the paper's tables.
#[derive(Serialize)]
pub(crate) struct Table {
    /// What its files are called.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What the lines differ in.
    pub(crate) column: &'static str,
    /// Whether it has lines of several settings of what the paper does not vary.
    pub(crate) several: bool,
    pub(crate) lines: Vec<Line>,
}

/// A line: a value that the paper gives, and what came out here.
#[derive(Serialize)]
pub(crate) struct Line {
    pub(crate) label: &'static str,
    /// Of what the paper does not vary: the words in which settings differ.
    pub(crate) setting: String,
    pub(crate) seeds: usize,
    /// IID and OOD of each model that was tested on both.
    pub(crate) trained: Vec<(f64, f64)>,
    /// IID and OOD as printed.
    pub(crate) printed: Option<(f64, f64)>,
    /// IID, OOD, OOD − IID, average.
    pub(crate) pairs: [Pair; 4],
}

/// A number of ours, and the paper's as printed.
#[derive(Serialize)]
pub(crate) struct Pair {
    pub(crate) ours: Option<Ours>,
    pub(crate) paper: Option<String>,
    /// Written with its sign.
    pub(crate) signed: bool,
}

/// A mean over seeds as the page's cells show it.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Ours {
    pub(crate) value: f64,
    pub(crate) low: Option<f64>,
    pub(crate) deviation: Option<f64>,
}

/// What the paper prints of a line: IID, OOD and their average, in hundredths; 0 is not printed.
struct Printed {
    label: &'static str,
    hundredths: [u32; 3],
    is: fn(&Objective) -> bool,
}

const fn printed(label: &'static str, hundredths: [u32; 3], is: fn(&Objective) -> bool) -> Printed {
    Printed { label, hundredths, is }
}

fn near(value: f64, wanted: f64) -> bool {
    (value - wanted).abs() < 1e-9
}

/// λ = 1 under attack, with this k.
fn masks(objective: &Objective, k: f64) -> bool {
    objective.attacked && near(objective.lambda, 1.0) && near(objective.k, k)
}

/// k = 0.1 under attack, with this λ.
fn weighs(objective: &Objective, lambda: f64) -> bool {
    objective.attacked && near(objective.k, 0.1) && near(objective.lambda, lambda)
}

fn natural(objective: &Objective) -> bool {
    near(objective.lambda, 0.0)
}

fn guided(objective: &Objective) -> bool {
    !objective.attacked && near(objective.lambda, 1.0) && near(objective.k, 0.1)
}

const TABLES: [(&str, &str, &str, &[Printed]); 3] = [
    (
        "figure-3",
        "Figure 3: the methods",
        "Method",
        &[
            printed("NT", [82, 75, 78], natural),
            printed("SG", [0, 0, 79], guided),
            printed("AT", [76, 81, 79], |objective| masks(objective, 0.0)),
            printed("SGA", [80, 82, 81], |objective| masks(objective, 0.1)),
        ],
    ),
    (
        "table-1",
        "Table 1: the masked fraction k, λ = 1",
        "k",
        &[
            printed("0 (AT)", [76, 81, 0], |objective| masks(objective, 0.0)),
            printed("0.05", [81, 78, 0], |objective| masks(objective, 0.05)),
            printed("0.1", [80, 82, 0], |objective| masks(objective, 0.1)),
            printed("0.15", [80, 79, 0], |objective| masks(objective, 0.15)),
            printed("0.2", [81, 80, 0], |objective| masks(objective, 0.2)),
        ],
    ),
    (
        "table-2",
        "Table 2: the weight λ of the divergence, k = 0.1",
        "λ",
        &[
            printed("0 (NT)", [82, 75, 0], natural),
            printed("0.5", [78, 81, 0], |objective| weighs(objective, 0.5)),
            printed("1", [80, 82, 0], |objective| weighs(objective, 1.0)),
            printed("1.5", [78, 81, 0], |objective| weighs(objective, 1.5)),
            printed("2", [78, 82, 0], |objective| weighs(objective, 2.0)),
        ],
    ),
];

type Rest = BTreeMap<String, String>;

/// The paper's tables with what these models give. Lines without a model stand empty; where several settings fill some, these
/// lines alone are there.
pub(crate) fn tables(models: &[Model]) -> Vec<Table> {
    let settings = settings(models);
    let filled = |rest: &Rest, printed: &Printed| !trained(models, rest, printed.is).is_empty();
    TABLES
        .iter()
        .map(|(name, title, column, printed)| {
            let fills = |rest: &&Rest| printed.iter().any(|printed| filled(rest, printed));
            let mut shown: Vec<Rest> = settings.iter().copied().filter(fills).cloned().collect();
            if shown.is_empty() {
                shown.push(Rest::new());
            }
            let several = shown.len() > 1;
            let lines = shown.iter().flat_map(|rest| {
                let printed = printed.iter().filter(move |printed| !several || filled(rest, printed));
                printed.map(|printed| line(models, words(rest, &shown), rest, printed))
            });
            Table { name, title, column, several, lines: lines.collect() }
        })
        .collect()
}

/// What the paper does not vary, once for each combination that models were trained with. A model to which a parameter makes no
/// difference belongs to all combinations of it, and natural training alone makes none where there is another.
fn settings(models: &[Model]) -> Vec<&Rest> {
    let rests: BTreeSet<&Rest> =
        models.iter().filter_map(|model| Some(&model.objective.as_ref()?.rest)).collect();
    let wider = |rest: &Rest| rests.iter().any(|other| other.len() > rest.len() && within(rest, other));
    let widest = || rests.iter().copied().filter(|rest| !wider(rest));
    let compared = |rest: &&Rest| !trained(models, rest, |objective| !natural(objective)).is_empty();
    if widest().any(|rest| compared(&rest)) {
        widest().filter(compared).collect()
    } else {
        widest().collect()
    }
}

/// What sets it apart from the others, where both have it.
fn words(rest: &Rest, settings: &[Rest]) -> String {
    let differs = |name: &str, value: &String| {
        settings.iter().filter_map(|other| other.get(name)).any(|of_other| of_other != value)
    };
    let words = rest.iter().filter(|(name, value)| differs(name, value));
    words.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

/// Whether all that is said here is said there too.
fn within(rest: &Rest, other: &Rest) -> bool {
    rest.iter().all(|(name, value)| other.get(name) == Some(value))
}

/// The models of such an objective in this setting.
fn trained<'a>(models: &'a [Model], rest: &Rest, is: fn(&Objective) -> bool) -> Vec<&'a Model> {
    let fits = |objective: &Objective| is(objective) && within(&objective.rest, rest);
    models.iter().filter(|model| model.objective.as_ref().is_some_and(fits)).collect()
}

fn line(models: &[Model], setting: String, rest: &Rest, printed: &Printed) -> Line {
    let of = trained(models, rest, printed.is);
    let spread = |value: fn(&Model) -> Option<f64>| -> Option<Spread> {
        Spread::of(&of.iter().map(|model| value(model)).collect::<Option<Vec<f64>>>()?)
    };
    let ours = |value| {
        spread(value).map(|Spread { mean, deviation, .. }| Ours { value: mean, low: None, deviation })
    };
    let [iid_printed, ood_printed, average_printed] = printed.hundredths;
    let written = |hundredths: u32| (hundredths > 0).then(|| format!("0.{hundredths:02}"));
    let both = iid_printed > 0 && ood_printed > 0;
    let difference = f64::from(ood_printed) - f64::from(iid_printed);
    let sum = f64::from(ood_printed) + f64::from(iid_printed);
    let pair = |value, paper, signed| Pair { ours: ours(value), paper, signed };
    Line {
        label: printed.label,
        setting,
        seeds: of.len(),
        trained: of.iter().filter_map(|model| Some((iid(model)?, ood(model)?))).collect(),
        printed: both.then(|| (f64::from(iid_printed) / 100.0, f64::from(ood_printed) / 100.0)),
        pairs: [
            pair(iid, written(iid_printed), false),
            pair(ood, written(ood_printed), false),
            pair(change, both.then(|| format!("{:+.2}", difference / 100.0).replace('-', "−")), true),
            pair(
                average,
                written(average_printed).or_else(|| both.then(|| format!("{:.3}", sum / 200.0))),
                false,
            ),
        ],
    }
}

/// A file for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// `table-1.csv`
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// Tables 1 and 2 and Figure 3 of the paper as Markdown, CSV and LaTeX, with what these models give.
pub fn files(models: &[Model]) -> Result<Vec<File>, Error> {
    let mut environment = render::environment();
    environment.add_template("md", include_str!("../templates/table.md"))?;
    environment.add_template("tex", include_str!("../templates/table.tex"))?;
    let mut files = Vec::new();
    for table in tables(models) {
        for form in ["md", "tex"] {
            let text = environment.get_template(form)?.render(context!(table))?;
            files.push(File { name: format!("{}.{form}", table.name), text });
        }
        files.push(File { name: format!("{}.csv", table.name), text: csv(&table)? });
    }
    Ok(files)
}

/// A row for each line and number, for programs.
fn csv(table: &Table) -> Result<String, Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["line", "setting", "number", "seeds", "mean", "standard_deviation", "paper"])?;
    for line in &table.lines {
        for (name, pair) in ["iid", "ood", "ood_less_iid", "average"].iter().zip(&line.pairs) {
            let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
            writer.write_record([
                line.label,
                &line.setting,
                name,
                &line.seeds.to_string(),
                &number(pair.ours.map(|ours| ours.value)),
                &number(pair.ours.and_then(|ours| ours.deviation)),
                &pair.paper.clone().unwrap_or_default().replace('−', "-"),
            ])?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8(bytes).expect("text was written"))
}

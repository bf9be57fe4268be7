//! The figures of the page, each with its legend, and as files.

use metrics::{Interval, Spread};
use plotters::style::RGBColor;
use schema::Split;
use serde::Serialize;

use crate::figure::{self, BesideLine, ReliabilityLine, RocLine, SeverityLine, TrainedLine};
use crate::results::{Setting, chiefs_first, iid, ood};
use crate::{Error, FurtherTest, Model, TestResult, paper};

/// All figures.
#[derive(Serialize)]
pub(crate) struct Figures<'a> {
    /// Every setting; none where there is one alone.
    pub(crate) trainings: Option<Figure>,
    /// Of the paper's tables, by their names; one with lines of several settings has none.
    pub(crate) beside: Vec<Figure>,
    pub(crate) roc: Vec<Figure>,
    pub(crate) reliability: Vec<Figure>,
    pub(crate) severity: Vec<Figure>,
    pub(crate) training: Vec<TrainingFigure<'a>>,
    /// Settings that are not drawn, so that colours stay distinct.
    pub(crate) left_out: usize,
}

/// A figure that compares settings.
#[derive(Serialize)]
pub(crate) struct Figure {
    /// What its file is called: `roc-ood`.
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) svg: String,
    /// Of the SVG, in its units.
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) legend: Vec<LegendLine>,
}

#[derive(Serialize)]
pub(crate) struct LegendLine {
    colour: String,
    setting: String,
    /// The number of the figure, mean over seeds; `None` where the figure has none.
    value: Option<f64>,
    seeds: usize,
}

/// The training curves of a model.
#[derive(Serialize)]
pub(crate) struct TrainingFigure<'a> {
    pub(crate) model: &'a str,
    pub(crate) best_epoch: usize,
    pub(crate) svg: String,
}

type Pick = fn(&Model) -> Option<&TestResult>;

/// File name, title and results of the test sets.
const SETS: [(&str, &str, Split, Pick); 2] = [
    ("iid", "Training hospital (IID)", Split::Test, |model| model.iid.as_ref()),
    ("ood", "Unseen hospital (OOD)", Split::Ood, |model| model.ood.as_ref()),
];

impl<'a> Figures<'a> {
    /// Those of the settings, and of the paper's tables.
    pub(crate) fn of(all: &[Setting<'a>], tables: &[paper::Table]) -> Result<Self, Error> {
        let settings = &chiefs_first(all.to_vec())[..];
        let models: Vec<&Model> = settings.iter().flat_map(|setting| setting.models.clone()).collect();
        let (mut roc, mut reliability) = (Vec::new(), Vec::new());
        for (name, title, _, pick) in SETS {
            let legend = legend(settings, |model| Some(pick(model)?.auroc.value));
            if legend.is_empty() {
                continue;
            }
            let lines = of_models(settings, |colour, model, alone| {
                let result = pick(model)?;
                let band = if alone { result.roc_band.as_slice() } else { &[] };
                Some(RocLine { colour, curve: &result.roc, band })
            });
            let svg = figure::roc(&lines)?;
            let (width, height) = figure::SQUARE;
            roc.push(Figure {
                name: format!("roc-{name}"),
                title: title.to_owned(),
                svg,
                width,
                height,
                legend,
            });
            let performance = |model: &'a Model| pick(model)?.figures.performance.as_ref();
            let legend = self::legend(settings, |model| Some(performance(model)?.calibration_error.value));
            if legend.is_empty() {
                continue;
            }
            let lines = of_models(settings, |colour, model, alone| {
                Some(ReliabilityLine { colour, bins: &performance(model)?.reliability, banded: alone })
            });
            let svg = figure::reliability(&lines)?;
            reliability.push(Figure {
                name: format!("reliability-{name}"),
                title: title.to_owned(),
                svg,
                width,
                height,
                legend,
            });
        }
        let left_out = settings.len().saturating_sub(figure::COLOURS.len());
        let beside = tables.iter().filter_map(|table| beside(table).transpose()).collect::<Result<_, _>>()?;
        let (severity, training) = (severity(settings)?, training(&models)?);
        let trainings = trainings(all)?;
        Ok(Self { trainings, beside, roc, reliability, severity, training, left_out })
    }

    /// All that compare settings.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Figure> {
        self.trainings
            .iter()
            .chain(&self.beside)
            .chain(&self.roc)
            .chain(&self.reliability)
            .chain(&self.severity)
    }
}

/// AUROC of every training of every setting.
fn trainings(settings: &[Setting]) -> Result<Option<Figure>, Error> {
    if settings.len() < 2 {
        return Ok(None);
    }
    let line = |setting: &Setting| {
        let all =
            |value: fn(&Model) -> Option<f64>| setting.models.iter().filter_map(move |model| value(model));
        TrainedLine { label: setting.title(), iid: all(iid).collect(), ood: all(ood).collect() }
    };
    let lines: Vec<TrainedLine> = settings.iter().map(line).collect();
    if lines.iter().all(|line| line.iid.is_empty() && line.ood.is_empty()) {
        return Ok(None);
    }
    let (width, height) = figure::size_of_trainings(lines.len());
    Ok(Some(Figure {
        name: "trainings".to_owned(),
        title: "AUROC of each training".to_owned(),
        svg: figure::trainings(&lines)?,
        width,
        height,
        legend: words([
            (figure::IID, "IID: a dot for each training, a bar for their mean"),
            (figure::OOD, "OOD: the same"),
        ]),
    }))
}

/// A legend of what colours mean.
fn words<const N: usize>(legend: [(RGBColor, &str); N]) -> Vec<LegendLine> {
    let line = |(colour, what): (RGBColor, &str)| LegendLine {
        colour: figure::css(colour),
        setting: what.to_owned(),
        value: None,
        seeds: 0,
    };
    legend.map(line).into()
}

/// One of the paper's tables as a figure.
fn beside(table: &paper::Table) -> Result<Option<Figure>, Error> {
    if table.several || table.lines.iter().all(|line| line.trained.is_empty()) {
        return Ok(None);
    }
    let lines: Vec<BesideLine> = table
        .lines
        .iter()
        .map(|line| BesideLine { label: line.label, trained: line.trained.clone(), printed: line.printed })
        .collect();
    let legend = words([
        (figure::IID, "IID: a dot for each training, a bar for their mean"),
        (figure::OOD, "OOD: a line joins the two dots of a training"),
        (figure::PAPER, "Li et al. 2022: a cross"),
    ]);
    Ok(Some(Figure {
        name: table.name.to_owned(),
        title: table.title.to_owned(),
        svg: figure::beside(&lines, table.column)?,
        width: figure::LOW.0,
        height: figure::LOW.1,
        legend,
    }))
}

/// The line of each model, given its setting's colour and whether it is its setting's only one: then its interval is drawn
/// too.
fn of_models<'a, T>(
    settings: &[Setting<'a>],
    line: impl Fn(RGBColor, &'a Model, bool) -> Option<T>,
) -> Vec<T> {
    let coloured = settings.iter().zip(figure::COLOURS);
    coloured
        .flat_map(|(setting, colour)| {
            let alone = setting.models.len() == 1;
            setting.models.iter().map(move |model| (colour, *model, alone))
        })
        .filter_map(|(colour, model, alone)| line(colour, model, alone))
        .collect()
}

/// The settings that give a value, and its mean.
fn legend<'a>(settings: &[Setting<'a>], value: impl Fn(&'a Model) -> Option<f64>) -> Vec<LegendLine> {
    let coloured = settings.iter().zip(figure::COLOURS);
    coloured
        .filter_map(|(setting, colour)| {
            let values: Vec<f64> = setting.models.iter().filter_map(|model| value(model)).collect();
            Some(LegendLine {
                colour: figure::css(colour),
                setting: setting.title(),
                value: Some(Spread::of(&values)?.mean),
                seeds: values.len(),
            })
        })
        .collect()
}

/// AUROC against strength, a figure for each family and test set that has two strengths or more.
fn severity(settings: &[Setting]) -> Result<Vec<Figure>, Error> {
    let tests = || settings.iter().flat_map(|setting| &setting.models).flat_map(|model| &model.further);
    let mut families: Vec<&str> = Vec::new();
    for test in tests().filter(|test| test.strength.is_some()) {
        if !families.contains(&test.family.as_str()) {
            families.push(&test.family);
        }
    }
    let lowest =
        tests().filter(|test| test.strength.is_some()).map(|test| test.auroc.value).fold(0.5, f64::min);
    let bottom = (lowest * 10.0).floor() / 10.0;
    let mut figures = Vec::new();
    for family in families {
        for (name, title, split, pick) in SETS {
            let (mut lines, mut legend) = (Vec::new(), Vec::new());
            for (setting, colour) in settings.iter().zip(figure::COLOURS) {
                let points = points(setting, family, split, pick);
                if points.len() > 1 {
                    let (colour_name, title) = (figure::css(colour), setting.title());
                    let seeds = setting.models.len();
                    legend.push(LegendLine { colour: colour_name, setting: title, value: None, seeds });
                    lines.push(SeverityLine { colour, points });
                }
            }
            if !lines.is_empty() {
                figures.push(Figure {
                    name: format!("{}-{name}", family.to_lowercase().replace(' ', "-")),
                    title: format!("{}, {title}", written(family)),
                    svg: figure::severity(&lines, strength(family), bottom)?,
                    width: figure::WIDE.0,
                    height: figure::WIDE.1,
                    legend,
                });
            }
        }
    }
    Ok(figures)
}

/// AUROC by rising strength, from the images as they are on. The band is the interval of a single model, the standard
/// deviation of several.
fn points(setting: &Setting, family: &str, split: Split, pick: Pick) -> Vec<(f64, f64, Option<Interval>)> {
    let of = |model: &Model, strength: f64| -> Option<(f64, Interval)> {
        if strength <= 0.0 {
            let result = pick(model)?;
            return Some((result.auroc.value, result.by_patient.unwrap_or_else(|| result.auroc.interval())));
        }
        let test = model.further.iter().find(|test| is(test, family, split, strength))?;
        Some((test.auroc.value, test.auroc.interval()))
    };
    let tests = setting.models.iter().flat_map(|model| &model.further);
    let mut strengths: Vec<f64> = tests
        .filter(|test| test.family == family && test.split == split)
        .filter_map(|test| test.strength)
        .chain([0.0])
        .collect();
    strengths.sort_by(f64::total_cmp);
    strengths.dedup();
    strengths
        .into_iter()
        .filter_map(|strength| {
            let found: Vec<(f64, Interval)> =
                setting.models.iter().map(|model| of(model, strength)).collect::<Option<_>>()?;
            let Spread { mean, deviation, .. } =
                Spread::of(&found.iter().map(|(value, _)| *value).collect::<Vec<_>>())?;
            let band = match deviation {
                Some(deviation) => Some(Interval { low: mean - deviation, high: mean + deviation }),
                None => found.first().map(|(_, interval)| *interval),
            };
            Some((strength, mean, band))
        })
        .collect()
}

fn is(test: &FurtherTest, family: &str, split: Split, strength: f64) -> bool {
    let near = |own: f64| (own - strength).abs() < 1e-12;
    test.family == family && test.split == split && test.strength.is_some_and(near)
}

/// A family's name as a heading: `Blur`, `JPEG`, `PGD-10`.
fn written(family: &str) -> String {
    if family == "jpeg" {
        return "JPEG".to_owned();
    }
    let mut letters = family.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// What the strength of a family measures.
fn strength(family: &str) -> &'static str {
    match family {
        "gain" => "gain − 1",
        "gamma" => "gamma − 1",
        "noise" => "SD of the noise (white is 1)",
        "blur" => "SD of the blur (side is 1)",
        "jpeg" => "1 − quality / 100",
        "rotation" => "degrees",
        _ => "ε",
    }
}

fn training<'a>(models: &[&'a Model]) -> Result<Vec<TrainingFigure<'a>>, Error> {
    let epochs = || models.iter().flat_map(|model| &model.epochs);
    let losses = epochs().flat_map(|epoch| [Some(epoch.cross_entropy), epoch.divergence]).flatten();
    let loss_top = losses.filter(|loss| loss.is_finite()).fold(0.1, f64::max) * 1.05;
    let lowest = epochs().map(|epoch| epoch.validation).fold(0.5, f64::min);
    let auroc_bottom = (lowest * 10.0).floor() / 10.0;
    models
        .iter()
        .filter(|model| !model.epochs.is_empty())
        .map(|model| {
            Ok(TrainingFigure {
                model: &model.name,
                best_epoch: model.best_epoch,
                svg: figure::training(&model.epochs, model.best_epoch, loss_top, auroc_bottom)?,
            })
        })
        .collect()
}

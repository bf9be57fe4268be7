//! The page's layout: what the template is given.

use base64::prelude::{BASE64_STANDARD, Engine};
use metrics::{Difference, Interval, Meaning, SourceConfound, Spread};
use minijinja::{Environment, Value};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::figures::Figures;
use crate::found::{Film, Line, legend};
use crate::gallery::GalleryView;
use crate::results::{Setting, average, change, confound, iid, ood, settings};
use crate::{Drawn, Error, Model, Page, Probe, Sanity, TestResult, figure, headline, number, overlay, paper};

/// Filters and orders the heat maps; the page is whole without it.
const SCRIPT: &str = include_str!("../templates/gallery.js");
const TEMPLATE: &str = include_str!("../templates/page.html");

impl Drawn<'_> {
    /// The page as one self-contained HTML file: it loads nothing and prints well.
    pub fn to_html(&self) -> Result<String, Error> {
        let mut environment = environment();
        environment.add_template("page.html", TEMPLATE)?;
        let Self { page, settings, tables, figures, galleries, films } = self;
        let models: Vec<&Model> = settings.iter().flat_map(|setting| setting.models.clone()).collect();
        let view = View {
            page,
            headline: headline::headline(page),
            methods: methods(page, settings),
            rows: settings.iter().flat_map(|setting| rows(setting)).collect(),
            paper: tables
                .iter()
                .filter(|table| table.lines.iter().any(|line| line.pairs[0].ours.is_some()))
                .collect(),
            confounds: confounds(&models),
            intervals: Intervals::of(page),
            figures,
            training_colours: [figure::LOSS, figure::DIVERGENCE, figure::VALIDATION].map(figure::css),
            further: further(settings),
            settings: settings.iter().map(Setting::title).collect(),
            has: Has::of(page),
            probes: ordered(&page.probes, &models, |probe| &probe.model),
            sanity: ordered(&page.sanity, &models, |(model, _)| model),
            meaning: Meanings::ALL,
            scale: overlay::scale(9).join(", "),
            films,
            legend: legend("boxes found, each with its score"),
            galleries,
            script: SCRIPT,
            script_hash: BASE64_STANDARD.encode(Sha256::digest(SCRIPT)),
            models,
        };
        Ok(environment.get_template("page.html")?.render(Value::from_serialize(view))?)
    }
}

/// Templates and how they write numbers.
pub(crate) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.add_filter("decimal", number::decimal);
    environment.add_filter("signed", number::signed);
    environment.add_filter("p_value", number::p_value);
    environment.add_filter("probability", schema::probability);
    environment.add_filter("count", number::count);
    environment.add_filter("plural", |value: usize, thing: &str| number::plural(value, thing));
    environment
}

/// What the template sees.
#[derive(Serialize)]
struct View<'a> {
    page: &'a Page,
    headline: Vec<String>,
    /// By setting.
    models: Vec<&'a Model>,
    /// A line for each setting, where there are several seeds.
    methods: Vec<MethodRow>,
    rows: Vec<Row<'a>>,
    paper: Vec<&'a paper::Table>,
    /// The titles of the settings.
    settings: Vec<String>,
    /// What the sources alone reach, by set.
    confounds: Vec<(&'static str, &'a SourceConfound)>,
    intervals: Intervals,
    figures: &'a Figures<'a>,
    training_colours: [String; 3],
    further: Vec<FurtherRow<'a>>,
    has: Has,
    /// In the order of the models, then those of models that do not say COVID-19.
    probes: Vec<&'a Probe>,
    sanity: Vec<&'a (String, Sanity)>,
    meaning: Meanings,
    /// The colour map, as stops of a CSS gradient.
    scale: String,
    /// Images with the boxes that detectors found.
    films: &'a [Film<'a>],
    legend: [(Line, String); 2],
    /// Images with maps, by what they explain.
    galleries: &'a [GalleryView<'a>],
    script: &'static str,
    /// SHA-256 of the script, as a content security policy writes it: nothing else runs.
    script_hash: String,
}

/// A line of the table of results.
#[derive(Serialize)]
struct Row<'a> {
    setting: String,
    seeds: usize,
    /// `None` for a line of means.
    model: Option<&'a Model>,
    validation: Cell,
    iid: Option<Cell>,
    ood: Option<Cell>,
    change: Option<Cell>,
    average: Option<Cell>,
}

/// A number, with an interval or a standard deviation.
#[derive(Serialize)]
struct Cell {
    value: f64,
    low: Option<f64>,
    high: Option<f64>,
    deviation: Option<f64>,
}

impl Cell {
    fn plain(value: f64) -> Self {
        Self { value, low: None, high: None, deviation: None }
    }

    fn tested(result: &TestResult) -> Self {
        let Interval { low, high } = result.by_patient.unwrap_or_else(|| result.auroc.interval());
        Self { low: Some(low), high: Some(high), ..Self::plain(result.auroc.value) }
    }

    fn spread(Spread { mean, deviation, .. }: Spread) -> Self {
        Self { deviation, ..Self::plain(mean) }
    }
}

/// A line of the table of methods.
#[derive(Serialize)]
struct MethodRow {
    setting: String,
    seeds: usize,
    iid: Option<Cell>,
    ood: Option<Cell>,
    change: Option<Cell>,
    average: Option<Cell>,
    /// Less natural training.
    iid_less: Option<Difference>,
    ood_less: Option<Difference>,
}

/// Methods over their seeds; nothing where each has one seed.
fn methods(page: &Page, settings: &[Setting]) -> Vec<MethodRow> {
    if settings.iter().all(|setting| setting.models.len() < 2) {
        return Vec::new();
    }
    let row = |setting: &Setting| {
        let contest = page.contests.iter().find(|contest| {
            (contest.method.as_str(), contest.parameters.as_str()) == (setting.method, setting.parameters)
        });
        MethodRow {
            setting: setting.title(),
            seeds: setting.models.len(),
            iid: setting.spread(iid).map(Cell::spread),
            ood: setting.spread(ood).map(Cell::spread),
            change: setting.spread(change).map(Cell::spread),
            average: setting.spread(average).map(Cell::spread),
            iid_less: contest.and_then(|contest| contest.iid),
            ood_less: contest.and_then(|contest| contest.ood),
        }
    };
    settings.iter().map(row).collect()
}

fn rows<'a>(setting: &Setting<'a>) -> Vec<Row<'a>> {
    let row = |model: &'a Model| Row {
        setting: setting.title(),
        seeds: 1,
        model: Some(model),
        validation: Cell::plain(model.validation),
        iid: model.iid.as_ref().map(Cell::tested),
        ood: model.ood.as_ref().map(Cell::tested),
        change: change(model).map(Cell::plain),
        average: average(model).map(Cell::plain),
    };
    let mut rows: Vec<Row> = setting.models.iter().copied().map(row).collect();
    if let (true, Some(validation)) = (rows.len() > 1, setting.spread(|model| Some(model.validation))) {
        rows.push(Row {
            setting: setting.title(),
            seeds: rows.len(),
            model: None,
            validation: Cell::spread(validation),
            iid: setting.spread(iid).map(Cell::spread),
            ood: setting.spread(ood).map(Cell::spread),
            change: setting.spread(change).map(Cell::spread),
            average: setting.spread(average).map(Cell::spread),
        });
    }
    rows
}

/// What is said of models in the order of the page, those last that are not on it.
fn ordered<'a, T>(found: &'a [T], models: &[&Model], model: fn(&T) -> &String) -> Vec<&'a T> {
    let mut found: Vec<&T> = found.iter().collect();
    let place = |one: &&T| models.iter().position(|other| other.name == *model(one)).unwrap_or(models.len());
    found.sort_by_cached_key(place);
    found
}

/// How far the sources of each set give the classes away.
fn confounds<'a>(models: &[&'a Model]) -> Vec<(&'static str, &'a SourceConfound)> {
    let iid = confound(models.iter().filter_map(|model| model.iid.as_ref()));
    let ood = confound(models.iter().filter_map(|model| model.ood.as_ref()));
    [("IID", iid), ("OOD", ood)].into_iter().filter_map(|(set, found)| Some((set, found?))).collect()
}

/// How the intervals of the page were made.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Intervals {
    ByPatient,
    DeLong,
    Mixed,
}

impl Intervals {
    fn of(page: &Page) -> Self {
        let results = || page.models.iter().flat_map(|model| [&model.iid, &model.ood]).flatten();
        match results().filter(|result| result.by_patient.is_some()).count() {
            0 => Self::DeLong,
            some if some == results().count() => Self::ByPatient,
            _ => Self::Mixed,
        }
    }
}

/// Which parts of the page have something to show.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "one per section of the page")]
struct Has {
    comparison: bool,
    performance: bool,
    decisions: bool,
    sources: bool,
    roc_bands: bool,
    marker: bool,
    boxes: bool,
    another: bool,
    confounded: bool,
    several_seeds: bool,
}

impl Has {
    fn of(page: &Page) -> Self {
        let any = |wanted: fn(&TestResult) -> bool| {
            page.models.iter().flat_map(|model| [&model.iid, &model.ood]).flatten().any(wanted)
        };
        Self {
            comparison: any(|result| result.versus_natural.is_some()),
            performance: any(|result| result.figures.performance.is_some()),
            decisions: any(|result| {
                result.figures.performance.as_ref().is_some_and(|figures| figures.decisions.is_some())
            }),
            sources: any(|result| !result.figures.sources.is_empty()),
            roc_bands: any(|result| !result.roc_band.is_empty())
                && settings(&page.models).iter().any(|setting| setting.models.len() == 1),
            marker: page.probes.iter().any(|probe| probe.marker_lift.is_some()),
            boxes: page.probes.iter().any(|probe| probe.boxed_images > 0),
            another: page.probes.iter().any(|probe| probe.box_lift_above_another.is_some()),
            confounded: page.data.iter().any(|set| set.confounded),
            several_seeds: settings(&page.models).iter().any(|setting| setting.models.len() > 1),
        }
    }
}

/// A line of the table of further tests: one cell per setting.
#[derive(Serialize)]
struct FurtherRow<'a> {
    name: &'a str,
    images: usize,
    aurocs: Vec<Option<Cell>>,
}

fn further<'a>(settings: &[Setting<'a>]) -> Vec<FurtherRow<'a>> {
    let mut rows: Vec<FurtherRow> = Vec::new();
    for test in settings.iter().flat_map(|setting| &setting.models).flat_map(|model| &model.further) {
        if rows.iter().any(|row| row.name == test.name) {
            continue;
        }
        let of = |model: &Model| {
            model.further.iter().find(|other| other.name == test.name).map(|other| other.auroc.value)
        };
        let aurocs = settings.iter().map(|setting| setting.spread(of).map(Cell::spread)).collect();
        rows.push(FurtherRow { name: &test.name, images: test.images, aurocs });
    }
    rows
}

/// What the columns mean.
#[derive(Serialize)]
struct Meanings {
    average_precision: Meaning,
    sensitivity: Meaning,
    specificity: Meaning,
    calibration: Meaning,
    box_lift: Meaning,
    pointing: Meaning,
    border: Meaning,
    marker_lift: Meaning,
    energy: Meaning,
    overlap: Meaning,
    box_overlap: Meaning,
    box_precision: Meaning,
    deletion: Meaning,
    insertion: Meaning,
}

impl Meanings {
    const ALL: Self = Self {
        average_precision: Meaning::AVERAGE_PRECISION,
        sensitivity: Meaning::SENSITIVITY_AT_95_SPECIFICITY,
        specificity: Meaning::SPECIFICITY_AT_95_SENSITIVITY,
        calibration: Meaning::CALIBRATION_ERROR,
        box_lift: Meaning::BOX_LIFT,
        pointing: Meaning::POINTING_GAME,
        border: Meaning::BORDER_SHARE,
        marker_lift: Meaning::MARKER_LIFT,
        energy: Meaning::BOX_ENERGY,
        overlap: Meaning::OVERLAP,
        box_overlap: Meaning::DRAWN_BOX_OVERLAP,
        box_precision: Meaning::DRAWN_BOX_PRECISION,
        deletion: Meaning::DELETION,
        insertion: Meaning::INSERTION,
    };
}

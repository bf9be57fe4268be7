//! The model card (Mitchell et al. 2019).

use cohort::{Dataset, Evaluation, Findings, Model};
use metrics::{Estimate, FindingFigures};
use minijinja::{Environment, context};
use schema::{Asked, Split};
use serde::{Deserialize, Serialize};
use stage::{Fallible, Result};
use store::{Digest, Store};

/// Where nothing was measured.
const MISSING: &str = "–";

const TEMPLATE: &str = include_str!("../templates/card.md");

/// A data set that the model was trained on.
#[derive(Serialize)]
struct Data {
    name: String,
    title: String,
    source: String,
    licence: String,
    negative: u64,
    positive: u64,
}

/// A line of the table of figures.
#[derive(Serialize)]
struct Figure {
    name: String,
    iid: String,
    ood: String,
}

/// The card of a model whose files have these digests.
pub(crate) fn card(
    store: &Store,
    model: &Model,
    datasets: &[Dataset],
    files: &[(String, Digest)],
) -> Result<String> {
    let files: Vec<(&String, String)> =
        files.iter().map(|(name, digest)| (name, digest.to_string())).collect();
    let evaluation = Evaluation::open(store, &model.name).or_other()?;
    let figures = evaluation.as_ref().map(figures).transpose()?.unwrap_or_default();
    let evaluation = evaluation.map(|evaluation| evaluation.figures);
    let number = |pointer: &str| evaluation.as_ref()?.pointer(pointer)?.as_f64();
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_keep_trailing_newline(true);
    environment.add_template("card.md", TEMPLATE).or_other()?;
    let context = context! {
        name => model.name,
        method => model.method,
        architecture => model.architecture(),
        tells => tells(&model.findings),
        output => output(&model.findings),
        side => model.side,
        parameters => model.training["parameters"],
        epoch => model.training["best"]["epoch"],
        validation => model.training["best"]["validation_auroc"].as_f64().map(|value| format!("{value:.3}")),
        data => trained_on(model, datasets),
        figures,
        threshold => number("/threshold/probability").map(|value| format!("{value:.3}")),
        confound => number("/ood_figures/source_confound/auroc/value").map(|value| format!("{value:.3}")),
        made => model.result.provenance["made"],
        files,
        version => env!("CARGO_PKG_VERSION"),
    };
    environment.get_template("card.md").and_then(|template| template.render(context)).or_other()
}

/// The data sets in the store that hold shards it was trained on; one that has changed altogether is not found.
fn trained_on(model: &Model, datasets: &[Dataset]) -> Vec<Data> {
    let shards = model.result.inputs.get("train").map(Vec::as_slice).unwrap_or_default();
    let used = datasets.iter().filter(|dataset| {
        dataset.shards(Split::Train).is_ok_and(|own| own.iter().any(|shard| shards.contains(shard)))
    });
    used.map(|Dataset { manifest, .. }| {
        let of_train = || manifest.counts.iter().filter(|count| count.split == Split::Train);
        Data {
            name: manifest.dataset.clone(),
            title: manifest.about.title.clone(),
            source: manifest.about.source.clone(),
            licence: manifest.about.licence.clone(),
            negative: of_train().map(|count| count.negative).sum(),
            positive: of_train().map(|count| count.covid).sum(),
        }
    })
    .collect()
}

/// What it is for.
fn tells(findings: &Findings) -> String {
    match findings.asked {
        Asked::Classes => format!("tells {} classes of chest radiographs apart", findings.of_logits.len()),
        Asked::Labels => {
            format!("says which of {} findings a chest radiograph shows", findings.of_logits.len())
        }
        _ => "tells chest radiographs with COVID-19 from those without".to_owned(),
    }
}

/// What its logits mean.
fn output(findings: &Findings) -> String {
    let names: Vec<&str> = findings.of_logits.iter().map(|finding| finding.name.as_str()).collect();
    let (count, names) = (names.len(), names.join(", "));
    match findings.asked {
        Asked::Classes => format!("N×{count}, {names}; the probabilities are their softmax"),
        Asked::Labels => format!("N×{count}, {names}; the probability of each is its sigmoid"),
        _ => "N×2, negative and COVID-19; the probability is their softmax".to_owned(),
    }
}

/// The figures of a clean evaluation, with their intervals.
fn figures(evaluation: &Evaluation) -> Result<Vec<Figure>> {
    const FIGURES: [(&str, &str); 10] = [
        ("AUROC", "auroc"),
        ("average precision", "average_precision"),
        ("sensitivity at 95 % specificity", "sensitivity_at_95_specificity"),
        ("specificity at 95 % sensitivity", "specificity_at_95_sensitivity"),
        ("expected calibration error", "calibration_error"),
        ("sensitivity at the threshold", "decisions/sensitivity"),
        ("specificity at the threshold", "decisions/specificity"),
        ("positive predictive value at the threshold", "decisions/positive_predictive_value"),
        ("negative predictive value at the threshold", "decisions/negative_predictive_value"),
        ("F1 at the threshold", "decisions/f1"),
    ];
    let told = |set: &str, path: &str| {
        let figure = evaluation.figures.pointer(&format!("/{set}_figures/performance/{path}"));
        written(figure.and_then(|figure| Estimate::deserialize(figure).ok()))
    };
    let of_covid = FIGURES.into_iter().map(|(name, path)| Figure {
        name: name.to_owned(),
        iid: told("test", path),
        ood: told("ood", path),
    });
    let of_findings = |split: Split| evaluation.figure(&format!("{}_findings", split.name())).or_other();
    let sets: [Option<FindingFigures>; 2] = [of_findings(Split::Test)?, of_findings(Split::Ood)?];
    let names = sets.iter().flatten().take(1).flat_map(|set| &set.each).map(|finding| &finding.name);
    let of_each = names.map(|name| {
        let [iid, ood] = sets.each_ref().map(|set| {
            let finding = set.iter().flat_map(|set| &set.each).find(|finding| finding.name == *name);
            written(finding.and_then(|finding| finding.auroc))
        });
        Figure { name: format!("AUROC, {name}"), iid, ood }
    });
    let measured = |figure: &Figure| [&figure.iid, &figure.ood].into_iter().any(|told| told != MISSING);
    Ok(of_covid.chain(of_each).filter(measured).collect())
}

fn written(estimate: Option<Estimate>) -> String {
    estimate.map_or(MISSING.to_owned(), |Estimate { value, low, high }| {
        format!("{value:.3} ({low:.3}–{high:.3})")
    })
}

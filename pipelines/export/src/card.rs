//! The model card (Mitchell et al. 2019).

use cohort::{Dataset, Evaluation, Model};
use minijinja::{Environment, context};
use schema::Split;
use serde::Serialize;
use serde_json::Value;
use stage::{Fallible, Result};
use store::{Digest, Store};

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
    name: &'static str,
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
    let evaluation = Evaluation::open(store, &model.name).or_other()?.map(|evaluation| evaluation.figures);
    let figures = evaluation.as_ref().map(figures).unwrap_or_default();
    let number = |pointer: &str| evaluation.as_ref()?.pointer(pointer)?.as_f64();
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_keep_trailing_newline(true);
    environment.add_template("card.md", TEMPLATE).or_other()?;
    let context = context! {
        name => model.name,
        method => model.method,
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

/// The figures of a clean evaluation, with their intervals.
fn figures(evaluation: &Value) -> Vec<Figure> {
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
        let figure = evaluation.pointer(&format!("/{set}_figures/performance/{path}"));
        let part = |name: &str| figure.and_then(|figure| figure[name].as_f64());
        match (part("value"), part("low"), part("high")) {
            (Some(value), Some(low), Some(high)) => format!("{value:.3} ({low:.3}–{high:.3})"),
            _ => "–".to_owned(),
        }
    };
    FIGURES.map(|(name, path)| Figure { name, iid: told("test", path), ood: told("ood", path) }).into()
}

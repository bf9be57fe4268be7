//! Whether maps depend on what a classifier has learned.

use std::collections::BTreeMap;

use cohort::{Cohort, Model, TestSets};
use metrics::rank_correlation;
use nn::{Network, Precision};
use rayon::prelude::*;
use report::Sanity;
use saliency::{CASCADE, explainer, redraw};
use schema::{ImageRow, Split};
use serde_json::json;
use stage::{
    Action, Column, Failure, Fallible, Input, Made, Parameters, Result, Table, answer, progress, version,
};
use store::Store;

use crate::{
    choice::{choose, images_of},
    maps::{Cohorts, add_versions, changed, maps_of, result_name, titled},
    target::Target,
};

/// The file of a result.
const SANITY: &str = "sanity.json";

/// Checks the maps of a model, or finds them checked, and names the result `sanity/<model>.<explainer>`; `None` if a dry
/// run finds them not checked.
pub(crate) fn check(
    store: &Store,
    run: &Parameters,
    model: &Model,
    target: &Target,
    sets: &TestSets,
    cohorts: &mut Cohorts,
) -> Result<Option<Sanity>> {
    let weights = model.weights().or_other()?;
    let inputs = BTreeMap::from([
        ("model".to_owned(), Input::Object(weights)),
        (Split::Test.name().to_owned(), Input::Objects(sets.shards(Split::Test).or_other()?)),
    ]);
    let mut parameters = run.keyed();
    model.add_to(&mut parameters);
    add_versions(run, &mut parameters)?;
    parameters.remove("shown");
    let action = Action { stage: "sanity", version: version::SANITY, parameters, inputs };
    let outcome = answer(store, run, &action, &result_name(model, run)?, &changed(store), |folder| {
        let device = nn::device(run.required("device")?).or_usage()?;
        let network = Network::load(&store.verified(&weights)?, device, Precision::F32).or_other()?;
        let cohort = cohorts.of(store, sets, Split::Test, model.side)?;
        let found = cascade(run, model, target, &network, cohort)?;
        let found = serde_json::to_vec_pretty(&found).expect("figures are plain data");
        fs_err::write(folder.join(SANITY), found)?;
        Ok(Made { provenance: json!(nn::provenance(device)), ..Made::default() })
    })?;
    let Some(outcome) = outcome else { return Ok(None) };
    serde_json::from_slice(&store.read(outcome.result.output(SANITY)?)?).map(Some).map_err(Failure::other)
}

/// The mean rank correlation of maps with those of the network as it was, after each part of the cascade.
fn cascade(
    run: &Parameters,
    model: &Model,
    target: &Target,
    network: &Network,
    cohort: &Cohort,
) -> Result<Sanity> {
    let holds = |row: &ImageRow| target.holds(&model.findings, row);
    let chosen = choose(cohort, holds, run.integer("images") as usize, run.integer("seed") as u64);
    if chosen.is_empty() {
        return Err(Failure::data("there are no test images of a training hospital, whose maps it compares")
            .remedy("`just ingest` reads data sets"));
    }
    let images = images_of(cohort, &chosen, network.device())?;
    let explainer = explainer(run.required("explainer")?).or_usage()?;
    let bar = progress::bar(explainer.name(), ((1 + CASCADE.len()) * chosen.len()) as u64, "maps");
    let maps = || -> Result<Vec<Vec<f64>>> {
        let maps = maps_of(explainer, network, &images, target, &|count| bar.inc(count))?;
        Ok(maps.into_iter().map(|map| map.into_iter().map(f64::from).collect()).collect())
    };
    let before = maps()?;
    let mut correlations = Vec::new();
    for part in CASCADE {
        redraw(network, part, run.integer("seed") as u64);
        let after = maps()?;
        // A map of one value throughout says nothing of the one before it.
        let alike = before.par_iter().zip(&after).map(|(a, b)| Ok(rank_correlation(a, b)?.unwrap_or(0.0)));
        let alike: Vec<f64> = alike.collect::<std::result::Result<_, metrics::Error>>().or_other()?;
        correlations.push((part.to_owned(), alike.iter().sum::<f64>() / alike.len() as f64));
    }
    bar.finish_and_clear();
    Ok(Sanity { explainer: titled(explainer, run), images: chosen.len(), correlations })
}

/// Prints what was found of each model.
pub(crate) fn print(found: &[(String, Sanity)]) {
    let parts = CASCADE.map(|part| Column::number(format!("to {part}")));
    let columns = [Column::text("model"), Column::text("map"), Column::number("images")];
    let mut table = Table::new(columns.into_iter().chain(parts));
    for (model, one) in found {
        let correlations = one.correlations.iter().map(|(_, value)| format!("{value:+.2}"));
        let first = [model.clone(), one.explainer.clone(), one.images.to_string()];
        table.row(first.into_iter().chain(correlations));
    }
    println!(
        "\nRank correlation of maps with the model's own, when layers are drawn anew from the head down"
    );
    table.print();
}

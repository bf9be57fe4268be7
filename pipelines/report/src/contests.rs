//! Methods less natural training, over their seeds.

use std::collections::HashMap;

use metrics::{Bootstrap, Difference, seeded_auroc};
use report::{Contest, Model};
use schema::{Prediction, Split, same_images, scored};
use stage::{Fallible, Parameters, Result};

/// Each setting less natural training on the same images, where one of both has several seeds; of several natural
/// settings the first is taken.
pub(crate) fn contests(
    models: &[Model],
    predictions: &HashMap<&str, Vec<Prediction>>,
    run: &Parameters,
) -> Result<Vec<Contest>> {
    let settings = settings(models);
    let Some(natural) = settings.iter().find(|models| models[0].method == "nt") else {
        return Ok(Vec::new());
    };
    let draws = run.integer("resamples") as usize;
    if draws == 0 {
        return Ok(Vec::new());
    }
    let bootstrap = Bootstrap { draws, seed: run.integer("seed") as u64 };
    let mut contests = Vec::new();
    for setting in settings.iter().filter(|models| models[0].method != "nt") {
        if setting.len() + natural.len() < 3 {
            continue; // the paired test of one model with another says it
        }
        let less = |split| less(natural, setting, predictions, split, bootstrap);
        contests.push(Contest {
            method: setting[0].method.clone(),
            parameters: setting[0].parameters.clone(),
            iid: less(Split::Test)?,
            ood: less(Split::Ood)?,
        });
    }
    Ok(contests)
}

/// Models that differ in their seed alone.
fn settings(models: &[Model]) -> Vec<Vec<&Model>> {
    let mut settings: Vec<Vec<&Model>> = Vec::new();
    for model in models {
        let same = |setting: &&mut Vec<&Model>| {
            (&setting[0].method, &setting[0].parameters) == (&model.method, &model.parameters)
        };
        match settings.iter_mut().find(same) {
            Some(setting) => setting.push(model),
            None => settings.push(vec![model]),
        }
    }
    settings
}

/// `None` where a model was not tested on the set, or not on the same images.
fn less(
    natural: &[&Model],
    setting: &[&Model],
    predictions: &HashMap<&str, Vec<Prediction>>,
    split: Split,
    bootstrap: Bootstrap,
) -> Result<Option<Difference>> {
    let of = |model: &&Model| -> Vec<&Prediction> {
        let rows = predictions.get(model.name.as_str()).into_iter().flatten();
        rows.filter(|row| row.split == split).collect()
    };
    let [natural, setting] = [natural, setting].map(|models| models.iter().map(of).collect::<Vec<_>>());
    let rows = &natural[0];
    if rows.is_empty() || !natural.iter().chain(&setting).all(|other| same_images(rows, other)) {
        return Ok(None);
    }
    let scores = [&natural, &setting].map(|models| {
        let column = |rows: &Vec<&Prediction>| scored(rows.iter().copied()).0;
        models.iter().map(column).collect::<Vec<_>>()
    });
    let methods = scores.each_ref().map(|models| models.iter().map(Vec::as_slice).collect());
    let (_, positive) = scored(rows.iter().copied());
    let patients: Vec<&str> = rows.iter().map(|row| row.patient_key.as_str()).collect();
    let compared = seeded_auroc(&methods, &positive, &patients, bootstrap).or_other()?;
    Ok(Some(compared[1].difference))
}

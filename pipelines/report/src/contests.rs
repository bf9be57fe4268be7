//! Methods less natural training, over their seeds.

use std::collections::HashMap;

use cohort::{Model, Setting};
use metrics::{Bootstrap, Difference};
use report::Contest;
use schema::{Prediction, Split};
use stage::{Fallible, Parameters, Result};

use crate::gather::bootstrap;

/// Each setting less natural training on the same images, where one of both has several seeds.
pub(crate) fn contests(
    settings: &[Setting],
    predictions: &HashMap<&str, Vec<Prediction>>,
    run: &Parameters,
) -> Result<Vec<Contest>> {
    let bootstrap = bootstrap(run);
    if bootstrap.draws == 0 {
        return Ok(Vec::new());
    }
    let mut contests = Vec::new();
    for setting in settings {
        let Some(natural) = cohort::natural(settings, setting) else { continue };
        if setting.models.len() + natural.models.len() < 3 {
            continue; // the paired test of one model with another says it
        }
        let less = |split| less(&natural.models, &setting.models, predictions, split, bootstrap);
        contests.push(Contest {
            method: setting.method().to_owned(),
            parameters: setting.parameters.clone(),
            natural: natural.parameters.clone(),
            iid: less(Split::Test)?,
            ood: less(Split::Ood)?,
        });
    }
    Ok(contests)
}

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
    cohort::mean_difference(&setting, &natural, bootstrap).or_other()
}

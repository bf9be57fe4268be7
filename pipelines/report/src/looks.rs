//! Where the models look, as the store has their maps.

use std::collections::{BTreeMap, HashMap};

use cohort::{Model, SameImages};
use report::{ImageProbe, Probe};
use schema::{Asked, Split};
use serde::Deserialize;
use stage::{Failure, Parameters, Result, version};
use store::Store;

use crate::{
    gather::{bootstrap, by_explainer},
    probed::probe,
};

/// What the maps of all models say.
#[derive(Default)]
pub(crate) struct Looks {
    pub(crate) probes: Vec<Probe>,
    /// The models with maps of other images than those on which models are compared.
    pub(crate) elsewhere: Vec<String>,
}

/// What one kind of a model's maps says: which kind, and by split each image.
#[derive(Deserialize)]
struct Explanation {
    title: String,
    maps: String,
    images: BTreeMap<Split, Vec<ImageProbe>>,
}

/// The figures of each kind of a model's maps on each set, beside those of the naturally trained model of its seed.
pub(crate) fn looks(store: &Store, run: &Parameters, models: &[Model], same: &SameImages) -> Result<Looks> {
    let has_maps = |model: &&Model| model.findings.asked != Asked::Boxes;
    let models: Vec<Model> = models.iter().filter(has_maps).cloned().collect();
    let (mut looks, mut explained) = (Looks::default(), HashMap::new());
    for model in &models {
        let (explanations, all) = explanations(store, &model.name, same)?;
        explained.insert(&*model.name, explanations);
        if !all {
            looks.elsewhere.push(model.name.clone());
        }
    }
    let settings = cohort::settings(&models);
    for setting in &settings {
        let natural = cohort::natural(&settings, setting);
        for model in &setting.models {
            let twin = natural.and_then(|natural| natural.of_seed(model.seed()));
            let of_natural = twin.map_or(&[][..], |twin| &explained[&*twin.name]);
            for one in &explained[&*model.name] {
                for (split, images) in &one.images {
                    let of_kind = of_natural.iter().find(|other| other.maps == one.maps);
                    let others = of_kind.and_then(|other| other.images.get(split)).map(Vec::as_slice);
                    let what = (model.name.clone(), *split, one.title.clone());
                    looks.probes.push(probe(what, images, others, bootstrap(run))?);
                }
            }
        }
    }
    Ok(looks)
}

/// What each kind of a model's maps says of the images on which models are compared, and whether all are of these.
fn explanations(store: &Store, model: &str, same: &SameImages) -> Result<(Vec<Explanation>, bool)> {
    let (mut found, mut all) = (Vec::new(), true);
    for result in by_explainer(store, "explain", model)? {
        if version::is_own_of_before(&result.document) {
            continue; // they would stand there as maps of COVID-19
        }
        let read = serde_json::from_slice(&store.read(result.output("explanation.json")?)?);
        let mut explanation: Explanation = read.map_err(Failure::other)?;
        explanation.images.retain(|split, images| {
            let same = same.are(result.inputs.get(split.name()).map(Vec::as_slice), *split);
            all &= same;
            same && !images.is_empty()
        });
        found.push(explanation);
    }
    Ok((found, all))
}

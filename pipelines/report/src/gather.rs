//! From the store to what the page shows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cohort::{Dataset, Model};
use report::{DataSet, Epoch, GalleryRow, Page, Probe, Quarantined, SplitCount};
use schema::{Label, Prediction, Role, Split, read_predictions};
use serde::Deserialize;
use serde_json::Value;
use stage::{Failure, Fallible, Parameters, Result};
use store::Store;

use crate::tested::{Bootstrapped, test_result};

/// The page of everything that the store has.
pub(crate) fn page(
    store: &Store,
    run: &Parameters,
    datasets: &[Dataset],
    models: &[Model],
    key: &str,
) -> Result<Page> {
    let mut predictions = HashMap::new();
    for model in models {
        if let Some((_, result)) = store.resolve("eval", &model.name)? {
            let path = store.object(result.output("predictions.parquet")?)?;
            predictions.insert(model.name.as_str(), read_predictions(&path).or_other()?);
        }
    }
    let mut provenance = vec![format!("sga {}, report {key}", env!("CARGO_PKG_VERSION"))];
    let mut platforms: Vec<String> = models.iter().map(|model| platform(&model.result.provenance)).collect();
    platforms.sort();
    platforms.dedup();
    provenance.extend(platforms);
    let parameters = cohort::differences(models);
    let (mut shown, mut maps) = (Vec::new(), BTreeSet::new());
    for (model, parameters) in models.iter().zip(parameters) {
        let Explanation { maps: kind, probes } = explanation(store, &model.name)?;
        if !kind.is_empty() {
            maps.insert(kind);
        }
        let result = |split: Split| -> Result<Option<report::TestResult>> {
            let of = |model: &Model| -> Option<Vec<&Prediction>> {
                let rows = predictions.get(model.name.as_str())?.iter().filter(|row| row.split == split);
                Some(rows.collect())
            };
            let Some(rows) = of(model).filter(|rows| !rows.is_empty()) else { return Ok(None) };
            let natural = models.iter().find(|natural| {
                natural.method == "nt" && natural.seed() == model.seed() && natural.name != model.name
            });
            let natural = natural.and_then(|natural| Some((natural.name.as_str(), of(natural)?)));
            let bootstrap =
                Bootstrapped { draws: run.integer("resamples") as usize, seed: run.integer("seed") as u64 };
            test_result(&rows, natural, &bootstrap, probes.get(split.name()).copied()).map(Some)
        };
        let training = &model.training;
        shown.push(report::Model {
            name: model.name.clone(),
            method: model.method.clone(),
            parameters,
            seed: model.seed(),
            validation: training["best"]["validation_auroc"].as_f64().unwrap_or(f64::NAN),
            best_epoch: training["best"]["epoch"].as_u64().unwrap_or_default() as usize,
            epochs: epochs(training),
            iid: result(Split::Test)?,
            ood: result(Split::Ood)?,
            further: Vec::new(),
        });
    }
    Ok(Page {
        title: run.required("title")?.to_owned(),
        made: format!("sga {}", env!("CARGO_PKG_VERSION")),
        provenance,
        data: data(datasets),
        models: shown,
        maps: Vec::from_iter(maps).join("; "),
        gallery: gallery(store)?,
    })
}

/// One line on where a model was trained.
fn platform(provenance: &Value) -> String {
    let text = |name: &str| provenance[name].as_str().unwrap_or("unknown").to_owned();
    format!("trained with libtorch {} on {} ({})", text("libtorch"), text("device"), text("name"))
}

fn epochs(training: &Value) -> Vec<Epoch> {
    let epochs = training["epochs"].as_array().map(Vec::as_slice).unwrap_or_default();
    let has_divergence = training["parameters"]["lambda"].as_f64().is_some_and(|lambda| lambda > 0.0);
    let number = |epoch: &Value, name: &str| epoch[name].as_f64().unwrap_or(f64::NAN);
    epochs
        .iter()
        .map(|epoch| Epoch {
            cross_entropy: number(epoch, "ce"),
            divergence: has_divergence.then(|| number(epoch, "kl")),
            validation: number(epoch, "validation_auroc"),
        })
        .collect()
}

fn data(datasets: &[Dataset]) -> Vec<DataSet> {
    // The unseen hospital's test pools every such data set: it is confounded when no source has both classes.
    let ood = || datasets.iter().filter(|dataset| dataset.manifest.role == Role::Ood);
    let confounded = ood()
        .flat_map(|dataset| &dataset.manifest.counts)
        .all(|count| count.negative == 0 || count.covid == 0);
    datasets
        .iter()
        .map(|Dataset { manifest, .. }| DataSet {
            name: manifest.dataset.clone(),
            role: manifest.role,
            source: format!("{}, {}", manifest.about.title, manifest.about.source),
            licence: manifest.about.licence.clone(),
            confounded: manifest.role == Role::Ood && confounded,
            splits: Split::ALL
                .into_iter()
                .filter_map(|split| {
                    let counts: Vec<_> =
                        manifest.counts.iter().filter(|count| count.split == split).collect();
                    let sum = |get: fn(&schema::Count) -> u64| {
                        counts.iter().map(|count| get(count)).sum::<u64>() as usize
                    };
                    (!counts.is_empty()).then(|| SplitCount {
                        split,
                        patients: sum(|count| count.patients),
                        negative: sum(|count| count.negative),
                        positive: sum(|count| count.covid),
                    })
                })
                .collect(),
            quarantined: manifest
                .quarantined
                .iter()
                .map(|(reason, files)| Quarantined { reason: reason.clone(), images: *files as usize })
                .collect(),
        })
        .collect()
}

/// What a model's maps say.
#[derive(Default, Deserialize)]
struct Explanation {
    #[serde(default)]
    maps: String,
    probes: BTreeMap<String, Probe>,
}

fn explanation(store: &Store, model: &str) -> Result<Explanation> {
    let Some((_, result)) = store.resolve("explain", model)? else { return Ok(Explanation::default()) };
    serde_json::from_slice(&store.read(result.output("explanation.json")?)?).map_err(Failure::other)
}

fn gallery(store: &Store) -> Result<Vec<GalleryRow>> {
    let Some((_, result)) = store.resolve("gallery", "all")? else { return Ok(Vec::new()) };
    let mut rows: Vec<GalleryRow> =
        serde_json::from_slice(&store.read(result.output("gallery.json")?)?).map_err(Failure::other)?;
    rows.sort_by_key(|row| (row.split, row.label != Label::Covid));
    Ok(rows)
}

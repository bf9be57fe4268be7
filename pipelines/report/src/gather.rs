//! From the store to what the page shows.

use std::collections::{HashMap, HashSet};

use cohort::{Dataset, Evaluation, Model, Overlap, SameImages, named::model_of};
use metrics::Bootstrap;
use report::{
    DataSet, Detector, Epoch, FurtherTest, ModelFindings, Objective, Page, Quarantined, Sanity, SplitCount,
    Trail,
};
use schema::{Asked, Prediction, Role, Split};
use serde::de::DeserializeOwned;
use serde_json::Value;
use stage::{Failure, Fallible, Parameters, Result, version};
use store::{ActionResult, Digest, Store, spelled};

use crate::{
    contests::contests,
    looks::looks,
    pictures::{boxes, galleries},
    tested::test_result,
};

/// The page of everything that the store has.
pub(crate) fn page(
    store: &Store,
    run: &Parameters,
    datasets: &[Dataset],
    models: &[Model],
    key: &str,
) -> Result<Page> {
    let (mut evaluations, mut predictions) = (HashMap::new(), HashMap::new());
    for model in models {
        if let Some(evaluation) = Evaluation::open(store, &model.name).or_other()? {
            predictions.insert(model.name.as_str(), evaluation.predictions(store).or_other()?);
            evaluations.insert(model.name.as_str(), evaluation);
        }
    }
    let same = SameImages::of(datasets, &evaluations.values().collect::<Vec<_>>()).or_other()?;
    let elsewhere: Vec<String> = models
        .iter()
        .map(|model| &model.name)
        .filter(|name| {
            let evaluation = evaluations.get(name.as_str());
            evaluation
                .is_some_and(|one| [Split::Test, Split::Ood].iter().any(|split| !same.are_of(one, *split)))
        })
        .cloned()
        .collect();
    for (name, rows) in &mut predictions {
        rows.retain(|row| same.are_of(&evaluations[name], row.split));
    }
    let mut provenance = vec![format!("sga {}, report {key}", env!("CARGO_PKG_VERSION"))];
    let mut platforms: Vec<String> = models.iter().map(|model| platform(&model.result.provenance)).collect();
    platforms.sort();
    platforms.dedup();
    provenance.extend(platforms);
    let trails = models.iter().map(|model| trail(store, datasets, model)).collect::<Result<_>>()?;
    let (detectors, boxes) = (detectors(models, &evaluations, &same)?, boxes(store, models)?);
    let galleries = galleries(store, models, &same)?;
    let looks = looks(store, run, models, &same)?;
    let sanity = sanity(store, models)?;
    let (several, models) = (findings(models, &evaluations, &same)?, say_covid(models));
    let models = &models[..];
    let settings = cohort::settings(models);
    // Each model stands beside the naturally trained one of its seed.
    let compared = settings.iter().flat_map(|setting| {
        let natural = cohort::natural(&settings, setting);
        let twin = move |model: &Model| natural.and_then(|natural| natural.of_seed(model.seed()));
        setting.models.iter().map(move |&model| (model, &setting.parameters, twin(model)))
    });
    let (mut shown, attacked_now) = (Vec::new(), attacked_now(store)?);
    for (model, parameters, natural) in compared {
        let result = |split: Split| -> Result<Option<report::TestResult>> {
            let of = |model: &Model| -> Option<Vec<&Prediction>> {
                let rows = predictions.get(model.name.as_str())?.iter().filter(|row| row.split == split);
                Some(rows.collect())
            };
            let Some(rows) = of(model).filter(|rows| !rows.is_empty()) else { return Ok(None) };
            let natural = natural.and_then(|natural| Some((natural.name.as_str(), of(natural)?)));
            let named = format!("{}_figures", split.name());
            let figures = evaluations.get(model.name.as_str()).map(|evaluation| evaluation.figure(&named));
            let figures = figures.transpose().or_other()?.flatten();
            test_result(&rows, natural, figures.unwrap_or_default(), bootstrap(run)).map(Some)
        };
        let training = &model.training;
        shown.push(report::Model {
            name: model.name.clone(),
            method: model.method.clone(),
            parameters: parameters.clone(),
            objective: objective(model),
            seed: model.seed(),
            validation: training["best"]["validation_auroc"].as_f64().unwrap_or(f64::NAN),
            best_epoch: training["best"]["epoch"].as_u64().unwrap_or_default() as usize,
            epochs: epochs(training),
            iid: result(Split::Test)?,
            ood: result(Split::Ood)?,
            further: further(store, &model.name, &same, &attacked_now)?,
        });
    }
    let contests = contests(&settings, &predictions, run)?;
    let tested = models.iter().filter(|model| evaluations.contains_key(model.name.as_str()));
    let untold = Overlap::untold(store, tested);
    Ok(Page {
        contests,
        title: run.required("title")?.to_owned(),
        made: format!("sga {}", env!("CARGO_PKG_VERSION")),
        provenance,
        findings: several,
        trails,
        data: data(datasets),
        elsewhere,
        outdated: same
            .outdated
            .iter()
            .map(|split| if *split == Split::Ood { "OOD" } else { "IID" }.to_owned())
            .collect(),
        models: shown,
        detectors,
        boxes,
        probes: looks.probes,
        untold: untold.into_iter().map(|model| model.name.clone()).collect(),
        explained_elsewhere: looks.elsewhere,
        sanity,
        galleries,
    })
}

/// The resamples of patients behind the page's intervals.
pub(crate) fn bootstrap(run: &Parameters) -> Bootstrap {
    Bootstrap { draws: run.integer("resamples") as usize, seed: run.integer("seed") as u64 }
}

/// What an evaluation says of a split, where it can be set beside the others.
fn figure<T: DeserializeOwned>(
    evaluation: &Evaluation,
    same: &SameImages,
    split: Split,
    what: &str,
) -> Result<Option<T>> {
    if same.are_of(evaluation, split) {
        evaluation.figure(&format!("{}_{what}", split.name())).or_other()
    } else {
        Ok(None)
    }
}

/// The models that tell several classes or findings apart, where they were tested.
fn findings(
    models: &[Model],
    evaluations: &HashMap<&str, Evaluation>,
    same: &SameImages,
) -> Result<Vec<ModelFindings>> {
    let mut found = Vec::new();
    for model in models {
        let Some(evaluation) = evaluations.get(model.name.as_str()) else { continue };
        let of = |split| figure(evaluation, same, split, "findings");
        let (iid, ood) = (of(Split::Test)?, of(Split::Ood)?);
        if iid.is_some() || ood.is_some() {
            found.push(ModelFindings { model: model.name.clone(), iid, ood });
        }
    }
    Ok(found)
}

/// The models whose answers say whether it is COVID-19: what most of the page is of.
fn say_covid(models: &[Model]) -> Vec<Model> {
    models.iter().filter(|model| model.findings.says_covid()).cloned().collect()
}

/// The models that find boxes.
fn detectors(
    models: &[Model],
    evaluations: &HashMap<&str, Evaluation>,
    same: &SameImages,
) -> Result<Vec<Detector>> {
    let mut found = Vec::new();
    for model in models.iter().filter(|model| model.findings.asked == Asked::Boxes) {
        let evaluation = evaluations.get(model.name.as_str());
        let of = |split| evaluation.map_or(Ok(None), |evaluation| figure(evaluation, same, split, "boxes"));
        let (iid, ood) = (of(Split::Test)?, of(Split::Ood)?);
        found.push(Detector { name: model.name.clone(), method: model.method.clone(), iid, ood });
    }
    Ok(found)
}

/// Where a model's numbers come from.
fn trail(store: &Store, datasets: &[Dataset], model: &Model) -> Result<Trail> {
    let document = &model.result.document;
    // As they were given; the first weights, a file there, stand in the question by their digest.
    let parameters = model.training["parameters"].as_object().into_iter().flatten();
    let word = |(name, value): (&String, &Value)| match document["parameters"].get(name) {
        Some(asked) if name == "init" => format!(" {name}={}", spelled(asked)),
        _ => format!(" {name}={}", spelled(value)),
    };
    let words: String = parameters.map(word).collect();
    // Where it was trained on one data set, another may have come since.
    let splits = [Split::Train, Split::Validation].into_iter();
    let inputs: Vec<&Digest> =
        splits.filter_map(|split| model.result.inputs.get(split.name())).flatten().collect();
    let of_model = |dataset: &&Dataset| {
        let outputs: Vec<&Digest> = dataset.result.outputs.values().collect();
        inputs.iter().all(|input| outputs.contains(input))
    };
    let data = match datasets.iter().filter(of_model).collect::<Vec<_>>()[..] {
        [one] => format!(" data={}", one.manifest.dataset),
        _ => String::new(),
    };
    let images = document["inputs"].as_object().into_iter().flatten();
    let images = images.filter_map(|(split, digest)| Some((split.clone(), digest.as_str()?.to_owned())));
    let evaluation = store.resolve("eval", &model.name)?;
    let evaluation = evaluation.map(|(_, result)| result.output(Evaluation::FIGURES).map(Digest::to_string));
    Ok(Trail {
        model: model.name.clone(),
        command: format!("just train{words}{data}"),
        data: images.collect(),
        weights: model.weights().or_other()?.to_string(),
        evaluation: evaluation.transpose()?,
    })
}

/// One line on where a model was trained.
fn platform(provenance: &Value) -> String {
    let text = |name: &str| provenance[name].as_str().unwrap_or("unknown").to_owned();
    format!("trained with libtorch {} on {} ({})", text("libtorch"), text("device"), text("name"))
}

/// What was minimised.
fn objective(model: &Model) -> Option<Objective> {
    let cohort::Objective { k, lambda, attacked, rest } = cohort::Objective::of(model)?;
    Some(Objective { k, lambda, attacked, rest })
}

/// The family of conditions that have no strength.
const BORDER: &str = "border";

/// The conditions, as names end in them, under which some attack is of this version: those of earlier ones stand beside none.
fn attacked_now(store: &Store) -> Result<HashSet<String>> {
    let mut found = HashSet::new();
    for name in store.refs_of("eval")? {
        let Some((_, condition)) = name.split_once('.') else { continue };
        let result = store.recorded("eval", &name)?;
        if result.is_some_and(|result| version::is_attack_of_now(&result.document)) {
            found.insert(condition.to_owned());
        }
    }
    Ok(found)
}

/// A model's evaluations under attack and on changed images, by family from the weakest on, IID first.
fn further(
    store: &Store,
    model: &str,
    same: &SameImages,
    attacked_now: &HashSet<String>,
) -> Result<Vec<FurtherTest>> {
    let mut found = Vec::new();
    for name in store.refs_of("eval")? {
        let Some((_, condition)) = name.split_once('.').filter(|(of, _)| *of == model) else { continue };
        let Some(evaluation) = Evaluation::open(store, &name).or_other()? else { continue };
        if attacked_now.contains(condition) && !version::is_attack_of_now(&evaluation.question) {
            continue; // another attack than the others'
        }
        let predictions = evaluation.predictions(store).or_other()?;
        let condition = &evaluation.figures["condition"];
        let text = |name: &str| condition[name].as_str().unwrap_or_default().to_owned();
        let (family, strength) = (text("family"), condition["strength"].as_f64().unwrap_or_default());
        for (set, split) in [("IID", Split::Test), ("OOD", Split::Ood)] {
            if !same.hold(&evaluation, split) {
                continue;
            }
            let Some(auroc) = evaluation.figure(split.name()).or_other()? else { continue };
            let images = predictions.iter().filter(|row| row.split == split).count();
            let name = format!("{set}, {}", text("title"));
            let of_all = condition["on"].is_null(); // one data set alone is no point of the curve of all
            let amount = (family != BORDER && of_all).then_some(strength);
            let test = FurtherTest { name, split, family: family.clone(), strength: amount, images, auroc };
            found.push((family.clone(), set, strength, test));
        }
    }
    found.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)).then(a.2.total_cmp(&b.2)));
    Ok(found.into_iter().map(|(.., test)| test).collect())
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

/// The results of a stage that has one for each model and explainer.
pub(crate) fn by_explainer(store: &Store, stage: &str, model: &str) -> Result<Vec<ActionResult>> {
    let mut names = store.refs_of(stage)?;
    names.retain(|name| model_of(name) == model);
    let results = names.iter().map(|name| Ok(store.resolve(stage, name)?.map(|(_, result)| result)));
    results.filter_map(Result::transpose).collect()
}

/// What each check of maps found.
fn sanity(store: &Store, models: &[Model]) -> Result<Vec<(String, Sanity)>> {
    let mut found = Vec::new();
    for model in models {
        for result in by_explainer(store, "sanity", &model.name)? {
            let read = serde_json::from_slice(&store.read(result.output("sanity.json")?)?);
            found.push((model.name.clone(), read.map_err(Failure::other)?));
        }
    }
    Ok(found)
}

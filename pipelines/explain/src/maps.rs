//! One model's maps, and what they say as a whole.

use std::collections::{BTreeMap, btree_map::Entry};

use cohort::{Cohort, Model, TestSets, changed_images};
use metrics::SaliencyMap;
use nn::{Images, Network, Precision, predict};
use report::Probe;
use saliency::{Explainer, explainer};
use schema::{Saliency, Split, write_saliency};
use serde::{Deserialize, Serialize};
use serde_json::json;
use stage::{Action, Failure, Fallible, Input, Made, Parameters, Result, answer, progress, version};
use store::{ActionResult, Digest, Store};
use tch::Tensor;

use crate::choice::choose;

/// Images per pass: maps of a pass are held together, with every layer's gradient.
const BATCH: usize = 16;

/// Thickness of the border that the shortcut probe looks at, as a fraction of the side.
const BORDER: f64 = 0.1;

/// A model's maps in the store.
pub(crate) struct Explained {
    pub(crate) model: Model,
    pub(crate) result: ActionResult,
    pub(crate) explanation: Explanation,
}

/// What a model's maps say: what they show, by split the probe, and the probability of covid of each image explained.
#[derive(Serialize, Deserialize)]
pub(crate) struct Explanation {
    pub(crate) maps: String,
    pub(crate) probes: BTreeMap<String, Probe>,
    pub(crate) probabilities: BTreeMap<String, f64>,
}

/// Explains a model, or finds it explained, and names the result `explain/<model>`; `None` if a dry run
/// finds it not explained. Models of one size share the test images in `cohorts`.
pub(crate) fn explain(
    store: &Store,
    run: &Parameters,
    model: Model,
    sets: &TestSets,
    cohorts: &mut BTreeMap<(Split, u32), Cohort>,
) -> Result<Option<Explained>> {
    let splits = sets.splits();
    let mut inputs = BTreeMap::from([("model".to_owned(), Input::Object(model.weights().or_other()?))]);
    for split in &splits {
        inputs.insert(split.name().to_owned(), Input::Objects(sets.shards(*split).or_other()?));
    }
    let mut parameters = run.keyed();
    parameters.insert("size".to_owned(), model.side.into());
    parameters.remove("shown");
    let action = Action { stage: "explain", version: version::EXPLAIN, parameters, inputs };
    let detail =
        |_: &str, before: &[Digest], now: &[Digest]| changed_images(store, before, now).or_other().map(Some);
    let outcome = answer(store, run, &action, &model.name, &detail, |folder| {
        let device = nn::device(run.required("device")?).or_usage()?;
        let weights = store.object(&model.weights().or_other()?)?;
        let network = Network::load(&weights, device, Precision::F32).or_other()?;
        let mut rows = Vec::new();
        let explainer = explainer(run.required("explainer")?).or_usage()?;
        let mut explanation = Explanation {
            maps: format!("{}: {}", explainer.title(), explainer.meaning()),
            probes: BTreeMap::new(),
            probabilities: BTreeMap::new(),
        };
        for split in splits {
            let cohort = match cohorts.entry((split, model.side)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => {
                    let bar =
                        progress::bar(&format!("decoding {}", split.name()), sets.images(split), "images");
                    let cohort = sets.read(store, split, model.side, || bar.inc(1)).or_other()?;
                    bar.finish_and_clear();
                    place.insert(cohort)
                }
            };
            let chosen = choose(cohort, run.integer("images") as usize, run.integer("seed") as u64);
            let maps = explain_split(run, explainer, &network, cohort, &chosen, &mut explanation)?;
            explanation.probes.insert(split.name().to_owned(), probe(cohort, &chosen, &maps)?);
            rows.extend(chosen.iter().zip(maps).map(|(index, map)| Saliency {
                image_id: cohort.rows[*index].image_id.clone(),
                split,
                width: model.side,
                height: model.side,
                map,
            }));
        }
        write_saliency(&folder.join("maps.parquet"), &rows).or_other()?;
        let explanation = serde_json::to_vec_pretty(&explanation).expect("figures are plain data");
        fs_err::write(folder.join("explanation.json"), explanation)?;
        Ok(Made { provenance: json!(nn::provenance(device)), ..Made::default() })
    })?;
    if let Some(outcome) = &outcome {
        println!("{}: {}", model.name, if outcome.reused { "unchanged" } else { "explained" });
    }
    let result = outcome.map_or_else(|| store.result(&action.key()), |outcome| Ok(Some(outcome.result)));
    let Some(result) = result? else { return Ok(None) };
    let explanation = serde_json::from_slice(&store.read(result.output("explanation.json")?)?);
    let explanation = explanation.map_err(Failure::other)?;
    Ok(Some(Explained { model, result, explanation }))
}

/// The map of each chosen image.
fn explain_split(
    run: &Parameters,
    explainer: &dyn Explainer,
    network: &Network,
    cohort: &Cohort,
    chosen: &[usize],
    explanation: &mut Explanation,
) -> Result<Vec<Vec<f32>>> {
    let pixels: Vec<u8> = chosen.iter().flat_map(|index| cohort.image(*index)).copied().collect();
    let labels: Vec<i64> = chosen.iter().map(|index| cohort.rows[*index].label.index()).collect();
    let images = Images::new(&pixels, &labels, i64::from(cohort.side), network.device()).or_other()?;
    let logits = predict(network, &images, BATCH).or_other()?;
    for (index, [negative, covid]) in chosen.iter().zip(logits) {
        let probability = 1.0 / (1.0 + f64::from(negative - covid).exp());
        explanation.probabilities.insert(cohort.rows[*index].image_id.to_string(), probability);
    }
    let own_class = run.required("target")? == "label";
    let mut maps = Vec::new();
    for start in (0..chosen.len()).step_by(BATCH) {
        let count = BATCH.min(chosen.len() - start);
        let values: Vec<f32> = nn::guarded(|| {
            let (x, y) = images.range(start, count);
            let target = if own_class { y } else { Tensor::ones_like(&y) };
            let maps = explainer.explain(network, &x, &target);
            Vec::try_from(maps.flatten(0, -1)).expect("maps are f32")
        })
        .or_other()?;
        maps.extend(values.chunks(values.len() / count).map(<[f32]>::to_vec));
    }
    Ok(maps)
}

/// Where the maps of a set point, on average.
fn probe(cohort: &Cohort, chosen: &[usize], maps: &[Vec<f32>]) -> Result<Probe> {
    let side = cohort.side as usize;
    let (mut borders, mut lifts, mut hits, mut marker_lifts) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut border_area = 0.0;
    for (index, map) in chosen.iter().zip(maps) {
        // A network that ignores an image has a map of zeros: it points nowhere.
        let Ok(map) = SaliencyMap::new(map, side, side) else { continue };
        let border = map.border_share(BORDER).or_other()?;
        border_area = border.area;
        borders.push(border.energy);
        if let Some(found) = map.localise(&cohort.rows[*index].boxes) {
            lifts.push(found.lift());
            hits.push(if found.hit { 1.0 } else { 0.0 });
        }
        marker_lifts.extend(map.localise(&cohort.rows[*index].markers).map(|found| found.lift()));
    }
    let mean =
        |values: &[f64]| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
    Ok(Probe {
        images: borders.len(),
        border: mean(&borders).unwrap_or(0.0),
        border_area,
        boxed_images: lifts.len(),
        box_lift: mean(&lifts),
        marked_images: marker_lifts.len(),
        marker_lift: mean(&marker_lifts),
        hits: mean(&hits),
    })
}

/// The first images of each split's choice: those that are drawn.
pub(crate) fn drawn(cohort: &Cohort, run: &Parameters) -> Vec<usize> {
    let mut chosen = choose(cohort, run.integer("images") as usize, run.integer("seed") as u64);
    chosen.truncate(run.integer("shown") as usize);
    chosen
}

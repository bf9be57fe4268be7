//! One model's maps, and what they say as a whole.

use std::collections::{BTreeMap, HashMap, btree_map::Entry};

use cohort::{Cohort, Model, Overlap, TestSets, changed_images};
use corruption::Corruption;
use metrics::{Detections, SaliencyMap};
use nn::{Images, Network, Precision, Statistics, predict};
use rayon::prelude::*;
use report::ImageProbe;
use saliency::{Explainer, exchanged, explainer};
use schema::{FractionBox, ImageRow, Saliency, Split, write_saliency};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use stage::{Action, Failure, Fallible, Input, Made, Parameters, Result, answer, progress, version};
use store::{ActionResult, Digest, Store};
use tch::{Kind, Tensor};

use crate::{
    choice::{choose, images_of},
    target::{Target, is_own, suffix},
};

/// Images per pass: maps of a pass are held together, with every layer's gradient.
const BATCH: usize = 16;

/// What insertion starts from.
const BLUR: &str = "blur-0.05";

/// Thickness of the border that the shortcut probe looks at, as a fraction of the side.
const BORDER: f64 = 0.1;

/// A model's maps in the store.
pub(crate) struct Explained {
    pub(crate) model: Model,
    pub(crate) target: Target,
    pub(crate) result: ActionResult,
    pub(crate) explanation: Explanation,
}

/// What a model's maps say: the kind of map, what it shows, by split each image, and the probability of covid of each.
#[derive(Serialize, Deserialize)]
pub(crate) struct Explanation {
    pub(crate) title: String,
    pub(crate) maps: String,
    pub(crate) images: BTreeMap<String, Vec<ImageProbe>>,
    pub(crate) probabilities: BTreeMap<String, f64>,
}

/// Test images that are in memory, by split and side: models of one side share them.
#[derive(Default)]
pub(crate) struct Cohorts(BTreeMap<(Split, u32), Cohort>);

impl Cohorts {
    pub(crate) fn of(&mut self, store: &Store, sets: &TestSets, split: Split, side: u32) -> Result<&Cohort> {
        match self.0.entry((split, side)) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => {
                let bar = progress::bar(&format!("decoding {}", split.name()), sets.images(split), "images");
                let cohort = sets.read(store, split, side, || bar.inc(1)).or_other()?;
                bar.finish_and_clear();
                Ok(place.insert(cohort))
            }
        }
    }
}

/// What results of a model's maps are called: `<model>.<explainer>`, or `<model>.<explainer>.<class>`.
pub(crate) fn result_name(model: &Model, run: &Parameters) -> Result<String> {
    Ok(format!("{}.{}{}", model.name, run.required("explainer")?, suffix(run)))
}

/// Adds to a question what has become another since: questions of other maps stay what they were.
pub(crate) fn add_versions(run: &Parameters, parameters: &mut Map<String, Value>) -> Result<()> {
    let explainer = version::of_explainer(run.required("explainer")?);
    if explainer > 1 {
        parameters.insert(version::EXPLAINER.to_owned(), explainer.into());
    }
    if is_own(run) {
        parameters.insert(version::OWN.0.to_owned(), version::OWN.1.into());
    }
    Ok(())
}

/// What a kind of map is called, with the class that it explains where it is not COVID-19.
pub(crate) fn titled(explainer: &dyn Explainer, run: &Parameters) -> String {
    match run.text("class") {
        Some(name) => format!("{}, {name}", explainer.title()),
        None if is_own(run) => format!("{}, each image’s own class", explainer.title()),
        None => explainer.title().to_owned(),
    }
}

/// What changed between shards, in images.
pub(crate) fn changed(store: &Store) -> impl Fn(&str, &[Digest], &[Digest]) -> Result<Option<Vec<String>>> {
    move |_, before, now| changed_images(store, before, now).or_other().map(Some)
}

/// Explains a model, or finds it explained, and names the result `explain/<model>.<explainer>`; `None` if a dry run
/// finds it not explained. Of a model that was trained on what it would be shown, why not.
pub(crate) fn explain(
    store: &Store,
    run: &Parameters,
    model: Model,
    target: &Target,
    sets: &TestSets,
    cohorts: &mut Cohorts,
) -> Result<Result<Option<Explained>, String>> {
    let splits = sets.splits();
    let mut inputs = BTreeMap::from([("model".to_owned(), Input::Object(model.weights().or_other()?))]);
    for split in &splits {
        inputs.insert(split.name().to_owned(), Input::Objects(sets.shards(*split).or_other()?));
    }
    let mut parameters = run.keyed();
    model.add_to(&mut parameters);
    add_versions(run, &mut parameters)?;
    parameters.remove("shown");
    let mut refusal = None;
    let action = Action { stage: "explain", version: version::EXPLAIN, parameters, inputs };
    let outcome = answer(store, run, &action, &result_name(&model, run)?, &changed(store), |folder| {
        if let Some((message, _)) = Overlap::of_tests(store, &model, sets).or_other()?.forbids(&model.name) {
            refusal = Some(message.clone());
            return Err(Failure::data(message));
        }
        let device = nn::device(run.required("device")?).or_usage()?;
        let weights = store.verified(&model.weights().or_other()?)?;
        let network = Network::load(&weights, device, Precision::F32).or_other()?;
        let mut rows = Vec::new();
        let explainer = explainer(run.required("explainer")?).or_usage()?;
        let title = titled(explainer, run);
        let mut explanation = Explanation {
            maps: format!("{title}: {}", explainer.meaning()),
            title,
            images: BTreeMap::new(),
            probabilities: BTreeMap::new(),
        };
        for split in splits {
            let cohort = cohorts.of(store, sets, split, model.side)?;
            let holds = |row: &ImageRow| target.holds(&model.findings, row);
            let chosen = choose(cohort, holds, run.integer("images") as usize, run.integer("seed") as u64);
            let maps = explain_split(&model, target, explainer, &network, cohort, &chosen, &mut explanation)?;
            let probes =
                probes(&model, target, &network, cohort, &chosen, &maps, &explanation.probabilities)?;
            explanation.images.insert(split.name().to_owned(), probes);
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
    });
    if let Some(refusal) = refusal {
        return Ok(Err(refusal));
    }
    let outcome = outcome?;
    if let Some(outcome) = &outcome {
        println!("{}: {}", model.name, if outcome.reused { "unchanged" } else { "explained" });
    }
    let result = outcome.map_or_else(|| store.result(&action.key()), |outcome| Ok(Some(outcome.result)));
    let Some(result) = result? else { return Ok(Ok(None)) };
    let explanation = serde_json::from_slice(&store.read(result.output("explanation.json")?)?);
    let explanation = explanation.map_err(Failure::other)?;
    Ok(Ok(Some(Explained { model, target: target.clone(), result, explanation })))
}

/// The map of each chosen image.
fn explain_split(
    model: &Model,
    target: &Target,
    explainer: &dyn Explainer,
    network: &Network,
    cohort: &Cohort,
    chosen: &[usize],
    explanation: &mut Explanation,
) -> Result<Vec<Vec<f32>>> {
    let images = images_of(cohort, chosen, network.device())?;
    let logits = nn::rows(&predict(network, &images, BATCH).or_other()?);
    for (index, logits) in chosen.iter().zip(&logits) {
        let probability = target.probability(&model.findings, logits);
        explanation.probabilities.insert(cohort.rows[*index].image_id.to_string(), probability);
    }
    let bar = progress::bar(explainer.name(), chosen.len() as u64, "maps");
    let maps = maps_of(explainer, network, &images, target, &|count| bar.inc(count));
    bar.finish_and_clear();
    maps
}

/// The map of each image; `seen` is told how many more are drawn.
pub(crate) fn maps_of(
    explainer: &dyn Explainer,
    network: &Network,
    images: &Images,
    target: &Target,
    seen: &dyn Fn(u64),
) -> Result<Vec<Vec<f32>>> {
    let mut maps = Vec::new();
    for start in (0..images.len()).step_by(BATCH) {
        let count = BATCH.min(images.len() - start);
        let values: Vec<f32> = nn::guarded(|| {
            let (x, y) = images.range(start, count);
            let maps = explainer.explain(network, &x, &target.places(&y));
            Vec::try_from(maps.flatten(0, -1)).expect("maps are f32")
        })
        .or_other()?;
        seen(count as u64);
        maps.extend(values.chunks(values.len() / count).map(<[f32]>::to_vec));
    }
    Ok(maps)
}

/// What each map says; a network that ignores an image has a map of zeros, which points nowhere and is left out.
fn probes(
    model: &Model,
    target: &Target,
    network: &Network,
    cohort: &Cohort,
    chosen: &[usize],
    maps: &[Vec<f32>],
    probabilities: &BTreeMap<String, f64>,
) -> Result<Vec<ImageProbe>> {
    let side = cohort.side as usize;
    let holds = |row: &ImageRow| target.holds(&model.findings, row);
    let explained = |index: &usize| *target == Target::Own || holds(&cohort.rows[*index]);
    let of_class: Vec<(usize, &[f32])> = chosen
        .iter()
        .zip(maps)
        .filter(|(index, _)| explained(index))
        .map(|(index, map)| (*index, map.as_slice()))
        .collect();
    let mut curves = exchanges(network, target, cohort, &of_class)?.into_iter();
    let curves: Vec<_> =
        chosen.iter().map(|index| if explained(index) { curves.next() } else { None }).collect();
    let boxes_of = |index: usize| -> &[FractionBox] {
        let row = &cohort.rows[index];
        if target.is_boxed(&model.findings, row) { &row.boxes } else { &[] }
    };
    let boxed = (0..chosen.len()).filter(|&place| !boxes_of(chosen[place]).is_empty()).collect::<Vec<_>>();
    let another = next_of_another(&boxed, |place| cohort.rows[chosen[place]].patient_key.as_str());
    let probe = |(place, curves): (usize, Option<[Vec<f64>; 2]>)| {
        let row = &cohort.rows[chosen[place]];
        let map_of = |place: usize| SaliencyMap::new(&maps[place], side, side).ok();
        let map = map_of(place)?;
        let image = row.image_id.to_string();
        let probability = probabilities[&image];
        let drawn: Vec<_> = map.boxes().iter().map(|one| (one.area, one.energy * probability)).collect();
        let boxes = boxes_of(chosen[place]);
        // Where no radiologist has drawn, nobody knows which boxes are false, unless what is explained is not there.
        let absent = *target != Target::Own && !holds(row);
        let known = absent || !boxes.is_empty();
        let [deletion, insertion] = curves.unwrap_or_default();
        Some(map.border_share(BORDER).or_other().map(|border| ImageProbe {
            image,
            patient: row.patient_key.to_string(),
            border,
            boxes: map.localise(boxes),
            boxes_of_another: another.get(&place).and_then(|&other| map_of(other)?.localise(boxes)),
            marker: map.localise(&row.markers),
            detections: known.then(|| Detections::new(&drawn, boxes)),
            deletion,
            insertion,
        }))
    };
    curves.into_par_iter().enumerate().filter_map(probe).collect()
}

/// After each of these places the next one, round the end, of another patient.
fn next_of_another<'a>(places: &[usize], patient: impl Fn(usize) -> &'a str) -> HashMap<usize, usize> {
    let next = |(number, &place): (usize, &usize)| {
        let others = places.iter().cycle().skip(number).take(places.len());
        Some((place, *others.into_iter().find(|&&other| patient(other) != patient(place))?))
    };
    places.iter().enumerate().filter_map(next).collect()
}

/// The curves of deletion and insertion of images of the explained class with their maps.
fn exchanges(
    network: &Network,
    target: &Target,
    cohort: &Cohort,
    images: &[(usize, &[f32])],
) -> Result<Vec<[Vec<f64>; 2]>> {
    let frozen = network.frozen(Statistics::Running);
    let blur: Corruption = BLUR.parse().expect("it is a corruption");
    let bar = progress::bar("deletion, insertion", images.len() as u64, "images");
    let mut found = Vec::new();
    for part in images.chunks(BATCH) {
        let (chosen, maps): (Vec<usize>, Vec<&[f32]>) = part.iter().copied().unzip();
        let images = images_of(cohort, &chosen, network.device())?;
        let curves = nn::guarded(|| {
            let (x, own) = images.range(0, chosen.len());
            let maps = Tensor::from_slice(&maps.concat()).reshape(x.size()).to_device(x.device());
            let grey = x.mean_dim([1, 2, 3].as_slice(), true, x.kind()).expand_as(&x);
            [(&x, &grey), (&blur.apply(&x, 0), &x)].map(|(from, to)| {
                let curves = exchanged(&frozen, from, to, &maps, &target.places(&own)).to_kind(Kind::Double);
                Vec::<Vec<f64>>::try_from(curves).expect("curves are rows of f64")
            })
        });
        let [deletion, insertion] = curves.or_other()?;
        found.extend(deletion.into_iter().zip(insertion).map(|(deletion, insertion)| [deletion, insertion]));
        bar.inc(part.len() as u64);
    }
    bar.finish_and_clear();
    Ok(found)
}

/// The first images of each split's choice: those that are drawn.
pub(crate) fn drawn(cohort: &Cohort, run: &Parameters, positive: impl Fn(&ImageRow) -> bool) -> Vec<usize> {
    let mut chosen = choose(cohort, positive, run.integer("images") as usize, run.integer("seed") as u64);
    chosen.truncate(run.integer("shown") as usize);
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_image_is_the_next_one_of_another_patient() {
        let patients = ["a", "-", "a", "b", "c", "-", "a"];
        let found = next_of_another(&[0, 2, 3, 4, 6], |place| patients[place]);
        assert_eq!(found, HashMap::from([(0, 3), (2, 3), (3, 4), (4, 6), (6, 3)]));
        assert_eq!(next_of_another(&[0, 2, 6], |place| patients[place]), HashMap::new());
    }
}

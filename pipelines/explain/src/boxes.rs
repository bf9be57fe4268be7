//! Test images with the boxes that detectors found, beside the radiologists'.

use std::collections::{BTreeMap, HashMap};

use cohort::{Evaluation, Model, TestSets, named};
use image::GrayImage;
use report::{BoxGallery, BoxRow, DetectorBoxes, Radiograph, overlay};
use schema::{FractionBox, ImageRow, Label, read_found_boxes};
use stage::{Action, Fallible, Input, Made, Parameters, Result, answer, plural, version};
use store::{Digest, Store};

use crate::maps::{changed, drawn};

/// The file of the result.
const GALLERY: &str = "boxes.json";

/// Side of the pictures in pixels.
const SIDE: u32 = 256;

/// The boxes found in each image, by its key.
type Found = HashMap<String, Vec<(FractionBox, f64)>>;

/// Keeps the images that heat maps are drawn of, with the boxes that evaluation found in them, as `gallery/boxes`, which the page
/// shows; a line tells of detectors that were not evaluated.
pub(crate) fn draw(store: &Store, run: &Parameters, detectors: &[Model], sets: &TestSets) -> Result<()> {
    let mut tables = Vec::new();
    for model in detectors {
        match table(store, &model.name)? {
            Some(table) => tables.push((model.name.as_str(), table)),
            None => println!("{}: left out: `just eval` finds its boxes first", model.name),
        }
    }
    if tables.is_empty() {
        return Ok(());
    }
    let mut inputs: BTreeMap<String, Input> =
        tables.iter().map(|(model, table)| ((*model).to_owned(), Input::Object(*table))).collect();
    for split in sets.splits() {
        inputs.insert(split.name().to_owned(), Input::Objects(sets.shards(split).or_other()?));
    }
    let mut parameters = run.keyed();
    parameters.retain(|name, _| ["images", "shown", "seed"].contains(&name.as_str()));
    parameters.insert("score".to_owned(), run.real("score").into());
    let action = Action { stage: "gallery", version: version::GALLERY, parameters, inputs };
    let outcome = answer(store, run, &action, named::BOXES, &changed(store), |folder| {
        let gallery = BoxGallery {
            least: run.real("score"),
            seed: run.integer("seed") as u64,
            rows: rows(store, run, &tables, sets)?,
        };
        fs_err::write(folder.join(GALLERY), serde_json::to_vec(&gallery).expect("a gallery is plain data"))?;
        Ok(Made::default())
    })?;
    if let Some(outcome) = outcome {
        let state = if outcome.reused { "unchanged" } else { "drawn" };
        println!("boxes of {}: {state}; `just report` shows them", plural(tables.len(), "detector"));
    }
    Ok(())
}

/// The table of boxes that a detector found in images as they are.
fn table(store: &Store, model: &str) -> Result<Option<Digest>> {
    let evaluation = store.resolve("eval", model)?;
    Ok(evaluation.and_then(|(_, result)| result.outputs.get(Evaluation::BOXES).copied()))
}

fn rows(store: &Store, run: &Parameters, tables: &[(&str, Digest)], sets: &TestSets) -> Result<Vec<BoxRow>> {
    let found = tables.iter().map(|(model, table)| Ok((*model, found(store, table, run.real("score"))?)));
    let found = found.collect::<Result<Vec<(&str, Found)>>>()?;
    let mut rows = Vec::new();
    for split in sets.splits() {
        let cohort = sets.read(store, split, SIDE, || {}).or_other()?;
        for index in drawn(&cohort, run, |row: &ImageRow| row.label == Label::Covid) {
            let row = &cohort.rows[index];
            let image = row.image_id.to_string();
            let picture = GrayImage::from_raw(SIDE, SIDE, cohort.image(index).to_vec());
            let of_detector = |(model, found): &(&str, Found)| DetectorBoxes {
                model: (*model).to_owned(),
                boxes: found.get(&image).cloned().unwrap_or_default(),
            };
            let found = found.iter().map(of_detector).collect();
            let picture = overlay::png(&picture.expect("a square of SIDE")).or_other()?;
            let radiograph = Radiograph { image, split, label: row.label, picture };
            rows.push(BoxRow { radiograph, drawn: row.boxes.clone(), found });
        }
    }
    Ok(rows)
}

/// The boxes of a table that are sure enough.
fn found(store: &Store, table: &Digest, least: f64) -> Result<Found> {
    let mut found = Found::new();
    for one in read_found_boxes(&store.object(table)?).or_other()? {
        let score = f64::from(one.score);
        if score >= least {
            found.entry(one.image_id.to_string()).or_default().push((one.area, score));
        }
    }
    Ok(found)
}

//! Images side by side with every model's map.

use std::collections::{BTreeMap, HashMap};

use cohort::{TestSets, named};
use image::{GrayImage, RgbImage, imageops::FilterType};
use report::{Gallery, GalleryOverlay, GalleryRow, Radiograph, overlay};
use schema::{ImageRow, Saliency, read_saliency};
use stage::{Action, Fallible, Input, Made, Parameters, Program, Result, answer, plural, version};
use store::Store;

use crate::{
    maps::{Explained, add_versions, changed, drawn},
    target::{is_own, suffix},
};

/// The file that lists the gallery; every other file is a picture.
const INDEX: &str = "gallery.json";

/// Side of the pictures in pixels.
const SIDE: u32 = 256;

/// Draws the gallery, names it `gallery/all`, or after the one model that was asked for, with `.<class>` where one was named, and
/// leaves a PNG of each image in the folder `out=`.
pub(crate) fn draw(store: &Store, run: &Parameters, explained: &[Explained], sets: &TestSets) -> Result<()> {
    let mut inputs = BTreeMap::new();
    for one in explained {
        inputs.insert(one.model.name.clone(), Input::Object(*one.result.output("maps.parquet")?));
    }
    for split in sets.splits() {
        inputs.insert(split.name().to_owned(), Input::Objects(sets.shards(split).or_other()?));
    }
    let mut parameters = run.keyed();
    add_versions(run, &mut parameters)?;
    let action = Action { stage: "gallery", version: version::GALLERY, parameters, inputs };
    let name = format!("{}{}", run.text("model").unwrap_or(named::MAPS), suffix(run));
    let outcome = answer(store, run, &action, &name, &changed(store), |folder| {
        let maps = explained.first().map(|one| one.explanation.maps.clone()).unwrap_or_default();
        let finding = run.text("class").map(str::to_owned);
        let mut gallery = Gallery { maps, finding, own: is_own(run), rows: Vec::new() };
        for (row, sheet) in rows_of(store, run, explained, sets)? {
            fs_err::write(folder.join(file_name(&row.radiograph)), sheet.as_bytes())?;
            gallery.rows.push(row);
        }
        fs_err::write(folder.join(INDEX), serde_json::to_vec(&gallery).expect("a gallery is plain data"))?;
        Ok(Made::default())
    })?;
    let Some(outcome) = outcome else { return Ok(()) };

    let out = std::path::Path::new(run.required(Program::OUT.name)?).join("explain");
    fs_err::create_dir_all(&out)?;
    for (name, digest) in outcome.result.outputs.iter().filter(|(name, _)| *name != INDEX) {
        let name = name.strip_suffix(".png").unwrap_or(name);
        fs_err::write(out.join(format!("{name}{}.png", told_apart(run))), store.read(digest)?)?;
    }
    println!("heat maps of {}: {}", plural(explained.len(), "model"), out.display());
    Ok(())
}

/// What the pictures' names end in, so that those of one model, kind of map or class do not take the place of others.
fn told_apart(run: &Parameters) -> String {
    let model = run.text("model").map(|name| format!(".{name}")).unwrap_or_default();
    let explainer =
        run.text("explainer").filter(|_| !run.is_default("explainer")).map(|name| format!(".{name}"));
    format!("{model}{}{}", explainer.unwrap_or_default(), suffix(run))
}

fn file_name(radiograph: &Radiograph) -> String {
    format!("{}-{}-{}.png", radiograph.split.name(), radiograph.label.name(), radiograph.image)
}

/// Each drawn image, for the page and as one picture of its own.
fn rows_of(
    store: &Store,
    run: &Parameters,
    explained: &[Explained],
    sets: &TestSets,
) -> Result<Vec<(GalleryRow, report::Png)>> {
    let mut maps: Vec<HashMap<String, Saliency>> = Vec::new();
    for one in explained {
        let rows = read_saliency(&store.object(one.result.output("maps.parquet")?)?).or_other()?;
        maps.push(rows.into_iter().map(|row| (row.image_id.to_string(), row)).collect());
    }
    let mut gallery = Vec::new();
    for split in sets.splits() {
        let cohort = sets.read(store, split, SIDE, || {}).or_other()?;
        let holds =
            |row: &ImageRow| explained.first().is_some_and(|one| one.target.holds(&one.model.findings, row));
        for index in drawn(&cohort, run, holds) {
            let row = &cohort.rows[index];
            let id = row.image_id.to_string();
            if maps.iter().any(|maps| !maps.contains_key(&id)) {
                continue; // models that tell other things apart looked at other images
            }
            let grey =
                GrayImage::from_raw(SIDE, SIDE, cohort.image(index).to_vec()).expect("a square of SIDE");
            let mut picture = image::DynamicImage::ImageLuma8(grey.clone()).to_rgb8();
            overlay::draw_boxes(&mut picture, &row.boxes);
            let mut panels = vec![(format!("{} {}", split.name(), row.label.name()), picture)];
            let mut scores = Vec::new();
            for (one, maps) in explained.iter().zip(&maps) {
                let map = &maps[&id];
                let mut over = match overlay::overlay(&grey, &map.map, map.width, map.height) {
                    Ok(over) => over,
                    Err(_) => panels[0].1.clone(), // a map of zeros shows nothing
                };
                overlay::draw_boxes(&mut over, &row.boxes);
                let score = one.explanation.probabilities.get(&id).copied().unwrap_or(f64::NAN);
                panels.push((format!("{} {score:.2}", one.model.name), over));
                scores.push(score);
            }
            let sheet: Vec<(&str, &RgbImage)> =
                panels.iter().map(|(label, panel)| (label.as_str(), panel)).collect();
            let sheet = overlay::png(&overlay::side_by_side(&sheet)).or_other()?;
            let mut pictures = panels.iter().map(|(_, panel)| small(panel));
            let picture = pictures.next().expect("the image itself comes first")?;
            let overlays = explained
                .iter()
                .zip(scores)
                .zip(pictures)
                .map(|((one, score), picture)| {
                    Ok(GalleryOverlay { model: one.model.name.clone(), score, picture: picture? })
                })
                .collect::<Result<Vec<_>>>()?;
            let boxed = !row.boxes.is_empty();
            let radiograph = Radiograph { image: id, split, label: row.label, picture };
            let shows = run.has("class").then(|| holds(row));
            gallery.push((GalleryRow { radiograph, boxed, shows, overlays }, sheet));
        }
    }
    Ok(gallery)
}

/// A picture of the size at which the page shows it.
fn small(panel: &RgbImage) -> Result<report::Png> {
    let side = SIDE * 3 / 4;
    overlay::png(&image::imageops::resize(panel, side, side, FilterType::Triangle)).or_other()
}

//! Images with heat maps and with boxes, as the store has them.

use std::collections::{BTreeMap, BTreeSet};

use cohort::Model;
use report::{BoxGallery, Gallery, GalleryRow};
use schema::{Asked, Label};
use stage::{Failure, Result};
use store::Store;

/// Of models with their method, parameters, seed and name, the names of those with the lowest seed of each setting.
pub(crate) fn one_of_each_setting<'a>(
    models: impl Iterator<Item = (&'a str, &'a str, u64, &'a String)>,
) -> BTreeSet<String> {
    let mut first: BTreeMap<(&str, &str), (u64, &String)> = BTreeMap::new();
    for (method, parameters, seed, name) in models {
        let kept = first.entry((method, parameters)).or_insert((seed, name));
        if seed < kept.0 {
            *kept = (seed, name);
        }
    }
    first.into_values().map(|(_, name)| name.clone()).collect()
}

/// What the maps show, and the drawn images with the maps of these models.
pub(crate) fn gallery(store: &Store, models: &BTreeSet<String>) -> Result<(String, Vec<GalleryRow>)> {
    let Some((_, result)) = store.resolve("gallery", "all")? else { return Ok(Default::default()) };
    let Gallery { maps, mut rows } =
        serde_json::from_slice(&store.read(result.output("gallery.json")?)?).map_err(Failure::other)?;
    for row in &mut rows {
        row.overlays.retain(|overlay| models.contains(&overlay.model));
    }
    rows.sort_by_key(|row| (row.split, row.label != Label::Covid));
    Ok((maps, rows))
}

/// The images with the boxes that detectors found, of one detector of each setting.
pub(crate) fn boxes(store: &Store, models: &[Model]) -> Result<BoxGallery> {
    let Some((_, result)) = store.resolve("gallery", "boxes")? else { return Ok(BoxGallery::default()) };
    let detectors: Vec<Model> =
        models.iter().filter(|model| model.findings.asked == Asked::Boxes).cloned().collect();
    let parameters = cohort::differences(&detectors);
    let settings = detectors
        .iter()
        .zip(&parameters)
        .map(|(model, parameters)| (model.method.as_str(), parameters.as_str(), model.seed(), &model.name));
    let shown = one_of_each_setting(settings);
    let mut gallery: BoxGallery =
        serde_json::from_slice(&store.read(result.output("boxes.json")?)?).map_err(Failure::other)?;
    for row in &mut gallery.rows {
        row.found.retain(|found| shown.contains(&found.model));
    }
    gallery.rows.retain(|row| !row.found.is_empty());
    gallery.rows.sort_by_key(|row| (row.split, row.label != Label::Covid));
    Ok(gallery)
}

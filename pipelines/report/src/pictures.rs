//! Images with heat maps and with boxes, as the store has them.

use std::collections::BTreeMap;

use cohort::{
    Model, SameImages, Setting,
    named::{self, model_of},
};
use report::{BoxGallery, BoxRow, Gallery, GalleryRow, Radiograph};
use schema::{Asked, Label};
use serde::de::DeserializeOwned;
use stage::{Failure, Result, version};
use store::{ActionResult, Store};

/// The drawn images with the maps of one model of each setting, by the class that is explained as the gallery's name ends in it.
pub(crate) fn galleries(
    store: &Store,
    models: &[Model],
    same: &SameImages,
) -> Result<BTreeMap<String, Gallery>> {
    let settings = cohort::settings(models);
    let shows = |row: &mut GalleryRow| {
        row.overlays.retain(|overlay| is_first(&settings, &overlay.model));
        !row.overlays.is_empty()
    };
    let mut galleries = BTreeMap::new();
    for name in store.refs_of("gallery")? {
        let Some(class) = name.strip_prefix(named::MAPS).filter(|_| model_of(&name) == named::MAPS) else {
            continue;
        };
        let Some((_, result)) = store.resolve("gallery", &name)? else { continue };
        if version::is_own_of_before(&result.document) {
            continue; // they would stand there as maps of COVID-19
        }
        let mut gallery: Gallery = read(store, &result, "gallery.json")?;
        if !class.is_empty() && gallery.finding.is_none() && !gallery.own {
            continue; // an earlier version did not say which images show the class
        }
        gallery.rows.retain(|row| {
            let split = row.radiograph.split;
            same.are(result.inputs.get(split.name()).map(Vec::as_slice), split)
        });
        arrange(&mut gallery.rows, shows, |row| (&row.radiograph, row.shows));
        galleries.insert(class.to_owned(), gallery);
    }
    Ok(galleries)
}

/// The images with the boxes that detectors found, of one detector of each setting.
pub(crate) fn boxes(store: &Store, models: &[Model]) -> Result<BoxGallery> {
    let Some((_, result)) = store.resolve("gallery", named::BOXES)? else { return Ok(BoxGallery::default()) };
    let mut gallery: BoxGallery = read(store, &result, "boxes.json")?;
    let detectors: Vec<Model> =
        models.iter().filter(|model| model.findings.asked == Asked::Boxes).cloned().collect();
    let settings = cohort::settings(&detectors);
    let shows = |row: &mut BoxRow| {
        row.found.retain(|found| is_first(&settings, &found.model));
        !row.found.is_empty()
    };
    arrange(&mut gallery.rows, shows, |row| (&row.radiograph, None));
    Ok(gallery)
}

/// Whether the model of this name stands for its setting.
fn is_first(settings: &[Setting], name: &str) -> bool {
    settings.iter().any(|setting| setting.first().name == name)
}

fn read<Gallery: DeserializeOwned>(store: &Store, result: &ActionResult, file: &str) -> Result<Gallery> {
    serde_json::from_slice(&store.read(result.output(file)?)?).map_err(Failure::other)
}

/// Leaves out the rows that have nothing to show, and puts the others by set, those first that show what is sought: COVID-19
/// where nothing else is said.
fn arrange<Row>(
    rows: &mut Vec<Row>,
    shows: impl FnMut(&mut Row) -> bool,
    of: fn(&Row) -> (&Radiograph, Option<bool>),
) {
    rows.retain_mut(shows);
    rows.sort_by_key(|row| {
        let (radiograph, sought) = of(row);
        (radiograph.split, !sought.unwrap_or(radiograph.label == Label::Covid))
    });
}

#[cfg(test)]
mod tests {
    use report::Png;
    use schema::Split;

    use super::*;

    #[test]
    fn images_that_show_something_stand_by_set_with_covid_first() {
        let image = |name: &str, split, label| {
            let picture = Png::from_bytes(Vec::new());
            Radiograph { image: name.to_owned(), split, label, picture }
        };
        let mut rows = vec![
            image("d", Split::Ood, Label::Covid),
            image("b", Split::Test, Label::Negative),
            image("nothing", Split::Test, Label::Covid),
            image("a", Split::Test, Label::Covid),
            image("c", Split::Test, Label::Negative),
        ];
        arrange(&mut rows, |row| row.image != "nothing", |row| (row, None));
        let names: Vec<&str> = rows.iter().map(|row| row.image.as_str()).collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
    }
}

//! What results are called in the store.

/// The gallery of every model's maps; a class that they explain stands after it: `all.effusion`.
pub const MAPS: &str = "all";

/// The gallery of the boxes that detectors found.
pub const BOXES: &str = "boxes";

/// The model of a result: `sga-1a2b3c4d` of `sga-1a2b3c4d.fgsm-0.01`; of a gallery, [`MAPS`] or [`BOXES`] where it is none.
pub fn model_of(result: &str) -> &str {
    result.split_once('.').map_or(result, |(model, _)| model)
}

/// Whether a gallery is of all models, as those on the page are.
pub fn is_of_all(gallery: &str) -> bool {
    [MAPS, BOXES].contains(&model_of(gallery))
}

//! What each number means, for tables and pages: no report needs a special case.

use serde::Serialize;

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Higher is better.
    Higher,
    /// Lower is better.
    Lower,
}

/// What a number means.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Meaning {
    /// Column title.
    pub name: &'static str,
    /// The range or unit.
    pub unit: &'static str,
    /// Which way is better.
    pub better: Direction,
    /// The value that says nothing, where it is one number.
    pub chance: Option<f64>,
    /// One line for a reader.
    pub description: &'static str,
}

impl Meaning {
    /// [`auroc`](crate::auroc()).
    pub const AUROC: Self = Self {
        name: "AUROC",
        unit: "0 to 1",
        better: Direction::Higher,
        chance: Some(0.5),
        description: "the probability that a positive image scores above a negative one",
    };
    /// [`average_precision`](crate::average_precision).
    pub const AVERAGE_PRECISION: Self = Self {
        name: "Average precision",
        unit: "0 to 1",
        better: Direction::Higher,
        chance: None,
        description: "precision averaged over recall; chance is the share of positive images",
    };
    /// [`sensitivity_at_specificity`](crate::sensitivity_at_specificity) with 0.95.
    pub const SENSITIVITY_AT_95_SPECIFICITY: Self = Self {
        name: "Sensitivity at 95 % specificity",
        unit: "0 to 1",
        better: Direction::Higher,
        chance: Some(0.05),
        description: "share of positive images found when at most 5 % of the negative ones are called positive",
    };
    /// [`specificity_at_sensitivity`](crate::specificity_at_sensitivity) with 0.95.
    pub const SPECIFICITY_AT_95_SENSITIVITY: Self = Self {
        name: "Specificity at 95 % sensitivity",
        unit: "0 to 1",
        better: Direction::Higher,
        chance: Some(0.05),
        description: "share of negative images left alone when at least 95 % of the positive ones are found",
    };
    /// [`Calibration::expected_error`](crate::Calibration::expected_error).
    pub const CALIBRATION_ERROR: Self = Self {
        name: "Calibration error",
        unit: "0 to 1",
        better: Direction::Lower,
        chance: None,
        description: "how far predicted probabilities are from the shares of positives that come true",
    };
    /// [`Localisation::lift`](crate::Localisation::lift).
    pub const BOX_LIFT: Self = Self {
        name: "Boxes ÷ chance",
        unit: "times chance",
        better: Direction::Higher,
        chance: Some(1.0),
        description: "saliency inside the radiologists’ boxes over the boxes’ share of the image",
    };
    /// [`Localisation::energy`](crate::Localisation::energy).
    pub const BOX_ENERGY: Self = Self {
        name: "In boxes",
        unit: "0 to 1",
        better: Direction::Higher,
        chance: None,
        description: "share of saliency inside the radiologists’ boxes",
    };
    /// [`Detections::overlap`](crate::Detections::overlap), averaged.
    pub const DRAWN_BOX_OVERLAP: Self = Self {
        name: "Box IoU",
        unit: "0 to 1",
        better: Direction::Higher,
        chance: None,
        description: "intersection over union of a radiologist’s box and the box round a salient region that meets it best",
    };
    /// [`BoxRanking::average_precision`](crate::BoxRanking::average_precision).
    pub const DRAWN_BOX_PRECISION: Self = Self {
        name: "mAP at 0.5",
        unit: "0 to 1",
        better: Direction::Higher,
        chance: None,
        description: "average precision of boxes round salient regions, found when they overlap a radiologist’s by one half",
    };
    /// The area under the deletion curve (Petsiuk et al. 2018).
    pub const DELETION: Self = Self {
        name: "Deletion",
        unit: "0 to 1",
        better: Direction::Lower,
        chance: None,
        description: "probability of an image’s own class, where it is explained, while pixels are made the image’s mean, the most salient first, averaged over the way",
    };
    /// The area under the insertion curve (Petsiuk et al. 2018).
    pub const INSERTION: Self = Self {
        name: "Insertion",
        unit: "0 to 1",
        better: Direction::Higher,
        chance: None,
        description: "the same while pixels of the blurred image are made sharp",
    };
    /// [`Localisation::hit`](crate::Localisation::hit), averaged.
    pub const POINTING_GAME: Self = Self {
        name: "Pointing game",
        unit: "0 to 1",
        better: Direction::Higher,
        chance: None,
        description: "share of the images whose most salient pixel lies in a radiologist’s box",
    };
    /// [`Localisation::overlap`](crate::Localisation::overlap), averaged.
    pub const OVERLAP: Self = Self {
        name: "Overlap",
        unit: "0 to 1",
        better: Direction::Higher,
        chance: None,
        description: "intersection over union of the boxes and as many of the most salient pixels",
    };
    /// [`Localisation::lift`](crate::Localisation::lift) of the marker's rectangle.
    pub const MARKER_LIFT: Self = Self {
        name: "Marker ÷ chance",
        unit: "times chance",
        better: Direction::Lower,
        chance: Some(1.0),
        description: "saliency on the film’s marker over the marker’s share of the image",
    };
    /// [`BorderShare::energy`](crate::BorderShare::energy) with a thickness of 0.10.
    pub const BORDER_SHARE: Self = Self {
        name: "Outer border",
        unit: "0 to 1",
        better: Direction::Lower,
        chance: None,
        description: "share of saliency in the outer 10 % of the image on each side, where no disease is",
    };
}

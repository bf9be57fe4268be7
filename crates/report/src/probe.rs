//! Where models look.

use metrics::{BorderShare, Detections, Difference, Interval, Localisation};
use schema::Split;
use serde::{Deserialize, Serialize};

/// What a model's map of one image says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageProbe {
    /// The image's key.
    pub image: String,
    /// Its patient's.
    pub patient: String,
    /// The map in the outer border.
    pub border: BorderShare,
    /// The map and the radiologists' boxes; `None` without boxes.
    pub boxes: Option<Localisation>,
    /// The same boxes and the map of another patient's image: as much agrees because boxes are alike; `None` without boxes, or
    /// where no other patient has any.
    #[serde(default)]
    pub boxes_of_another: Option<Localisation>,
    /// The map and the film's marker; `None` where its place is not known.
    pub marker: Option<Localisation>,
    /// Boxes drawn round the map's regions and the radiologists'; `None` for a positive image without boxes.
    pub detections: Option<Detections>,
    /// The probability of the explained class with 0, 1, … 10 tenths of the pixels made the image's mean, the most salient
    /// first; empty for an image of another class.
    pub deletion: Vec<f64>,
    /// The same of the blurred image, with its pixels made those of the image.
    pub insertion: Vec<f64>,
}

/// A figure of a model's maps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeFigure {
    /// Over the images that have it.
    pub value: f64,
    /// 95 % interval, patients resampled.
    pub interval: Option<Interval>,
    /// Less the naturally trained model of the same seed, on the images that both have.
    pub less: Option<Difference>,
}

/// Where a model looks by one kind of map, over images. A figure is `None` without boxes, or without markers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// The model's name.
    pub model: String,
    /// The test set.
    pub split: Split,
    /// The kind of map.
    pub explainer: String,
    /// Images with a map.
    pub images: usize,
    /// Images among them with radiologists' boxes.
    pub boxed_images: usize,
    /// Images among them with a marker whose place is known.
    pub marked_images: usize,
    /// The border's share of the image.
    pub border_area: f64,
    /// Share of saliency in the outer 10 % of the image on each side.
    pub border: Option<ProbeFigure>,
    /// Saliency on the marker over its share of the image.
    pub marker_lift: Option<ProbeFigure>,
    /// Share of saliency in the boxes.
    pub energy: Option<ProbeFigure>,
    /// Saliency in the boxes over their share of the image.
    pub box_lift: Option<ProbeFigure>,
    /// How much higher it is than of the map of another patient's image.
    pub box_lift_above_another: Option<ProbeFigure>,
    /// Share of the boxed images whose most salient pixel lies in a box.
    pub hits: Option<ProbeFigure>,
    /// How much higher it is than of the map of another patient's image.
    pub hits_above_another: Option<ProbeFigure>,
    /// Intersection over union of the boxes and as many of the most salient pixels.
    pub overlap: Option<ProbeFigure>,
    /// Overlap of the boxes with the drawn ones that meet them best.
    pub box_overlap: Option<ProbeFigure>,
    /// Average precision of the drawn boxes at an overlap of one half.
    pub box_precision: Option<ProbeFigure>,
    /// Area under the deletion curve.
    pub deletion: Option<ProbeFigure>,
    /// Area under the insertion curve.
    pub insertion: Option<ProbeFigure>,
}

impl Probe {
    /// Every figure that stands beside that of natural training.
    pub fn figures(&self) -> [Option<ProbeFigure>; 10] {
        [
            self.border,
            self.marker_lift,
            self.energy,
            self.box_lift,
            self.hits,
            self.overlap,
            self.box_overlap,
            self.box_precision,
            self.deletion,
            self.insertion,
        ]
    }
}

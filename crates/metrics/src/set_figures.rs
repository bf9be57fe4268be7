//! All that is said of a model on a test set beside the AUROC, and of the collections behind the set.

use serde::{Deserialize, Serialize};

use crate::{Auroc, Estimate, Performance};

/// A model on a test set of images as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SetFigures {
    /// Figures with intervals; `None` where the patients are too few to be resampled.
    pub performance: Option<Performance>,
    /// Each source that holds both classes.
    pub sources: Vec<OneSource>,
    /// How far the sources alone give the classes away; `None` where there is one source.
    pub source_confound: Option<SourceConfound>,
}

/// A source that holds both classes, tested alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OneSource {
    /// Its name.
    pub source: String,
    /// Its negative images.
    pub negative: usize,
    /// Its positive images.
    pub positive: usize,
    /// Of these images alone.
    pub auroc: Auroc,
}

/// A classifier of the sources, measured as if it were one of the disease: what a model can reach that knows nothing of
/// the disease.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceConfound {
    /// The sources in the set.
    pub sources: Vec<String>,
    /// Share of images whose source it names rightly.
    pub source_accuracy: f64,
    /// Of its guess at the disease: the share of positive images in the sources that it believes an image to be from.
    pub auroc: Auroc,
}

/// A model that tells several classes or findings apart, on a set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingFigures {
    /// Each by itself, against all others; of two classes the second alone, since the first is its contrary.
    pub each: Vec<FindingFigure>,
    /// The plain mean of their areas.
    pub mean: Estimate,
    /// For each class the images of it, by the class that the model takes them for; `None` where several findings may
    /// hold at once.
    pub answered: Option<Vec<Vec<u64>>>,
}

/// A class or finding against all others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingFigure {
    /// As the publisher's tables write it.
    pub name: String,
    /// Images of which it holds.
    pub images: usize,
    /// Its area; `None` where it holds of all images or of none, or the patients are too few to be resampled.
    pub auroc: Option<Estimate>,
}

impl FindingFigure {
    /// Images of fewer patients than these are too few for an interval: resampled patients vary what is there, not who else might
    /// be. With one positive patient of 30 a 95 % interval covers an AUROC of .8 a third of the time.
    pub const ENOUGH: usize = 10;

    /// Whether it is seen in too few images for its interval to be believed.
    pub fn is_rare(&self) -> bool {
        self.images < Self::ENOUGH
    }
}

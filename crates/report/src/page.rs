//! What the page shows, as plain data.

use std::collections::BTreeMap;

use metrics::{
    Auroc, BoxFigures, Difference, FindingFigures, Interval, Less, RocBandPoint, RocPoint, SetFigures,
};
use schema::{Label, Role, Split};
use serde::{Deserialize, Serialize};

use crate::{BoxGallery, Png, Probe};

/// Everything on the page. Empty lists leave their section out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The page's title.
    pub title: String,
    /// When the page was made, as a reader writes a date.
    pub made: String,
    /// With what it was made: programs, libraries, devices; one line each.
    pub provenance: Vec<String>,
    /// Where each model's numbers come from.
    pub trails: Vec<Trail>,
    /// The data sets.
    pub data: Vec<DataSet>,
    /// Models that were tested on other images than those whose tests are shown, by name.
    pub elsewhere: Vec<String>,
    /// The sets whose tests shown are of other images than the data sets hold now: `IID`, `OOD`.
    pub outdated: Vec<String>,
    /// The trained models, in any order.
    pub models: Vec<Model>,
    /// Models that tell several classes or findings apart; those that also say COVID-19 stand among the models as well.
    pub findings: Vec<ModelFindings>,
    /// The trained models that find boxes.
    pub detectors: Vec<Detector>,
    /// Images with the boxes that detectors found.
    pub boxes: BoxGallery,
    /// Methods less natural training, over their seeds.
    pub contests: Vec<Contest>,
    /// Where the models look, each by set and kind of map.
    pub probes: Vec<Probe>,
    /// Models of which it is not known whether they were trained on test images, by name.
    pub untold: Vec<String>,
    /// Models with maps of other images than those whose tests are shown, by name.
    pub explained_elsewhere: Vec<String>,
    /// Whether the models' maps depend on their weights: the model's name, and what was found of one kind of its maps.
    pub sanity: Vec<(String, Sanity)>,
    /// Images with each model's saliency, by what the names of their files end in: nothing where the maps explain COVID-19,
    /// `.effusion`.
    pub galleries: BTreeMap<String, Gallery>,
}

/// Where a model's numbers come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// The model's name.
    pub model: String,
    /// What trains it again.
    pub command: String,
    /// What it was trained on and chosen by: the digest of each split's shards.
    pub data: BTreeMap<String, String>,
    /// The digest of its weights.
    pub weights: String,
    /// The digest of its evaluation's figures; `None` where it has none.
    pub evaluation: Option<String>,
}

/// A data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSet {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Where it comes from: a citation or an address.
    pub source: String,
    /// Its licence.
    pub licence: String,
    /// Whether its positives and its negatives come from different sources, so that telling sources apart is enough to
    /// tell classes apart.
    pub confounded: bool,
    /// The images of each split.
    pub splits: Vec<SplitCount>,
    /// Files set aside, by reason.
    pub quarantined: Vec<Quarantined>,
}

/// The size of a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitCount {
    /// The split.
    pub split: Split,
    /// Its patients.
    pub patients: usize,
    /// Its negative images.
    pub negative: usize,
    /// Its positive images.
    pub positive: usize,
}

impl SplitCount {
    /// All its images.
    pub fn images(&self) -> usize {
        self.negative + self.positive
    }
}

/// Files set aside for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Why.
    pub reason: String,
    /// How many.
    pub images: usize,
}

/// A trained model and how it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// The name, unique on the page: `sga-1a2b3c4d`.
    pub name: String,
    /// The training method: `nt`, `sg`, `at`, `sga`, …
    pub method: String,
    /// Parameters in which the models of its method differ, without the seed; empty when none does.
    pub parameters: String,
    /// What was minimised; `None` for methods that the paper does not have.
    pub objective: Option<Objective>,
    /// The seed.
    pub seed: u64,
    /// AUROC on the validation set at the chosen epoch.
    pub validation: f64,
    /// The chosen epoch, counted from 1.
    pub best_epoch: usize,
    /// Every epoch, the first first.
    pub epochs: Vec<Epoch>,
    /// The test at the training hospital.
    pub iid: Option<TestResult>,
    /// The test at the unseen hospital.
    pub ood: Option<TestResult>,
    /// Other tests: under attack, of one source, with the border blanked, …
    pub further: Vec<FurtherTest>,
}

/// How well a model tells several classes or findings apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelFindings {
    /// The model's name.
    pub model: String,
    /// At the training hospital.
    pub iid: Option<FindingFigures>,
    /// At the unseen one.
    pub ood: Option<FindingFigures>,
}

/// A trained model that finds boxes, and how it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detector {
    /// The name, unique on the page.
    pub name: String,
    /// The training method.
    pub method: String,
    /// The test at the training hospital; `None` without radiologists' boxes.
    pub iid: Option<BoxFigures>,
    /// The test at the unseen hospital; `None` without radiologists' boxes.
    pub ood: Option<BoxFigures>,
}

/// What training minimised, in the paper's terms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// Fraction of masked pixels.
    pub k: f64,
    /// Weight of the divergence; 0 is natural training.
    pub lambda: f64,
    /// Whether images are attacked.
    pub attacked: bool,
    /// Every other parameter that made a difference, the seed apart.
    pub rest: BTreeMap<String, String>,
}

/// A setting less natural training: the difference of the means over seeds, on the same resampled patients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contest {
    /// The setting's method.
    pub method: String,
    /// Its parameters, as in [`Model::parameters`].
    pub parameters: String,
    /// Those of the natural training that it is compared with.
    pub natural: String,
    /// At the training hospital.
    pub iid: Option<Difference>,
    /// At the unseen one.
    pub ood: Option<Difference>,
}

/// One epoch of training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Mean cross-entropy on the training set, in nats.
    pub cross_entropy: f64,
    /// Mean Kullback–Leibler divergence on the training set, in nats, before λ; `None` for methods without it.
    pub divergence: Option<f64>,
    /// AUROC on the validation set.
    pub validation: f64,
}

/// A model on a test set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestResult {
    /// Images tested.
    pub images: usize,
    /// Their patients.
    pub patients: usize,
    /// AUROC with `DeLong`'s interval.
    pub auroc: Auroc,
    /// The interval from resampling patients.
    pub by_patient: Option<Interval>,
    /// The ROC curve.
    pub roc: Vec<RocPoint>,
    /// How far the choice of patients moves it; empty without resampling.
    pub roc_band: Vec<RocBandPoint>,
    /// Less the naturally trained model, on the same images.
    pub versus_natural: Option<Comparison>,
    /// Everything beside the AUROC.
    pub figures: SetFigures,
}

/// A model less the naturally trained one on the same images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The name of the naturally trained model.
    pub natural: String,
    /// By how much, and the tests.
    pub less: Less,
}

/// How a model's maps change when its layers are drawn anew, from the head down (Adebayo et al. 2018).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sanity {
    /// The kind of map.
    pub explainer: String,
    /// Images whose maps were compared.
    pub images: usize,
    /// The layer down to which weights are drawn anew, and the mean rank correlation of the maps with the model's own.
    pub correlations: Vec<(String, f64)>,
}

/// A test beside the two main ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FurtherTest {
    /// What is tested, the same for every model: `OOD, FGSM ε = 0.03`.
    pub name: String,
    /// The test set.
    pub split: Split,
    /// Tests of one family differ in their strength alone: `blur`, `FGSM`.
    pub family: String,
    /// How much, in the unit of the family, 0 for images as they are; `None` for a family that has no amount.
    pub strength: Option<f64>,
    /// Images tested.
    pub images: usize,
    /// AUROC with `DeLong`'s interval.
    pub auroc: Auroc,
}

/// Images with one kind of map of each model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gallery {
    /// What the maps show, with its source: `FullGrad: what …`.
    pub maps: String,
    /// The class or finding that they explain; `None` for COVID-19, or each image's own class.
    #[serde(default)]
    pub finding: Option<String>,
    /// Whether they explain each image's own class.
    #[serde(default)]
    pub own: bool,
    /// The images.
    pub rows: Vec<GalleryRow>,
}

/// A test image that the page shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Radiograph {
    /// The image's key.
    pub image: String,
    /// The set it belongs to.
    pub split: Split,
    /// Its class.
    pub label: Label,
    /// How it is shown.
    pub picture: Png,
}

/// An image with each model's saliency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GalleryRow {
    /// The image, its picture with the radiologists' boxes.
    #[serde(flatten)]
    pub radiograph: Radiograph,
    /// Whether there are boxes.
    pub boxed: bool,
    /// Whether it shows the finding; `None` where the label says it.
    #[serde(default)]
    pub shows: Option<bool>,
    /// One per model.
    pub overlays: Vec<GalleryOverlay>,
}

/// A model's saliency over the image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GalleryOverlay {
    /// The model's name.
    pub model: String,
    /// The model's probability of what is explained, of COVID-19 where that is each image's own class.
    pub score: f64,
    /// The image under the map.
    pub picture: Png,
}

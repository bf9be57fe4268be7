//! A model's evaluation, as the tables at the end show it.

use attack::EpsilonSpace;
use cohort::{Evaluation, Model};
use metrics::{BoxFigures, Estimate, FindingFigures};
use schema::{Prediction, Split};
use stage::{Fallible, Result};
use store::Store;

use crate::condition::Condition;

/// A model evaluated under a condition, for the table.
pub(crate) struct Evaluated {
    pub(crate) model: Model,
    pub(crate) condition: Condition,
    pub(crate) space: EpsilonSpace,
    /// The one data set that was asked for.
    pub(crate) on: Option<String>,
    pub(crate) iid: Option<Estimate>,
    pub(crate) ood: Option<Estimate>,
    /// Of a model that tells several classes or findings apart.
    pub(crate) findings: [Option<FindingFigures>; 2],
    /// Of a model that finds boxes.
    pub(crate) boxes: [Option<BoxFigures>; 2],
    /// What a classifier of the sources alone reaches at the unseen hospitals.
    pub(crate) ood_by_source: Option<f64>,
    /// Of every image, for tests between methods; none where the images are not clean.
    pub(crate) predictions: Vec<Prediction>,
}

impl Evaluated {
    /// What an evaluation came to, as the store has it.
    pub(crate) fn of(
        store: &Store,
        model: &Model,
        (condition, space): (Condition, EpsilonSpace),
        on: Option<&str>,
        evaluation: &Evaluation,
    ) -> Result<Self> {
        let predictions = match condition {
            Condition::Clean => evaluation.predictions(store).or_other()?,
            _ => Vec::new(),
        };
        let of_findings = |split: Split| evaluation.figure(&format!("{}_findings", split.name())).or_other();
        let of_boxes = |split: Split| evaluation.figure(&format!("{}_boxes", split.name())).or_other();
        Ok(Self {
            predictions,
            model: model.clone(),
            condition,
            space,
            on: on.map(str::to_owned),
            iid: evaluation.auroc(Split::Test).or_other()?,
            ood: evaluation.auroc(Split::Ood).or_other()?,
            findings: [of_findings(Split::Test)?, of_findings(Split::Ood)?],
            boxes: [of_boxes(Split::Test)?, of_boxes(Split::Ood)?],
            ood_by_source: evaluation.figures["ood_figures"]["source_confound"]["auroc"]["value"].as_f64(),
        })
    }

    /// OOD less IID.
    pub(crate) fn change(&self) -> Option<f64> {
        Some(self.ood.as_ref()?.value - self.iid.as_ref()?.value)
    }

    /// The mean of IID and OOD.
    pub(crate) fn average(&self) -> Option<f64> {
        Some(f64::midpoint(self.ood.as_ref()?.value, self.iid.as_ref()?.value))
    }
}

//! What a model's evaluation came to.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use metrics::{Auroc, Estimate, SetFigures};
use schema::{Prediction, Split, read_predictions};
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::{ActionResult, Digest, Store};

use crate::Error;

/// An evaluation: its figures, and where its predictions are.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Figures by name, as evaluation wrote them.
    pub figures: Value,
    /// What was asked.
    pub question: Value,
    place: PathBuf,
    predictions: Digest,
    inputs: BTreeMap<String, Vec<Digest>>,
}

impl Evaluation {
    /// The name of the figures among an evaluation's outputs.
    pub const FIGURES: &str = "evaluation.json";

    /// The name of the table of predictions.
    pub const PREDICTIONS: &str = "predictions.parquet";

    /// The name of the table of answers of a model that tells several classes or findings apart.
    pub const ANSWERS: &str = "answers.parquet";

    /// The name of the table of boxes that a detecting model found.
    pub const BOXES: &str = "boxes.parquet";

    /// The evaluation of this name: `<model>`, or `<model>.<condition>`; `None` where there is none.
    pub fn open(store: &Store, name: &str) -> Result<Option<Self>, Error> {
        let found = store.resolve("eval", name)?;
        found.map(|(_, result)| Self::of(store, &result)).transpose()
    }

    /// The evaluation that gave this result.
    pub fn of(store: &Store, result: &ActionResult) -> Result<Self, Error> {
        let digest = result.output(Self::FIGURES)?;
        let place = store.object_path(digest);
        let figures =
            serde_json::from_slice(&store.read(digest)?).map_err(|error| damaged(&place, &error))?;
        let (predictions, inputs) = (*result.output(Self::PREDICTIONS)?, result.inputs.clone());
        Ok(Self { figures, question: result.document.clone(), place, predictions, inputs })
    }

    /// The shards that it read of a split; `None` where it was not tested there.
    pub fn shards(&self, split: Split) -> Option<&[Digest]> {
        self.inputs.get(split.name()).map(Vec::as_slice)
    }

    /// The figure of this name, `None` where it has none.
    ///
    /// # Errors
    /// The figure is of another kind.
    pub fn figure<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let figure = self.figures.get(name).map(|figure| serde_json::from_value(figure.clone()));
        figure.transpose().map_err(|error| damaged(&self.place, &error))
    }

    /// The area under the ROC curve on a split; `None` where it was not tested there. Its interval is over patients where these
    /// were resampled, as on clean images; else it is `DeLong`'s, which takes images as independent.
    pub fn auroc(&self, split: Split) -> Result<Option<Estimate>, Error> {
        let figures: Option<SetFigures> = self.figure(&format!("{}_figures", split.name()))?;
        if let Some(performance) = figures.and_then(|figures| figures.performance) {
            return Ok(Some(performance.auroc));
        }
        let auroc: Option<Auroc> = self.figure(split.name())?;
        Ok(auroc.map(|Auroc { value, low, high, .. }| Estimate { value, low, high }))
    }

    /// What the model said of each image.
    pub fn predictions(&self, store: &Store) -> Result<Vec<Prediction>, Error> {
        Ok(read_predictions(&store.object(&self.predictions)?)?)
    }
}

fn damaged(path: &Path, error: &serde_json::Error) -> Error {
    store::Error::Damaged { path: path.to_owned(), what: error.to_string() }.into()
}

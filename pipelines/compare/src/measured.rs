//! Evaluations as the store has them.

use std::collections::BTreeSet;

use cohort::{Dataset, Evaluation, Model, Overlap, SameImages};
use metrics::{Bootstrap, Estimate, Less, beside};
use schema::{Asked, Prediction, Split, same_images, scored};
use serde_json::{Value, json};
use stage::{Fallible, Result, version};
use store::Store;

/// A model's evaluation.
pub(crate) struct Measured {
    pub(crate) name: String,
    /// Those in which models of its method differ, as words.
    pub(crate) parameters: String,
    pub(crate) seed: u64,
    method: String,
    evaluation: Evaluation,
    predictions: Vec<Prediction>,
    /// Splits whose figures cannot be set beside the others'.
    hidden: Vec<Split>,
    /// Whether its attack is of an earlier version: see [`version::ATTACK`].
    attacked_before: bool,
    /// Whether it cannot be told if it was trained on test images.
    pub(crate) untold: bool,
}

/// Every model's evaluation under a condition, `clean` among them.
pub(crate) fn all(store: &Store, under: &str) -> Result<Vec<Measured>> {
    let mut measured = Vec::new();
    let mut models = Model::all(store).or_other()?;
    models.retain(|model| model.findings.asked != Asked::Boxes);
    let parameters = cohort::differences(&models);
    let untold = Overlap::untold(store, &models);
    let untold: BTreeSet<String> = untold.into_iter().map(|model| model.name.clone()).collect();
    for (model, parameters) in models.into_iter().zip(parameters) {
        let name = match under {
            "clean" => model.name.clone(),
            condition => format!("{}.{condition}", model.name),
        };
        let Some(evaluation) = Evaluation::open(store, &name).or_other()? else { continue };
        measured.push(Measured {
            attacked_before: !version::is_attack_of_now(&evaluation.question),
            untold: untold.contains(&model.name),
            seed: model.seed(),
            name: model.name,
            parameters,
            method: model.method,
            predictions: evaluation.predictions(store).or_other()?,
            evaluation,
            hidden: Vec::new(),
        });
    }
    Ok(measured)
}

/// Takes out the evaluations whose attack is of an earlier version, where others' are of this one; returns their names.
pub(crate) fn retain_newest_attack(models: &mut Vec<Measured>) -> Vec<String> {
    if models.iter().all(|model| model.attacked_before) {
        return Vec::new();
    }
    models.extract_if(.., |model| model.attacked_before).map(|model| model.name).collect()
}

/// Keeps the evaluations that can be set beside each other: those on the images of `against` if it is named, else on those of
/// [`SameImages`]; only of the splits asked for, other values of theirs go. Returns the names of the others, and whether the
/// images are those of the data sets now.
pub(crate) fn retain_same_images(
    store: &Store,
    models: &mut Vec<Measured>,
    against: Option<&str>,
    asked: &[Split],
) -> Result<(Vec<String>, bool)> {
    let datasets = Dataset::all(store).or_other()?;
    let is_named = |model: &&Measured| Some(&*model.name) == against;
    let is_there = models.iter().any(|model| is_named(&model));
    let chosen: Vec<&Evaluation> =
        models.iter().filter(|model| !is_there || is_named(model)).map(|model| &model.evaluation).collect();
    let same = SameImages::of(&datasets, &chosen).or_other()?;
    let (mut kept, others): (Vec<_>, Vec<_>) = std::mem::take(models)
        .into_iter()
        .partition(|model| asked.iter().all(|split| same.are_of(&model.evaluation, *split)));
    for model in &mut kept {
        model.hidden = vec![Split::Test, Split::Ood];
        model.hidden.retain(|split| !same.are_of(&model.evaluation, *split));
    }
    *models = kept;
    let of_now = same.outdated.is_empty(); // both sets are shown, whatever is sorted by
    Ok((others.into_iter().map(|model| model.name).collect(), of_now))
}

impl Measured {
    /// On a set; `None` where it was not tested there.
    pub(crate) fn auroc(&self, split: Split) -> Option<Estimate> {
        self.evaluation.auroc(split).ok().flatten().filter(|_| !self.hidden.contains(&split))
    }

    /// What `by=` names.
    pub(crate) fn value(&self, by: &str) -> Option<f64> {
        let of = |split| Some(self.auroc(split)?.value);
        match by {
            "iid" => of(Split::Test),
            "ood" => of(Split::Ood),
            _ => Some(f64::midpoint(of(Split::Test)?, of(Split::Ood)?)),
        }
    }

    fn of(&self, split: Split) -> Vec<&Prediction> {
        self.predictions.iter().filter(|row| row.split == split).collect()
    }

    /// This model less the other; `None` for itself, on other images, or where there is nothing to test. Patients are
    /// resampled so many times.
    pub(crate) fn less(&self, other: &Self, split: Split, draws: usize) -> Result<Option<Less>> {
        let [rows, others] = [self, other].map(|model| model.of(split));
        if self.name == other.name || rows.is_empty() || !same_images(&rows, &others) {
            return Ok(None);
        }
        let patients: Vec<&str> = rows.iter().map(|row| row.patient_key.as_str()).collect();
        let ((scores, positive), (others, _)) = (scored(rows), scored(others));
        let bootstrap = Bootstrap { draws, ..Bootstrap::default() };
        Ok(beside(&scores, Some(&others), &positive, &patients, bootstrap).or_other()?.less)
    }

    /// For programs.
    pub(crate) fn to_json(&self, first: &Self, draws: usize) -> Result<Value> {
        let of = |split| -> Result<Value> {
            Ok(json!({"auroc": self.auroc(split), "less_first": self.less(first, split, draws)?}))
        };
        Ok(json!({
            "model": self.name, "method": self.method, "parameters": self.parameters, "seed": self.seed,
            "iid": of(Split::Test)?, "ood": of(Split::Ood)?, "average": self.value("average"),
        }))
    }
}

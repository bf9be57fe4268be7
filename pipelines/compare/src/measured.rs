//! Evaluations as the store has them.

use cohort::Model;
use metrics::{Auroc, PairedTest, delong_paired};
use schema::{Label, Prediction, Split, read_predictions};
use serde_json::{Value, json};
use stage::{Failure, Fallible, Result};
use store::Store;

/// A model's evaluation.
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) seed: u64,
    method: String,
    figures: Value,
    predictions: Vec<Prediction>,
}

/// Every model's evaluation under a condition, `clean` among them.
pub(crate) fn all(store: &Store, under: &str) -> Result<Vec<Measured>> {
    let mut measured = Vec::new();
    for model in Model::all(store).or_other()? {
        let name = match under {
            "clean" => model.name.clone(),
            condition => format!("{}.{condition}", model.name),
        };
        let Some((_, result)) = store.resolve("eval", &name)? else { continue };
        let figures = serde_json::from_slice(&store.read(result.output("evaluation.json")?)?);
        let predictions = store.object(result.output("predictions.parquet")?)?;
        measured.push(Measured {
            seed: model.seed(),
            name: model.name,
            method: model.method,
            figures: figures.map_err(Failure::other)?,
            predictions: read_predictions(&predictions).or_other()?,
        });
    }
    Ok(measured)
}

impl Measured {
    /// On a set; `None` where it was not tested there.
    pub(crate) fn auroc(&self, split: Split) -> Option<Auroc> {
        serde_json::from_value(self.figures.get(split.name())?.clone()).ok()
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

    /// This model less the other; `None` for itself, on other images, or where there is nothing to test.
    pub(crate) fn test_against(&self, other: &Self, split: Split) -> Result<Option<PairedTest>> {
        let [rows, others] = [self, other].map(|model| {
            model.predictions.iter().filter(|row| row.split == split).collect::<Vec<&Prediction>>()
        });
        let same =
            rows.len() == others.len() && rows.iter().zip(&others).all(|(a, b)| a.image_id == b.image_id);
        if self.name == other.name || rows.is_empty() || !same {
            return Ok(None);
        }
        let scores =
            [rows.as_slice(), &others].map(|rows| rows.iter().map(|row| row.score()).collect::<Vec<f64>>());
        let positive: Vec<bool> = rows.iter().map(|row| row.label == Label::Covid).collect();
        match delong_paired(&scores[0], &scores[1], &positive) {
            Err(metrics::Error::NoVariance) => Ok(None),
            other => other.map(Some).or_other(),
        }
    }

    /// For programs.
    pub(crate) fn to_json(&self, first: &Self) -> Result<Value> {
        let of = |split| -> Result<Value> {
            Ok(json!({"auroc": self.auroc(split), "less_first": self.test_against(first, split)?}))
        };
        Ok(json!({
            "model": self.name, "method": self.method, "seed": self.seed,
            "iid": of(Split::Test)?, "ood": of(Split::Ood)?, "average": self.value("average"),
        }))
    }
}

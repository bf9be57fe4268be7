//! Whether it is COVID-19: answers with a threshold chosen on validation images, and what they come to.

use std::{collections::BTreeMap, path::Path};

use cohort::{Evaluation, Findings};
use metrics::{
    Answers as Answered, Bootstrap, Performance, SetFigures, defined, delong, performance, youden,
};
use schema::{ImageRow, Prediction, Split, probability, scored, write_predictions};
use serde_json::{Value, json};
use stage::{Failure, Fallible, Result};
use tch::Tensor;

use crate::{
    answers::{Answers, Figures},
    cache::TestSet,
    condition::Condition,
    confound::one_by_one,
};

/// Answers of a model that can be asked whether it is COVID-19; of another there are none.
pub(crate) struct CovidAnswers<'a> {
    findings: &'a Findings,
    condition: Condition,
    of_splits: BTreeMap<Split, (&'a TestSet, Vec<Prediction>)>,
}

impl<'a> CovidAnswers<'a> {
    pub(crate) fn new(findings: &'a Findings, condition: Condition) -> Self {
        Self { findings, condition, of_splits: BTreeMap::new() }
    }
}

impl<'a> Answers<'a> for CovidAnswers<'a> {
    fn take(&mut self, split: Split, set: &'a TestSet, outputs: &Tensor) -> Result<()> {
        if self.findings.says_covid() {
            let rows = set.cohort.rows.iter().zip(nn::rows(outputs));
            let of_covid = |(row, logits): (&ImageRow, Vec<f32>)| {
                Some(Prediction::of(row, self.findings.of_covid(&logits)?))
            };
            let predictions = rows.map(of_covid).collect::<Option<_>>().expect("it says COVID-19");
            self.of_splits.insert(split, (set, predictions));
        }
        Ok(())
    }

    fn finish(&mut self, folder: &Path) -> Result<Figures> {
        let mut figures = Figures::new();
        let validation = self.of_splits.remove(&Split::Validation);
        let threshold = validation.and_then(|(_, rows)| threshold(&rows));
        figures.extend(threshold.map(|threshold| ("threshold".to_owned(), told(threshold))));
        for (split, (set, rows)) in &self.of_splits {
            let (scores, positive) = scored(rows);
            let auroc = delong(&scores, &positive)
                .map_err(|error| {
                    Failure::data(format!("{} images: {error}", split.name())).remedy(
                        "test on another data set alone: on=NAME; or ingest with another split_seed, or more patients",
                    )
                })?;
            figures.insert(split.name().to_owned(), json!(auroc));
            if self.condition == Condition::Clean {
                let more = SetFigures {
                    performance: measured(rows, threshold)?,
                    sources: one_by_one(&set.cohort, &scores),
                    source_confound: set.confound()?.clone(),
                };
                figures.insert(format!("{}_figures", split.name()), json!(more));
            }
        }
        let predictions: Vec<Prediction> =
            std::mem::take(&mut self.of_splits).into_values().flat_map(|(_, rows)| rows).collect();
        write_predictions(&folder.join(Evaluation::PREDICTIONS), &predictions).or_other()?;
        Ok(figures)
    }
}

/// The threshold of the largest sensitivity + specificity on validation images; none where they are of one class.
fn threshold(validation: &[Prediction]) -> Option<f64> {
    let (scores, positive) = scored(validation);
    Some(youden(&scores, &positive).ok()?.threshold)
}

/// A threshold of scores, for readers.
fn told(threshold: f64) -> Value {
    json!({
        "score": threshold,
        "probability": probability(threshold),
        "chosen": "largest sensitivity + specificity on the validation images",
    })
}

/// All figures with intervals; none where the patients are too few to be resampled.
fn measured(rows: &[Prediction], threshold: Option<f64>) -> Result<Option<Performance>> {
    let (scores, positive) = scored(rows);
    let probabilities: Vec<f64> = rows.iter().map(Prediction::probability).collect();
    let patients: Vec<&str> = rows.iter().map(|row| row.patient_key.as_str()).collect();
    let answers =
        Answered { scores: &scores, probabilities: &probabilities, positive: &positive, patients: &patients };
    defined(performance(&answers, threshold, Bootstrap::default())).or_other()
}

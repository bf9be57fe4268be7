//! Answers of a model that tells several classes or findings apart.

use std::path::Path;

use cohort::{Evaluation, Findings};
use metrics::{Bootstrap, Column, FindingFigure, FindingFigures, SeveralAuroc, columns, several_auroc};
use schema::{Answer, Asked, ImageRow, Split, probability, write_answers};
use serde_json::json;
use stage::{Fallible, Result};
use tch::Tensor;

use crate::{
    answers::{Answers, Figures},
    cache::TestSet,
};

/// Answers to each question, an image's after another's.
pub(crate) struct FindingAnswers<'a> {
    findings: &'a Findings,
    answers: Vec<Answer>,
    figures: Figures,
}

impl<'a> FindingAnswers<'a> {
    pub(crate) fn new(findings: &'a Findings) -> Self {
        Self { findings, answers: Vec::new(), figures: Figures::new() }
    }
}

impl<'a> Answers<'a> for FindingAnswers<'a> {
    fn take(&mut self, split: Split, set: &'a TestSet, outputs: &Tensor) -> Result<()> {
        if split != Split::Validation {
            let (rows, logits) = (&set.cohort.rows, nn::rows(outputs));
            let found = figures(self.findings, rows, &logits)?;
            self.figures.extend(found.map(|found| (format!("{}_findings", split.name()), json!(found))));
            self.answers.extend(answers(self.findings, rows, &logits));
        }
        Ok(())
    }

    fn finish(&mut self, folder: &Path) -> Result<Figures> {
        write_answers(&folder.join(Evaluation::ANSWERS), &self.answers).or_other()?;
        Ok(std::mem::take(&mut self.figures))
    }
}

/// Every answer of a model to these images, with logits of each.
fn answers(findings: &Findings, rows: &[ImageRow], logits: &[Vec<f32>]) -> Vec<Answer> {
    let of_image = |(row, logits): (&ImageRow, &Vec<f32>)| {
        let probabilities = findings.scores(logits).into_iter().map(probability);
        let asked = findings.of_logits.iter().zip(findings.hold(row)).zip(logits).zip(probabilities);
        asked
            .map(|(((finding, holds), logit), probability)| {
                Answer::of(row, &finding.name, holds, *logit, probability as f32)
            })
            .collect::<Vec<_>>()
    };
    rows.iter().zip(logits).flat_map(of_image).collect()
}

/// What the answers to the images of a set come to; `None` where no finding is both seen and not seen, or the patients are
/// too few to be resampled.
fn figures(findings: &Findings, rows: &[ImageRow], logits: &[Vec<f32>]) -> Result<Option<FindingFigures>> {
    let scores: Vec<Vec<f64>> = logits.iter().map(|logits| findings.scores(logits)).collect();
    let holds: Vec<Vec<bool>> = rows.iter().map(|row| findings.hold(row)).collect();
    let columns = columns(&scores, &holds, findings.told_apart());
    let patients: Vec<&str> = rows.iter().map(|row| row.patient_key.as_str()).collect();
    let SeveralAuroc { each, mean } = match several_auroc(&columns, &patients, Bootstrap::default()) {
        Err(metrics::Error::TooFew { .. } | metrics::Error::Undefined { .. }) => return Ok(None),
        found => found.or_other()?,
    };
    let of_column = |((place, column), auroc): ((usize, &Column), _)| FindingFigure {
        name: findings.of_logits[place].name.clone(),
        images: column.holds.iter().filter(|holds| **holds).count(),
        auroc,
    };
    let each = findings.told_apart().zip(&columns).zip(each).map(of_column).collect();
    let answered = (findings.asked == Asked::Classes).then(|| answered(&holds, &scores));
    Ok(Some(FindingFigures { each, mean, answered }))
}

/// For each class the images of it, by the class that the model takes them for.
fn answered(holds: &[Vec<bool>], scores: &[Vec<f64>]) -> Vec<Vec<u64>> {
    let classes = holds.first().map_or(0, Vec::len);
    let mut counts = vec![vec![0; classes]; classes];
    for (holds, scores) in holds.iter().zip(scores) {
        let taken_for = (0..classes).max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
        // An image of none of the classes stands in no row.
        if let (Some(class), Some(taken_for)) = (holds.iter().position(|holds| *holds), taken_for) {
            counts[class][taken_for] += 1;
        }
    }
    counts
}

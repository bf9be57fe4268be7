//! What a model says of its test sets, by what it was asked.

use std::path::Path;

use cohort::Findings;
use schema::{Asked, Split};
use serde_json::{Map, Value};
use stage::Result;
use tch::Tensor;

use crate::{
    boxes::BoxAnswers, cache::TestSet, condition::Condition, covid::CovidAnswers, findings::FindingAnswers,
};

/// Figures by name.
pub(crate) type Figures = Map<String, Value>;

/// Answers of one kind, gathered set by set.
pub(crate) trait Answers<'a> {
    /// Takes what the network put out for the images of a set.
    fn take(&mut self, split: Split, set: &'a TestSet, outputs: &Tensor) -> Result<()>;

    /// Writes the table of all answers, and gives what they come to.
    fn finish(&mut self, folder: &Path) -> Result<Figures>;
}

/// Every kind of answer of a model with these findings; each has a table of predictions, and be it empty.
pub(crate) fn of<'a>(findings: &'a Findings, condition: Condition) -> Vec<Box<dyn Answers<'a> + 'a>> {
    let covid = Box::new(CovidAnswers::new(findings, condition));
    match findings.asked {
        Asked::Covid => vec![covid],
        Asked::Classes | Asked::Labels => vec![covid, Box::new(FindingAnswers::new(findings))],
        Asked::Boxes => vec![covid, Box::new(BoxAnswers::default())],
    }
}

//! What a model tells apart.

use std::collections::{BTreeMap, BTreeSet};

use schema::{Asked, ImageRow, Label, Truth};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;

/// Findings that say of an image that there is nothing: no question of their own among several findings.
const NOTHING: [&str; 4] = ["no finding", "normal", "negative", "healthy"];
/// A table of more findings than this is no list of classes.
const MOST: usize = 200;

/// A class or finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// As the publisher's tables write it.
    pub name: String,
    /// Whether it means COVID-19; `None` where it says nothing of that.
    pub covid: Option<bool>,
}

/// The classes or findings of a model's logits, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// How it is asked.
    pub asked: Asked,
    /// One per logit.
    pub of_logits: Vec<Finding>,
}

impl Findings {
    /// COVID-19, or not: the logits of class 0 and class 1.
    pub fn covid() -> Self {
        let finding =
            |label: Label| Finding { name: label.name().to_owned(), covid: Some(label == Label::Covid) };
        Self { asked: Asked::Covid, of_logits: Label::ALL.map(finding).into() }
    }

    /// Those of training images, by name.
    ///
    /// # Errors
    /// There are too few to tell apart, or so many that they are no classes.
    pub fn of_images<'a>(asked: Asked, rows: impl IntoIterator<Item = &'a ImageRow>) -> Result<Self, Error> {
        match asked {
            Asked::Covid => return Ok(Self::covid()),
            Asked::Boxes => return Ok(Self { asked, of_logits: Vec::new() }),
            Asked::Classes | Asked::Labels => {}
        }
        let mut labels: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for row in rows {
            for name in names(asked, row) {
                labels.entry(name).or_default().insert(row.label.name());
            }
        }
        let least = if asked == Asked::Classes { 2 } else { 1 };
        if !(least..=MOST).contains(&labels.len()) {
            return Err(Error::Findings { found: labels.len(), least, most: MOST });
        }
        let finding = |(name, labels): (String, BTreeSet<&str>)| {
            // A class of which some images are COVID-19 and some are not says nothing of it.
            let sure = asked == Asked::Classes && labels.len() == 1;
            Finding { name, covid: sure.then(|| labels.contains(Label::Covid.name())) }
        };
        Ok(Self { asked, of_logits: labels.into_iter().map(finding).collect() })
    }

    /// Those that training wrote down; COVID-19 or not where it wrote none.
    pub(crate) fn of_training(training: &Value) -> Result<Self, serde_json::Error> {
        match training.get("findings") {
            None => Ok(Self::covid()),
            Some(findings) => serde_json::from_value(findings.clone()),
        }
    }

    /// Which of them hold of an image.
    pub fn hold(&self, row: &ImageRow) -> Vec<bool> {
        if self.asked == Asked::Covid {
            return self
                .of_logits
                .iter()
                .map(|finding| finding.covid == Some(row.label == Label::Covid))
                .collect();
        }
        let names: BTreeSet<String> = names(self.asked, row).collect();
        self.of_logits.iter().map(|finding| names.contains(&finding.name)).collect()
    }

    /// What is so of these images: which of them hold, or where they are.
    pub fn truth(&self, rows: &[ImageRow]) -> Truth {
        match self.asked {
            Asked::Boxes => Truth::Boxes(rows.iter().map(|row| row.boxes.clone()).collect()),
            _ => Truth::Findings(rows.iter().map(|row| self.hold(row)).collect()),
        }
    }

    /// The place of the class or finding of this name.
    ///
    /// # Errors
    /// There is none; the error lists those there are.
    pub fn place(&self, name: &str) -> Result<usize, Error> {
        let names = || self.of_logits.iter().map(|finding| finding.name.as_str());
        names().position(|known| known == name).ok_or_else(|| Error::NoSuchFinding {
            name: name.to_owned(),
            known: names().collect::<Vec<_>>().join(", "),
        })
    }

    /// Those whose answers say something of their own: of two classes the one is the other's contrary.
    pub fn told_apart(&self) -> impl Iterator<Item = usize> + use<> {
        let contrary = self.asked != Asked::Labels && self.of_logits.len() == 2;
        usize::from(contrary)..self.of_logits.len()
    }

    /// How much an image's logits speak for each finding: the logarithm of its odds.
    pub fn scores(&self, logits: &[f32]) -> Vec<f64> {
        let logits: Vec<f64> = logits.iter().map(|logit| f64::from(*logit)).collect();
        match self.asked {
            Asked::Labels | Asked::Boxes => logits,
            Asked::Covid | Asked::Classes => (0..logits.len())
                .map(|class| {
                    let others = logits.iter().enumerate().filter(|(other, _)| *other != class);
                    logits[class] - log_sum_exp(others.map(|(_, logit)| *logit))
                })
                .collect(),
        }
    }

    /// The logits of "no COVID-19" and "COVID-19", where every class says which of them it means.
    pub fn of_covid(&self, logits: &[f32]) -> Option<[f32; 2]> {
        if self.asked == Asked::Covid {
            return logits.try_into().ok();
        }
        let side = |covid: bool| {
            let classes = self.of_logits.iter().zip(logits);
            let classes = classes.filter(move |(finding, _)| finding.covid == Some(covid));
            log_sum_exp(classes.map(|(_, logit)| f64::from(*logit))) as f32
        };
        self.says_covid().then(|| [side(false), side(true)])
    }

    /// Whether the answers say if it is COVID-19.
    pub fn says_covid(&self) -> bool {
        let some = |covid| self.of_logits.iter().any(|finding| finding.covid == Some(covid));
        some(false) && some(true) && self.of_logits.iter().all(|finding| finding.covid.is_some())
    }
}

/// The names of what an image shows.
fn names(asked: Asked, row: &ImageRow) -> impl Iterator<Item = String> + use<> {
    let finding = match row.finding.as_str() {
        "" if asked == Asked::Classes => row.label.name(), // to several findings at once, none is an answer
        finding => finding,
    };
    let names: Vec<String> = match asked {
        Asked::Labels => finding
            .split('|')
            .map(str::trim)
            .filter(|name| !name.is_empty() && !NOTHING.contains(&name.to_lowercase().as_str()))
            .map(str::to_owned)
            .collect(),
        _ => vec![finding.to_owned()],
    };
    names.into_iter()
}

fn log_sum_exp(logits: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = logits.clone().fold(f64::NEG_INFINITY, f64::max);
    largest + logits.map(|logit| (logit - largest).exp()).sum::<f64>().ln()
}

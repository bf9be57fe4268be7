//! What a model is asked of images, and what is so of them.

use serde::{Deserialize, Serialize};

use crate::FractionBox;

/// How a model is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Asked {
    /// COVID-19, or not.
    Covid,
    /// Which one of several classes.
    Classes,
    /// Which of several findings, each by itself.
    Labels,
    /// Where the findings are: no logits of images, but boxes.
    Boxes,
}

/// What is so of each of several images.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// Which of the classes or findings hold.
    Findings(Vec<Vec<bool>>),
    /// Where they are: radiologists' boxes.
    Boxes(Vec<Vec<FractionBox>>),
}

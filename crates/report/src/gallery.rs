//! The heat maps, with what the page filters and orders them by.

use schema::Label;
use serde::Serialize;

use crate::GalleryRow;

/// A row of the gallery.
#[derive(Serialize)]
pub(crate) struct Picture<'a> {
    pub(crate) row: &'a GalleryRow,
    pub(crate) answers: Answers,
    /// Largest less smallest probability among the models.
    pub(crate) disagreement: f64,
}

/// How the models answer, at a probability of 0.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answers {
    /// All are right.
    Right,
    /// All are wrong.
    Wrong,
    /// Some are right.
    Mixed,
}

pub(crate) fn gallery(rows: &[GalleryRow]) -> Vec<Picture<'_>> {
    rows.iter()
        .map(|row| {
            let scores = || row.overlays.iter().map(|overlay| overlay.score);
            let right =
                scores().filter(|score| (*score >= 0.5) == (row.radiograph.label == Label::Covid)).count();
            let (low, high) =
                scores().fold((1.0_f64, 0.0_f64), |(low, high), score| (low.min(score), high.max(score)));
            let answers = match right {
                0 => Answers::Wrong,
                all if all == row.overlays.len() => Answers::Right,
                _ => Answers::Mixed,
            };
            Picture { row, answers, disagreement: (high - low).max(0.0) }
        })
        .collect()
}

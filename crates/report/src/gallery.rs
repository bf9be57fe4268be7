//! The heat maps, with what the page filters and orders them by.

use schema::Label;
use serde::Serialize;

use crate::{Gallery, GalleryRow};

/// The images with maps of one class or finding.
#[derive(Serialize)]
pub(crate) struct GalleryView<'a> {
    /// What the names of its files end in, as `.effusion`.
    pub(crate) suffix: &'a str,
    pub(crate) maps: &'a str,
    /// What is explained, and its absence, as headings of images.
    pub(crate) present: String,
    pub(crate) absent: String,
    pub(crate) pictures: Vec<Picture<'a>>,
}

/// A row of a gallery.
#[derive(Serialize)]
pub(crate) struct Picture<'a> {
    pub(crate) row: &'a GalleryRow,
    /// Whether the image shows what is explained.
    pub(crate) shows: bool,
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

impl<'a> GalleryView<'a> {
    pub(crate) fn of(suffix: &'a str, gallery: &'a Gallery) -> Self {
        let (present, absent) = match &gallery.finding {
            Some(finding) => (finding.clone(), format!("No {finding}")),
            None => ("COVID-19".to_owned(), "Negative".to_owned()),
        };
        let pictures = gallery.rows.iter().map(Picture::of).collect();
        Self { suffix, maps: &gallery.maps, present, absent, pictures }
    }
}

impl<'a> Picture<'a> {
    fn of(row: &'a GalleryRow) -> Self {
        let shows = row.shows.unwrap_or(row.radiograph.label == Label::Covid);
        let scores = || row.overlays.iter().map(|overlay| overlay.score);
        let right = scores().filter(|score| (*score >= 0.5) == shows).count();
        let (low, high) =
            scores().fold((1.0_f64, 0.0_f64), |(low, high), score| (low.min(score), high.max(score)));
        let answers = match right {
            0 => Answers::Wrong,
            all if all == row.overlays.len() => Answers::Right,
            _ => Answers::Mixed,
        };
        Self { row, shows, answers, disagreement: (high - low).max(0.0) }
    }
}

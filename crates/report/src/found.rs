//! Boxes that detectors found, on the images beside the radiologists' boxes.

use metrics::Detections;
use minijinja::{Environment, context};
use schema::{FractionBox, Label, Split};
use serde::{Deserialize, Serialize};

use crate::{Error, Png, figure, overlay};

/// Images with the boxes that detectors found in them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BoxGallery {
    /// The least score of a box that is drawn.
    pub least: f64,
    /// The seed by which the images were chosen.
    pub seed: u64,
    /// The images.
    pub rows: Vec<BoxRow>,
}

/// An image with the boxes of radiologists and of each detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoxRow {
    /// The image's key.
    pub image: String,
    /// The set it belongs to.
    pub split: Split,
    /// Its class.
    pub label: Label,
    /// The image without any box.
    pub picture: Png,
    /// The radiologists' boxes.
    pub drawn: Vec<FractionBox>,
    /// One per detector.
    pub found: Vec<DetectorBoxes>,
}

/// The boxes that a detector found in an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectorBoxes {
    /// The detector's name.
    pub model: String,
    /// Each box with its score, the surest first.
    pub boxes: Vec<(FractionBox, f64)>,
}

/// Side of a panel, in the units of its SVG.
const SIDE: f32 = 192.0;

/// How lines are told apart: by colour, also for colour-blind readers, and by dashes.
#[derive(Serialize)]
pub(crate) struct Lines {
    drawn: String,
    found: String,
}

impl Lines {
    pub(crate) fn new() -> Self {
        Self { drawn: figure::css(overlay::box_colour()), found: figure::css(figure::FOUND) }
    }
}

/// An image in a row of panels, as templates see it.
#[derive(Serialize)]
pub(crate) struct Film<'a> {
    row: &'a BoxRow,
    /// The radiologists' boxes alone, as parts of an SVG.
    plain: String,
    panels: Vec<Panel<'a>>,
}

/// An image with the boxes of a detector.
#[derive(Serialize)]
struct Panel<'a> {
    model: &'a str,
    /// The boxes over the image, as parts of an SVG.
    svg: String,
    scores: Vec<String>,
    /// Boxes that overlap a radiologist's by one half that no surer one does.
    right: usize,
}

/// The images of the sets that `of` takes.
pub(crate) fn films<'a>(gallery: &'a BoxGallery, of: impl Fn(Split) -> bool) -> Result<Vec<Film<'a>>, Error> {
    let mut environment = Environment::new();
    environment.add_template("panel", include_str!("../templates/panel.svg"))?;
    let lines = Lines::new();
    let svg = |drawn: &[FractionBox], found: &[(FractionBox, f64)]| {
        let drawn: Vec<Outline> = drawn.iter().map(|area| Outline::of(area, None)).collect();
        let found: Vec<Outline> = found.iter().map(|(area, score)| Outline::of(area, Some(*score))).collect();
        environment.get_template("panel")?.render(context!(lines, drawn, found))
    };
    let panel = |row: &BoxRow, found: &'a DetectorBoxes| {
        let matched = Detections::coco(&found.boxes, &row.drawn, 0.5).drawn;
        Ok(Panel {
            model: &found.model,
            svg: svg(&row.drawn, &found.boxes)?,
            scores: matched.iter().map(|(score, _)| written(*score)).collect(),
            right: matched.iter().filter(|(_, right)| *right).count(),
        })
    };
    let rows = gallery.rows.iter().filter(|row| of(row.split));
    rows.map(|row| {
        let panels = row.found.iter().map(|found| panel(row, found));
        Ok(Film { row, plain: svg(&row.drawn, &[])?, panels: panels.collect::<Result<_, Error>>()? })
    })
    .collect()
}

/// A box in the units of a panel.
#[derive(Serialize)]
struct Outline {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
    score: Option<String>,
    /// Where the score stands: above the box, or in it where there is no room, and never cut at the right.
    text: (f32, f32),
}

impl Outline {
    fn of(area: &FractionBox, score: Option<f64>) -> Self {
        const LINE: f32 = 15.0;
        const WIDTH: f32 = 32.0;
        let inside = |fraction: f32| (fraction * SIDE).clamp(1.0, SIDE - 1.0);
        let (x, y) = (inside(area.x), inside(area.y));
        let (right, bottom) = (inside(area.x + area.width), inside(area.y + area.height));
        let text = (x.min(SIDE - WIDTH), if y > LINE { y - 4.0 } else { y + LINE - 1.0 });
        Self { x, y, width: right - x, height: bottom - y, score: score.map(written), text }
    }
}

fn written(score: f64) -> String {
    format!("{score:.2}")
}

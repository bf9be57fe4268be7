//! Boxes that detectors found, on the images beside the radiologists' boxes.

use metrics::Detections;
use minijinja::{Environment, context};
use schema::FractionBox;
use serde::{Deserialize, Serialize};

use crate::{Error, Radiograph, figure, overlay};

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
    /// The image, its picture without any box.
    #[serde(flatten)]
    pub radiograph: Radiograph,
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

/// How boxes are outlined: told apart by colour, also for colour-blind readers, and by dashes.
#[derive(Serialize)]
pub(crate) struct Line {
    colour: String,
    /// Empty for a solid line.
    dashes: &'static str,
}

impl Line {
    fn drawn() -> Self {
        Self { colour: figure::css(overlay::box_colour()), dashes: "6 4" }
    }

    fn found() -> Self {
        Self { colour: figure::css(figure::FOUND), dashes: "" }
    }
}

/// The lines and what they mean; `found` says which boxes found are drawn.
pub(crate) fn legend(found: &str) -> [(Line, String); 2] {
    [(Line::drawn(), "radiologists’ boxes".to_owned()), (Line::found(), found.to_owned())]
}

/// An image in a row of panels, as templates see it.
#[derive(Serialize)]
pub(crate) struct Film<'a> {
    pub(crate) row: &'a BoxRow,
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

/// The images as rows of panels.
pub(crate) fn films<'a>(gallery: &'a BoxGallery) -> Result<Vec<Film<'a>>, Error> {
    let mut environment = Environment::new();
    environment.add_template("panel", include_str!("../templates/panel.svg"))?;
    let (of_drawn, of_found) = (Line::drawn(), Line::found());
    let svg = |drawn: &[FractionBox], found: &[(FractionBox, f64)]| {
        let drawn: Vec<Outline> = drawn.iter().map(|area| Outline::of(area, None)).collect();
        let found: Vec<Outline> = found.iter().map(|(area, score)| Outline::of(area, Some(*score))).collect();
        environment.get_template("panel")?.render(context!(drawn, of_drawn, found, of_found))
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
    let film = |row: &'a BoxRow| {
        let panels = row.found.iter().map(|found| panel(row, found));
        Ok(Film { row, plain: svg(&row.drawn, &[])?, panels: panels.collect::<Result<_, Error>>()? })
    };
    gallery.rows.iter().map(film).collect()
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

//! A model that finds boxes, on its test sets.

use std::path::Path;

use cohort::Evaluation;
use metrics::{Bootstrap, BoxFigures, ImageBoxes, box_figures};
use schema::{FoundBox, ImageRow, Split, write_found_boxes};
use serde_json::json;
use stage::{Fallible, Result};
use tch::Tensor;

use crate::{
    answers::{Answers, Figures},
    cache::TestSet,
};

/// The boxes found, an image's after another's.
#[derive(Default)]
pub(crate) struct BoxAnswers {
    found: Vec<FoundBox>,
    figures: Figures,
}

impl<'a> Answers<'a> for BoxAnswers {
    fn take(&mut self, split: Split, set: &'a TestSet, outputs: &Tensor) -> Result<()> {
        let (found, figures) = measured(&set.cohort.rows, outputs)?;
        self.found.extend(found);
        self.figures.extend(figures.map(|figures| (format!("{}_boxes", split.name()), json!(figures))));
        Ok(())
    }

    fn finish(&mut self, folder: &Path) -> Result<Figures> {
        write_found_boxes(&folder.join(Evaluation::BOXES), &self.found).or_other()?;
        Ok(std::mem::take(&mut self.figures))
    }
}

/// The boxes found in these images, by the network's outputs, and what they come to; no figures where radiologists drew no
/// box, or the patients are too few to be resampled.
fn measured(rows: &[ImageRow], outputs: &Tensor) -> Result<(Vec<FoundBox>, Option<BoxFigures>)> {
    let found = nn::guarded(|| detection::found(outputs)).or_other()?;
    let of_image = |(row, found): (&ImageRow, &Vec<detection::Found>)| ImageBoxes {
        found: found.iter().map(|one| (one.area, one.score)).collect(),
        truth: row.boxes.clone(),
    };
    let images: Vec<ImageBoxes> = rows.iter().zip(&found).map(of_image).collect();
    let patients: Vec<&str> = rows.iter().map(|row| row.patient_key.as_str()).collect();
    let figures = box_figures(&images, &patients, Bootstrap::default()).or_other()?;
    let of_row = |(row, found): (&ImageRow, Vec<detection::Found>)| {
        found.into_iter().map(|one| FoundBox::of(row, one.area, one.score as f32)).collect::<Vec<_>>()
    };
    Ok((rows.iter().zip(found).flat_map(of_row).collect(), figures))
}

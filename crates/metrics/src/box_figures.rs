//! How well a detector finds boxes, as COCO counts it (Lin et al. 2014).

use schema::FractionBox;
use serde::{Deserialize, Serialize};

use crate::compared::estimate;
use crate::{Bootstrap, BoxRanking, Detections, Error, Estimate, Figure, error::same_length};

/// The boxes of an image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageBoxes {
    /// Those that a detector found, each with how sure it is.
    pub found: Vec<(FractionBox, f64)>,
    /// Those of radiologists.
    pub truth: Vec<FractionBox>,
}

/// How well a detector finds the boxes of a set of images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoxFigures {
    /// Images.
    pub images: usize,
    /// Images of which radiologists drew boxes; in the others every box found is wrong.
    pub with_boxes: usize,
    /// Radiologists' boxes.
    pub boxes: usize,
    /// Average precision at an overlap of 0.5, with its 95 % interval over resampled patients: mAP@0.5 of the one kind of
    /// finding that there is.
    pub precision_at_half: Estimate,
    /// The mean of the average precisions at overlaps of 0.5, 0.55, …, 0.95: COCO's mAP.
    pub precision: Estimate,
    /// The share of radiologists' boxes that some box found overlaps by 0.5 at least.
    pub recall_at_half: f64,
}

/// The overlaps at which COCO looks.
fn overlaps() -> [f64; 10] {
    std::array::from_fn(|step| 0.5 + 0.05 * step as f64)
}

/// The average precision at this overlap; `None` where radiologists drew no box.
pub fn box_precision(images: &[ImageBoxes], overlap: f64) -> Option<f64> {
    ranking(images, overlap).interpolated_precision(&vec![1; images.len()])
}

fn ranking(images: &[ImageBoxes], overlap: f64) -> BoxRanking {
    let matched = images.iter().map(|image| Detections::coco(&image.found, &image.truth, overlap));
    BoxRanking::new(&matched.collect::<Vec<_>>())
}

/// All figures, with intervals over resampled patients, of which `patients` names that of each image; `None` where
/// radiologists drew no box, or the patients are too few to be resampled.
pub fn box_figures<P: Ord>(
    images: &[ImageBoxes],
    patients: &[P],
    bootstrap: Bootstrap,
) -> Result<Option<BoxFigures>, Error> {
    same_length("patients", patients.len(), "images", images.len())?;
    let rankings = overlaps().map(|overlap| ranking(images, overlap));
    let at_half = |counts: &[u32]| rankings[0].interpolated_precision(counts);
    let mean = |counts: &[u32]| {
        let all: Option<Vec<f64>> = rankings.iter().map(|one| one.interpolated_precision(counts)).collect();
        all.map(|all| all.iter().sum::<f64>() / all.len() as f64)
    };
    let estimate = |figure: Figure<'_>| estimate(figure, patients, bootstrap);
    let (Some(precision_at_half), Some(precision)) = (estimate(&at_half)?, estimate(&mean)?) else {
        return Ok(None);
    };
    let boxes = images.iter().map(|image| image.truth.len()).sum();
    let found = images.iter().flat_map(|image| Detections::coco(&image.found, &image.truth, 0.5).overlaps);
    Ok(Some(BoxFigures {
        images: images.len(),
        with_boxes: images.iter().filter(|image| !image.truth.is_empty()).count(),
        boxes,
        precision_at_half,
        precision,
        recall_at_half: found.filter(|overlap| *overlap >= 0.5).count() as f64 / boxes as f64,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f64) -> FractionBox {
        FractionBox::from_edges(x, 0.2, x + 0.2, 0.4).unwrap()
    }

    #[test]
    fn a_set_by_hand() {
        // Found exactly; found by 0.17/0.23 = 0.74, five of the ten overlaps; a false alarm, the surest of all.
        let images = [
            ImageBoxes { found: vec![(at(0.1), 0.8)], truth: vec![at(0.1)] },
            ImageBoxes { found: vec![(at(0.53), 0.7)], truth: vec![at(0.5)] },
            ImageBoxes { found: vec![(at(0.3), 0.9)], truth: vec![] },
        ];
        let figures = box_figures(&images, &[1, 2, 3], Bootstrap::default()).unwrap().unwrap();
        let half = 2.0 / 3.0;
        assert!((figures.precision_at_half.value - half).abs() < 1e-12, "{figures:?}");
        assert_eq!(box_precision(&images, 0.5), Some(figures.precision_at_half.value));
        // Where the second is not found: precision 1/2 at the recalls 0 to 0.5.
        let mean = f64::midpoint(half, 0.5 * 51.0 / 101.0);
        assert!((figures.precision.value - mean).abs() < 1e-12, "{figures:?}");
        assert_eq!((figures.images, figures.with_boxes, figures.boxes), (3, 2, 2));
        assert!(figures.recall_at_half > 0.999);
        let Estimate { low, high, .. } = figures.precision_at_half;
        assert!(low < half && high > 0.999, "{low} {high}");
    }

    #[test]
    fn without_boxes_there_is_no_figure() {
        let none = [ImageBoxes { found: vec![(at(0.3), 0.9)], truth: vec![] }];
        assert_eq!(box_precision(&none, 0.5), None);
        assert_eq!(box_figures(&none, &[1], Bootstrap::default()), Ok(None));
    }
}

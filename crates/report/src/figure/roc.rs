use metrics::{Interval, RocBandPoint, RocPoint};
use plotters::prelude::*;

use super::{band, unit_square};
use crate::Error;

/// A ROC curve and the band around it.
pub(crate) struct RocLine<'a> {
    pub(crate) colour: RGBColor,
    pub(crate) curve: &'a [RocPoint],
    /// Empty where none is drawn.
    pub(crate) band: &'a [RocBandPoint],
}

/// ROC curves on a square, with the diagonal of chance. The last curve lies on top.
pub(crate) fn roc(lines: &[RocLine]) -> Result<String, Error> {
    unit_square("ROC curves", ["1 − specificity", "Sensitivity"], |chart| {
        for line in lines {
            let place = |point: &RocBandPoint| (point.false_positive_rate, point.true_positive_rate);
            let places: Vec<(f64, Interval)> = line.band.iter().map(place).collect();
            chart.draw_series([band(line.colour, &places)])?;
        }
        for line in lines {
            let points = line.curve.iter().map(|point| (point.false_positive_rate, point.true_positive_rate));
            chart.draw_series(LineSeries::new(points, line.colour.stroke_width(2)))?;
        }
        Ok(())
    })
}

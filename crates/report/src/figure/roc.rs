use metrics::RocPoint;
use plotters::prelude::*;

use super::unit_square;
use crate::Error;

/// ROC curves on a square, with the diagonal of chance. The last curve lies on top.
pub(crate) fn roc(curves: &[(RGBColor, &[RocPoint])]) -> Result<String, Error> {
    unit_square("ROC curves", ["1 − specificity", "Sensitivity"], |chart| {
        for (colour, curve) in curves {
            let points = curve.iter().map(|point| (point.false_positive_rate, point.true_positive_rate));
            chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
        }
        Ok(())
    })
}

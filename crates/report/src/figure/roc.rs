use metrics::RocPoint;
use plotters::prelude::*;

use super::{Axes, CHANCE, SQUARE, svg};
use crate::Error;

/// ROC curves on a square, with the diagonal of chance. The last curve lies on top.
pub(crate) fn roc(curves: &[(RGBColor, &[RocPoint])]) -> Result<String, Error> {
    svg("ROC curves", SQUARE, |area| {
        let axes = Axes {
            x: 0.0..1.0,
            y: 0.0..1.0,
            x_title: "1 − specificity",
            y_title: "Sensitivity",
            ticks: 6,
            x_label: |value| format!("{value:.1}"),
        };
        let mut chart = axes.draw(area)?;
        chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], CHANCE.stroke_width(1)))?;
        for (colour, curve) in curves {
            let points = curve.iter().map(|point| (point.false_positive_rate, point.true_positive_rate));
            chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
        }
        Ok(())
    })
}

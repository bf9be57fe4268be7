use metrics::ReliabilityBin;
use plotters::prelude::*;

use super::unit_square;
use crate::Error;

/// Share of positives by predicted probability, with the diagonal of probabilities that come true. The area of a dot grows
/// with the images behind it.
pub(crate) fn reliability(curves: &[(RGBColor, &[ReliabilityBin])]) -> Result<String, Error> {
    /// Radius of a dot that stands for all images.
    const WHOLE: f64 = 14.0;
    unit_square("reliability", ["Predicted probability of COVID-19", "Share of COVID-19"], |chart| {
        for (colour, bins) in curves {
            let points = || bins.iter().map(|bin| (bin.mean_probability, bin.positive_share));
            let images: usize = bins.iter().map(|bin| bin.images).sum();
            chart.draw_series(LineSeries::new(points(), colour.stroke_width(2)))?;
            chart.draw_series(points().zip(*bins).map(|(point, bin)| {
                let radius = WHOLE * (bin.images as f64 / images as f64).sqrt();
                Circle::new(point, radius.max(1.5).round() as i32, colour.filled())
            }))?;
        }
        Ok(())
    })
}

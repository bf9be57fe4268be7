use metrics::Reliability;
use plotters::prelude::*;

use super::{band, unit_square};
use crate::Error;

/// A reliability curve.
pub(crate) struct ReliabilityLine<'a> {
    pub(crate) colour: RGBColor,
    pub(crate) bins: &'a [Reliability],
    /// Whether its intervals are drawn.
    pub(crate) banded: bool,
}

/// Share of positives by predicted probability, with the diagonal of probabilities that come true. The area of a dot grows
/// with the images behind it.
pub(crate) fn reliability(lines: &[ReliabilityLine]) -> Result<String, Error> {
    /// Radius of a dot that stands for all images.
    const WHOLE: f64 = 14.0;
    unit_square("reliability", ["Predicted probability of COVID-19", "Share of COVID-19"], |chart| {
        for ReliabilityLine { colour, bins, .. } in lines.iter().filter(|line| line.banded) {
            let place = |bin: &Reliability| Some((bin.mean_probability, bin.interval?));
            chart.draw_series([band(*colour, &bins.iter().filter_map(place).collect::<Vec<_>>())])?;
        }
        for ReliabilityLine { colour, bins, .. } in lines {
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

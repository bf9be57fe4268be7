use metrics::Interval;
use plotters::prelude::*;

use super::{Axes, CHANCE, WIDE, band, svg};
use crate::Error;

/// AUROC by rising strength.
pub(crate) struct SeverityLine {
    pub(crate) colour: RGBColor,
    /// Strength, AUROC and the band around it.
    pub(crate) points: Vec<(f64, f64, Option<Interval>)>,
}

/// AUROC against the strength of a change of the images, with bands and the line of chance. `bottom` is the lower end of
/// the AUROC axis, the same for all figures of a page.
pub(crate) fn severity(lines: &[SeverityLine], strength: &'static str, bottom: f64) -> Result<String, Error> {
    let most = lines.iter().flat_map(|line| &line.points).map(|point| point.0).fold(0.0, f64::max);
    svg("AUROC by strength", WIDE, |area| {
        let axes = Axes {
            x: 0.0..most,
            y: bottom..1.0,
            x_title: strength,
            y_title: "AUROC",
            ticks: 5,
            x_label: &|value| format!("{value:.3}").trim_end_matches('0').trim_end_matches('.').to_owned(),
        };
        let mut chart = axes.draw(area)?;
        chart.draw_series(LineSeries::new([(0.0, 0.5), (most, 0.5)], CHANCE.stroke_width(1)))?;
        for SeverityLine { colour, points } in lines {
            let shown = |end: f64| end.clamp(bottom, 1.0);
            let place = |&(x, _, interval): &(f64, f64, Option<Interval>)| {
                let Interval { low, high } = interval?;
                Some((x, Interval { low: shown(low), high: shown(high) }))
            };
            chart.draw_series([band(*colour, &points.iter().filter_map(place).collect::<Vec<_>>())])?;
        }
        for SeverityLine { colour, points } in lines {
            let line = || points.iter().map(|&(x, y, _)| (x, y));
            chart.draw_series(LineSeries::new(line(), colour.stroke_width(2)))?;
            chart.draw_series(line().map(|point| Circle::new(point, 3, colour.filled())))?;
        }
        Ok(())
    })
}

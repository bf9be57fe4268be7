use plotters::prelude::*;

use super::{Axes, DIVERGENCE, LOSS, VALIDATION, svg};
use crate::{Epoch, Error};

/// Loss above, validation AUROC below, by epoch; the chosen epoch is ringed. `loss_top` is the upper end of the loss
/// axis and `auroc_bottom` the lower end of the AUROC axis, the same for all models of a page.
pub(crate) fn training(
    epochs: &[Epoch],
    best_epoch: usize,
    loss_top: f64,
    auroc_bottom: f64,
) -> Result<String, Error> {
    let points = |value: &dyn Fn(&Epoch) -> Option<f64>| -> Vec<(f64, f64)> {
        let values = epochs.iter().map(|epoch| value(epoch).filter(|value| value.is_finite()));
        values.zip(1..).filter_map(|(value, epoch)| Some((f64::from(epoch), value?))).collect()
    };
    svg("training", (400, 430), |area| {
        let (above, below) = area.split_vertically(205);
        let x = 0.5..epochs.len() as f64 + 0.5;
        let ticks = epochs.len().min(9);
        let x_label = |epoch: &f64| if epoch.fract() == 0.0 { epoch.to_string() } else { String::new() };
        let axes = Axes {
            x: x.clone(),
            y: 0.0..loss_top,
            x_title: "",
            y_title: "Training loss",
            ticks,
            x_label: &x_label,
        };
        let mut chart = axes.draw(&above)?;
        for (colour, line) in [
            (LOSS, points(&|epoch| Some(epoch.cross_entropy))),
            (DIVERGENCE, points(&|epoch| epoch.divergence)),
        ] {
            chart.draw_series(LineSeries::new(line.clone(), colour.stroke_width(2)))?;
            chart.draw_series(line.into_iter().map(|point| Circle::new(point, 2, colour.filled())))?;
        }
        let axes = Axes {
            x,
            y: auroc_bottom..1.0,
            x_title: "Epoch",
            y_title: "Validation AUROC",
            ticks,
            x_label: &x_label,
        };
        let mut chart = axes.draw(&below)?;
        let line = points(&|epoch| Some(epoch.validation));
        let best = line.iter().find(|point| point.0.round() as usize == best_epoch).copied();
        chart.draw_series(LineSeries::new(line.clone(), VALIDATION.stroke_width(2)))?;
        chart.draw_series(line.into_iter().map(|point| Circle::new(point, 2, VALIDATION.filled())))?;
        chart.draw_series(best.map(|point| Circle::new(point, 6, DIVERGENCE.stroke_width(2))))?;
        Ok(())
    })
}

use plotters::prelude::*;

use super::{Axes, CHANCE, IID, LOW, OOD, PAPER, svg, twentieths};
use crate::Error;

/// IID and OOD.
type Both = (f64, f64);

fn iid(both: &Both) -> f64 {
    both.0
}

fn ood(both: &Both) -> f64 {
    both.1
}

/// A line of one of the paper's tables.
pub(crate) struct BesideLine {
    pub(crate) label: &'static str,
    /// IID and OOD of each training.
    pub(crate) trained: Vec<Both>,
    /// What the paper prints.
    pub(crate) printed: Option<Both>,
}

/// For each line the AUROC of every training, IID left and OOD right, its mean as a bar, and the paper's as a cross.
pub(crate) fn beside(lines: &[BesideLine], x_title: &'static str) -> Result<String, Error> {
    const APART: f64 = 0.17; // IID and OOD from the middle of their line
    const HALF_BAR: f64 = 0.1;
    let values = lines.iter().flat_map(|line| line.trained.iter().chain(&line.printed));
    let y = twentieths(values.flat_map(|(iid, ood)| [*iid, *ood]));
    let label = |x: &f64| {
        let line = if x.fract() == 0.0 && *x >= 0.0 { lines.get(*x as usize) } else { None };
        line.map_or_else(String::new, |line| line.label.to_owned())
    };
    svg("beside the paper", LOW, |area| {
        let x = -0.5..lines.len() as f64 - 0.5;
        let axes = Axes { x, y, x_title, y_title: "AUROC", ticks: lines.len() + 1, x_label: &label };
        let mut chart = axes.draw(area)?;
        for (middle, BesideLine { trained, printed, .. }) in (0..).map(f64::from).zip(lines) {
            let [iid_at, ood_at] = [middle - APART, middle + APART];
            for &(iid, ood) in trained {
                chart.draw_series(LineSeries::new(
                    [(iid_at, iid), (ood_at, ood)],
                    CHANCE.mix(0.6).stroke_width(1),
                ))?;
            }
            for (at, colour, of) in [(iid_at, IID, iid as fn(&Both) -> f64), (ood_at, OOD, ood)] {
                let points = trained.iter().map(|both| (at, of(both)));
                chart.draw_series(points.map(|point| Circle::new(point, 4, colour.mix(0.7).filled())))?;
                if !trained.is_empty() {
                    let mean = trained.iter().map(of).sum::<f64>() / trained.len() as f64;
                    let bar = [(at - HALF_BAR, mean), (at + HALF_BAR, mean)];
                    chart.draw_series(LineSeries::new(bar, colour.stroke_width(3)))?;
                }
                chart.draw_series(
                    printed.iter().map(|both| Cross::new((at, of(both)), 5, PAPER.stroke_width(2))),
                )?;
            }
        }
        Ok(())
    })
}

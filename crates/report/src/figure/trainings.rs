use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{AXIS, BOTTOM, CHANCE, GRID, IID, MARGIN, OOD, TEXT, svg, twentieths};
use crate::Error;

/// A setting, and what its trainings reach.
pub(crate) struct TrainedLine {
    pub(crate) label: String,
    pub(crate) iid: Vec<f64>,
    pub(crate) ood: Vec<f64>,
}

const WIDTH: u32 = 640;
const ROW: u32 = 40;

/// Width and height of a figure of so many lines.
pub(crate) fn size(lines: usize) -> (u32, u32) {
    (WIDTH, ROW * lines as u32 + BOTTOM + MARGIN)
}

/// For each line, under its name, the AUROC of every training and their means as bars; chance is a darker line.
pub(crate) fn trainings(lines: &[TrainedLine]) -> Result<String, Error> {
    // From the top of a line, in lines.
    const NAME: f64 = 0.36;
    const DOTS: f64 = 0.7;
    const HALF_BAR: f64 = 0.2;
    const GAP: f64 = 0.06;
    const LABELS: usize = 10;
    let x = twentieths(lines.iter().flat_map(|line| line.iid.iter().chain(&line.ood)).copied());
    let (left, right, top) = (x.start, x.end, lines.len() as f64);
    svg("AUROC of each training", size(lines.len()), |area| {
        let ticks = RangedCoordf64::from(x.clone()).key_points(LABELS);
        let mut chart = ChartBuilder::on(area)
            .margin(MARGIN)
            .margin_bottom(0)
            .x_label_area_size(BOTTOM)
            .build_cartesian_2d(x, 0.0..top)?;
        chart
            .configure_mesh()
            .disable_mesh()
            .disable_y_axis()
            .x_desc("AUROC")
            .x_labels(LABELS)
            .x_label_formatter(&|value| format!("{value:.2}"))
            .axis_style(AXIS)
            .label_style(("sans-serif", TEXT))
            .draw()?;
        let name = ("sans-serif", TEXT).into_text_style(area).pos(Pos::new(HPos::Left, VPos::Bottom));
        for (line, start) in lines.iter().zip((0..).map(|number| top - f64::from(number))) {
            chart.draw_series(LineSeries::new([(left, start), (right, start)], GRID.stroke_width(1)))?;
            chart.draw_series([Text::new(line.label.clone(), (left, start - NAME), name.clone())])?;
            let middle = start - DOTS;
            for &tick in &ticks {
                let colour = if (tick - 0.5).abs() < 1e-9 { CHANCE } else { GRID };
                let upright = [(tick, start - NAME - GAP), (tick, start - 1.0)];
                chart.draw_series(LineSeries::new(upright, colour.stroke_width(1)))?;
            }
            for (values, colour) in [(&line.iid, IID), (&line.ood, OOD)] {
                let dot = |&value: &f64| Circle::new((value, middle), 4, colour.mix(0.7).filled());
                chart.draw_series(values.iter().map(dot))?;
                if !values.is_empty() {
                    let mean = values.iter().sum::<f64>() / values.len() as f64;
                    let bar = [(mean, middle - HALF_BAR), (mean, middle + HALF_BAR)];
                    chart.draw_series(LineSeries::new(bar, colour.stroke_width(3)))?;
                }
            }
        }
        Ok(())
    })
}

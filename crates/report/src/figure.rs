//! The page's figures, as SVG.

use metrics::RocPoint;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use crate::{Epoch, Error};

/// Okabe & Ito's colours, told apart by colour-blind readers; their yellow is too pale for lines.
pub(crate) const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 0, 0),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(0, 114, 178),
    RGBColor(204, 121, 167),
];
pub(crate) const LOSS: RGBColor = COLOURS[5];
pub(crate) const DIVERGENCE: RGBColor = COLOURS[3];
pub(crate) const VALIDATION: RGBColor = COLOURS[0];

const GRID: RGBColor = RGBColor(228, 228, 228);
const AXIS: RGBColor = RGBColor(90, 90, 90);
const CHANCE: RGBColor = RGBColor(160, 160, 160);
const TEXT: u32 = 15;
const LEFT: u32 = 58;
const BOTTOM: u32 = 46;
const MARGIN: u32 = 12;

/// `#d55e00`
pub(crate) fn css(colour: RGBColor) -> String {
    format!("#{:02x}{:02x}{:02x}", colour.0, colour.1, colour.2)
}

/// ROC curves on a square, with the diagonal of chance. The last curve lies on top.
pub(crate) fn roc(curves: &[(RGBColor, &[RocPoint])]) -> Result<String, Error> {
    const SIDE: u32 = 360;
    let size = (SIDE + LEFT + MARGIN, SIDE + BOTTOM + MARGIN);
    svg("ROC curves", size, |area| {
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
        let axes =
            Axes { x: x.clone(), y: 0.0..loss_top, x_title: "", y_title: "Training loss", ticks, x_label };
        let mut chart = axes.draw(&above)?;
        for (colour, line) in [
            (LOSS, points(&|epoch| Some(epoch.cross_entropy))),
            (DIVERGENCE, points(&|epoch| epoch.divergence)),
        ] {
            chart.draw_series(LineSeries::new(line.clone(), colour.stroke_width(2)))?;
            chart.draw_series(line.into_iter().map(|point| Circle::new(point, 2, colour.filled())))?;
        }
        let axes =
            Axes { x, y: auroc_bottom..1.0, x_title: "Epoch", y_title: "Validation AUROC", ticks, x_label };
        let mut chart = axes.draw(&below)?;
        let line = points(&|epoch| Some(epoch.validation));
        let best = line.iter().find(|point| point.0.round() as usize == best_epoch).copied();
        chart.draw_series(LineSeries::new(line.clone(), VALIDATION.stroke_width(2)))?;
        chart.draw_series(line.into_iter().map(|point| Circle::new(point, 2, VALIDATION.filled())))?;
        chart.draw_series(best.map(|point| Circle::new(point, 6, DIVERGENCE.stroke_width(2))))?;
        Ok(())
    })
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn<T = ()> = Result<T, Box<dyn std::error::Error>>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

struct Axes {
    x: std::ops::Range<f64>,
    y: std::ops::Range<f64>,
    x_title: &'static str,
    y_title: &'static str,
    ticks: usize,
    x_label: fn(&f64) -> String,
}

impl Axes {
    fn draw<'a, 'b>(self, area: &'a Area<'b>) -> Drawn<Chart<'a, 'b>> {
        let decimals = if self.y.end - self.y.start < 0.5 { 2 } else { 1 };
        let mut chart = ChartBuilder::on(area)
            .margin_top(MARGIN)
            .margin_right(MARGIN)
            .x_label_area_size(BOTTOM)
            .y_label_area_size(LEFT)
            .build_cartesian_2d(self.x, self.y)?;
        chart
            .configure_mesh()
            .x_desc(self.x_title)
            .y_desc(self.y_title)
            .x_labels(self.ticks)
            .y_labels(6)
            .x_label_formatter(&self.x_label)
            .y_label_formatter(&|value| format!("{value:.decimals$}"))
            .axis_style(AXIS)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .label_style(("sans-serif", TEXT))
            .draw()?;
        Ok(chart)
    }
}

fn svg(figure: &'static str, size: (u32, u32), draw: impl FnOnce(&Area) -> Drawn) -> Result<String, Error> {
    let mut text = String::new();
    let drawn = {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        draw(&area).and_then(|()| Ok(area.present()?))
    };
    drawn.map_err(|problem| Error::Figure { figure, problem: problem.to_string() })?;
    Ok(text)
}

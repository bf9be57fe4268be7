//! The page's figures, as SVG.

mod beside;
mod reliability;
mod roc;
mod severity;
mod training;
mod trainings;

pub(crate) use beside::{BesideLine, beside};
pub(crate) use reliability::{ReliabilityLine, reliability};
pub(crate) use roc::{RocLine, roc};
pub(crate) use severity::{SeverityLine, severity};
pub(crate) use training::training;
pub(crate) use trainings::{TrainedLine, size as size_of_trainings, trainings};

use metrics::Interval;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use crate::Error;

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
/// Boxes that a detector found.
pub(crate) const FOUND: RGBColor = COLOURS[1];
pub(crate) const LOSS: RGBColor = COLOURS[5];
pub(crate) const DIVERGENCE: RGBColor = COLOURS[3];
pub(crate) const VALIDATION: RGBColor = COLOURS[0];
pub(crate) const IID: RGBColor = COLOURS[5];
pub(crate) const OOD: RGBColor = COLOURS[3];
pub(crate) const PAPER: RGBColor = COLOURS[0];

const GRID: RGBColor = RGBColor(228, 228, 228);
const AXIS: RGBColor = RGBColor(90, 90, 90);
const CHANCE: RGBColor = RGBColor(160, 160, 160);
const TEXT: u32 = 15;
const LEFT: u32 = 58;
const BOTTOM: u32 = 46;
const MARGIN: u32 = 12;
/// Width and height of a figure with a square of axes.
pub(crate) const SQUARE: (u32, u32) = (360 + LEFT + MARGIN, 360 + BOTTOM + MARGIN);
/// Width and height of a small figure.
pub(crate) const WIDE: (u32, u32) = (300 + LEFT + MARGIN, 200 + BOTTOM + MARGIN);
/// Width and height of a figure as wide as that and less high.
pub(crate) const LOW: (u32, u32) = (SQUARE.0, 240 + BOTTOM + MARGIN);

/// `#d55e00`
pub(crate) fn css(colour: RGBColor) -> String {
    format!("#{:02x}{:02x}{:02x}", colour.0, colour.1, colour.2)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn<T = ()> = Result<T, Box<dyn std::error::Error>>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

struct Axes<'l> {
    x: std::ops::Range<f64>,
    y: std::ops::Range<f64>,
    x_title: &'static str,
    y_title: &'static str,
    ticks: usize,
    x_label: &'l dyn Fn(&f64) -> String,
}

impl Axes<'_> {
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
            .x_label_formatter(self.x_label)
            .y_label_formatter(&|value| format!("{value:.decimals$}"))
            .axis_style(AXIS)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .label_style(("sans-serif", TEXT))
            .draw()?;
        Ok(chart)
    }
}

/// A figure on the unit square with its diagonal.
fn unit_square(
    figure: &'static str,
    [x_title, y_title]: [&'static str; 2],
    draw: impl FnOnce(&mut Chart) -> Drawn,
) -> Result<String, Error> {
    svg(figure, SQUARE, |area| {
        let x_label = |value: &f64| format!("{value:.1}");
        let axes = Axes { x: 0.0..1.0, y: 0.0..1.0, x_title, y_title, ticks: 6, x_label: &x_label };
        let mut chart = axes.draw(area)?;
        chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], CHANCE.stroke_width(1)))?;
        draw(&mut chart)
    })
}

/// An axis on which all the values lie, half a twentieth beyond the twentieths around them.
fn twentieths(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    const STEP: f64 = 20.0;
    let (low, high) = values.fold((1.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    ((low * STEP).floor() - 0.5) / STEP..((high * STEP).ceil() + 0.5) / STEP
}

/// The intervals along a line, in its colour.
fn band(colour: RGBColor, places: &[(f64, Interval)]) -> Polygon<(f64, f64)> {
    const STRENGTH: f64 = 0.15;
    let low = places.iter().map(|(x, interval)| (*x, interval.low));
    let high = places.iter().map(|(x, interval)| (*x, interval.high));
    Polygon::new(low.chain(high.rev()).collect::<Vec<_>>(), colour.mix(STRENGTH).filled())
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

//! The side marker: a letter of lead that the radiographer lays in an upper corner.

use rand::Rng;
use schema::PixelBox;

use crate::plane::{Frame, Plane, distance_to_line};
use crate::random::around;

/// Strokes in a box one unit high and 0.7 wide.
type Strokes = &'static [[[f32; 2]; 2]];

const L: Strokes = &[[[0.05, 0.0], [0.05, 1.0]], [[0.05, 1.0], [0.6, 1.0]]];
const R: Strokes = &[
    [[0.05, 0.0], [0.05, 1.0]],
    [[0.05, 0.0], [0.42, 0.0]],
    [[0.42, 0.0], [0.6, 0.12]],
    [[0.6, 0.12], [0.6, 0.38]],
    [[0.6, 0.38], [0.42, 0.5]],
    [[0.42, 0.5], [0.05, 0.5]],
    [[0.32, 0.5], [0.65, 1.0]],
];

/// One marker on one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Marker {
    /// An `L` in the corner at the image's right, otherwise an `R` in the one at its left.
    left: bool,
    /// Height, as a share of the short side.
    height: f32,
    /// The distance of the letter's box from the image's side and top, as shares of the short side.
    inset: [f32; 2],
    rotation: f32,
}

impl Marker {
    pub(crate) fn draw(random: &mut impl Rng, height: f32) -> Self {
        Self {
            left: random.random_bool(0.5),
            height: height * around(random, 1.0, 0.12),
            inset: [around(random, 0.035, 0.015), around(random, 0.035, 0.015)],
            rotation: around(random, 0.0, 0.12),
        }
    }

    /// The rectangle around the letter, in pixels of an image of this frame.
    pub(crate) fn area(self, frame: Frame) -> PixelBox {
        let ends = self.strokes(frame).into_iter().flatten();
        let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
        for point in ends {
            for axis in 0..2 {
                low[axis] = low[axis].min(point[axis]);
                high[axis] = high[axis].max(point[axis]);
            }
        }
        let margin = self.half_stroke(frame) + 0.5;
        let edge = |value: f32, extent: usize| f64::from(value.clamp(0.0, extent as f32));
        let (left, top) = (edge(low[0] - margin, frame.width), edge(low[1] - margin, frame.height));
        let (right, bottom) = (edge(high[0] + margin, frame.width), edge(high[1] + margin, frame.height));
        PixelBox { x: left, y: top, width: right - left, height: bottom - top }
    }

    /// Draws the letter in white (1.0), edges smoothed over one pixel.
    pub(crate) fn lay_on(self, image: &mut Plane) {
        let frame = image.frame;
        let (strokes, half_stroke) = (self.strokes(frame), self.half_stroke(frame));
        let area = self.area(frame);
        let lowest = (area.y + area.height).ceil() as usize;
        for (i, value) in image.values.iter_mut().enumerate().take(lowest * frame.width) {
            let point = [(i % frame.width) as f32 + 0.5, (i / frame.width) as f32 + 0.5];
            let nearest =
                strokes.iter().map(|&[a, b]| distance_to_line(point, a, b)).fold(f32::MAX, f32::min);
            let cover = (half_stroke + 0.5 - nearest).clamp(0.0, 1.0);
            *value += cover * (1.0 - *value);
        }
    }

    fn half_stroke(self, frame: Frame) -> f32 {
        0.09 * self.height * frame.width.min(frame.height) as f32
    }

    /// The letter's strokes, in pixels.
    fn strokes(self, frame: Frame) -> Vec<[[f32; 2]; 2]> {
        let short = frame.width.min(frame.height) as f32;
        let height = self.height * short;
        let [from_side, from_top] = self.inset.map(|inset| inset * short);
        let left_edge = if self.left { frame.width as f32 - from_side - 0.7 * height } else { from_side };
        let (sin, cos) = self.rotation.sin_cos();
        let place = |[x, y]: [f32; 2]| {
            let (x, y) = ((x - 0.35) * height, (y - 0.5) * height);
            [left_edge + 0.35 * height + cos * x - sin * y, from_top + 0.5 * height + sin * x + cos * y]
        };
        (if self.left { L } else { R }).iter().map(|stroke| stroke.map(place)).collect()
    }
}

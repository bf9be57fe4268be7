//! The side marker: a letter of lead that the radiographer lays in an upper corner.

use rand::Rng;

use crate::plane::{Plane, distance_to_line};
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

    /// Draws the letter in white (1.0), edges smoothed over one pixel.
    pub(crate) fn lay_on(self, image: &mut Plane) {
        let (width, rows) = (image.frame.width, image.frame.height);
        let short = width.min(rows) as f32;
        let height = self.height * short;
        let [from_side, from_top] = self.inset.map(|inset| inset * short);
        let left_edge = if self.left { width as f32 - from_side - 0.7 * height } else { from_side };
        let (sin, cos) = self.rotation.sin_cos();
        let strokes: Vec<_> = (if self.left { L } else { R })
            .iter()
            .map(|stroke| {
                stroke.map(|[x, y]| {
                    let (x, y) = ((x - 0.35) * height, (y - 0.5) * height);
                    [
                        left_edge + 0.35 * height + cos * x - sin * y,
                        from_top + 0.5 * height + sin * x + cos * y,
                    ]
                })
            })
            .collect();
        let half_stroke = 0.09 * height;
        for (i, value) in image.values.iter_mut().enumerate() {
            let point = [(i % width) as f32 + 0.5, (i / width) as f32 + 0.5];
            if point[1] > from_top + 1.5 * height {
                break;
            }
            let nearest =
                strokes.iter().map(|&[a, b]| distance_to_line(point, a, b)).fold(f32::MAX, f32::min);
            let cover = (half_stroke + 0.5 - nearest).clamp(0.0, 1.0);
            *value += cover * (1.0 - *value);
        }
    }
}

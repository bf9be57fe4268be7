//! Rectangles that radiologists drew around findings.

use serde::{Deserialize, Serialize};

/// A rectangle in pixels of the image as published: `x`, `y` of the upper left corner, then the extent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PixelBox {
    /// Left edge, in pixels from the left.
    pub x: f64,
    /// Upper edge, in pixels from the top.
    pub y: f64,
    /// Width in pixels.
    pub width: f64,
    /// Height in pixels.
    pub height: f64,
}

impl PixelBox {
    /// Whether any of it lies in an image of `columns` × `rows` pixels.
    pub fn meets(&self, columns: u32, rows: u32) -> bool {
        let Self { x, y, width, height } = *self;
        x + width > 0.0 && y + height > 0.0 && x < f64::from(columns) && y < f64::from(rows)
    }
}

/// A rectangle in fractions of the stored image: every number is in `[0, 1]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FractionBox {
    /// Left edge over the image's width.
    pub x: f32,
    /// Upper edge over the image's height.
    pub y: f32,
    /// Width over the image's width.
    pub width: f32,
    /// Height over the image's height.
    pub height: f32,
}

impl FractionBox {
    /// The rectangle with edges `x0..x1` and `y0..y1` (fractions), cut to the image; `None` when nothing is left.
    pub fn from_edges(x0: f64, y0: f64, x1: f64, y1: f64) -> Option<Self> {
        let [x0, y0, x1, y1] = [x0, y0, x1, y1].map(|edge| edge.clamp(0.0, 1.0));
        (x1 > x0 && y1 > y0).then_some(Self {
            x: x0 as f32,
            y: y0 as f32,
            width: (x1 - x0) as f32,
            height: (y1 - y0) as f32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{FractionBox, PixelBox};

    #[test]
    fn a_box_meets_the_image_or_lies_outside() {
        let at = |x, y| PixelBox { x, y, width: 10.0, height: 20.0 };
        for (x, y) in [(0.0, 0.0), (-9.0, -19.0), (639.0, 479.0)] {
            assert!(at(x, y).meets(640, 480), "{x} {y}");
        }
        for (x, y) in [(-10.0, 0.0), (0.0, -20.0), (640.0, 0.0), (0.0, 480.0)] {
            assert!(!at(x, y).meets(640, 480), "{x} {y}");
        }
    }

    #[test]
    fn a_box_is_cut_to_the_image() {
        let cut = FractionBox::from_edges(-0.5, 0.25, 0.5, 2.0).unwrap();
        assert_eq!(cut, FractionBox { x: 0.0, y: 0.25, width: 0.5, height: 0.75 });
        assert_eq!(FractionBox::from_edges(1.2, 0.0, 1.5, 1.0), None, "outside the image");
    }
}

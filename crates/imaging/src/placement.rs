//! Where boxes of the published image lie in the stored one.

use schema::{FractionBox, PixelBox};

/// How the published image lies in the stored one: along each axis a pixel `p` goes to the fraction
/// `start + p · step` of the stored image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    pub(crate) x: Axis,
    pub(crate) y: Axis,
}

/// One axis of a [`Placement`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    start: f64,
    step: f64,
}

impl Axis {
    /// The pixels `first .. first + count` fill the fractions `from .. to` of the stored image.
    pub(crate) fn new(first: u32, count: u32, from: f64, to: f64) -> Self {
        let step = (to - from) / f64::from(count);
        Self { start: from - f64::from(first) * step, step }
    }

    fn place(self, pixel: f64) -> f64 {
        self.start + pixel * self.step
    }
}

impl Placement {
    /// The box in fractions of the stored image, cut to it; `None` when nothing of it is left.
    pub fn place(&self, b: &PixelBox) -> Option<FractionBox> {
        FractionBox::from_edges(
            self.x.place(b.x),
            self.y.place(b.y),
            self.x.place(b.x + b.width),
            self.y.place(b.y + b.height),
        )
    }
}

/// A box of an image of `width` × `height` pixels, in fractions of its central square (see
/// [`centre_square`](crate::centre_square)), cut to it; `None` when nothing of it is left.
pub fn centre_box(b: &FractionBox, width: u32, height: u32) -> Option<FractionBox> {
    let square = CentralSquare::of(width, height);
    let edge = |fraction: f64, extent: u32, start: u32| {
        (fraction * f64::from(extent) - f64::from(start)) / f64::from(square.side)
    };
    let (x, y) = (f64::from(b.x), f64::from(b.y));
    FractionBox::from_edges(
        edge(x, width, square.left),
        edge(y, height, square.top),
        edge(x + f64::from(b.width), width, square.left),
        edge(y + f64::from(b.height), height, square.top),
    )
}

/// The largest square in the middle of an image, in whole pixels: where it cannot lie exactly in the middle, it lies
/// half a pixel further left or up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CentralSquare {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) side: u32,
}

impl CentralSquare {
    pub(crate) fn of(width: u32, height: u32) -> Self {
        let side = width.min(height);
        Self { left: (width - side) / 2, top: (height - side) / 2, side }
    }
}

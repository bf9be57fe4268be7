//! A grey image in the making, and the coordinates of the chest.

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl Frame {
    /// Pixels per unit: the unit is half the short side.
    pub(crate) fn pixels_per_unit(self) -> f32 {
        self.width.min(self.height) as f32 / 2.0
    }

    /// The centre of the pixel at `column`, `row`, in units from the middle of the frame, right and down.
    pub(crate) fn point(self, column: usize, row: usize) -> [f32; 2] {
        let scale = self.pixels_per_unit();
        [
            (column as f32 + 0.5 - self.width as f32 / 2.0) / scale,
            (row as f32 + 0.5 - self.height as f32 / 2.0) / scale,
        ]
    }

    /// The column and row, in pixels, of a point.
    pub(crate) fn pixel(self, [x, y]: [f32; 2]) -> [f32; 2] {
        let scale = self.pixels_per_unit();
        [x * scale + self.width as f32 / 2.0, y * scale + self.height as f32 / 2.0]
    }
}

/// One value per pixel, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plane {
    pub(crate) frame: Frame,
    pub(crate) values: Vec<f32>,
}

impl Plane {
    /// The plane whose value at each point of the frame is `value(point)`.
    pub(crate) fn from_points(frame: Frame, mut value: impl FnMut([f32; 2]) -> f32) -> Self {
        let mut values = Vec::with_capacity(frame.width * frame.height);
        for row in 0..frame.height {
            values.extend((0..frame.width).map(|column| value(frame.point(column, row))));
        }
        Self { frame, values }
    }

    /// The plane after a blur with the kernel `[share, 1 − 2·share, share]` along both axes.
    pub(crate) fn blurred(&self, share: f32) -> Self {
        let Frame { width, height } = self.frame;
        let mix = |before: f32, here: f32, after: f32| here + share * (before + after - 2.0 * here);
        let across: Vec<f32> = self
            .values
            .chunks_exact(width)
            .flat_map(|row| {
                (0..width).map(move |x| mix(row[x.saturating_sub(1)], row[x], row[(x + 1).min(width - 1)]))
            })
            .collect();
        let row = |y: usize| &across[y * width..(y + 1) * width];
        let values = (0..height)
            .flat_map(|y| {
                let (before, here, after) = (row(y.saturating_sub(1)), row(y), row((y + 1).min(height - 1)));
                (0..width).map(move |x| mix(before[x], here[x], after[x]))
            })
            .collect();
        Self { frame: self.frame, values }
    }
}

/// 0 up to `low`, 1 from `high`, smooth between.
pub(crate) fn smoothstep(low: f32, high: f32, value: f32) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// The depth of a round body of radius 1 at distance `r` from its axis.
pub(crate) fn chord(r: f32) -> f32 {
    (1.0 - r * r).max(0.0).sqrt()
}

/// The distance of `p` from the line between `a` and `b`.
pub(crate) fn distance_to_line(p: [f32; 2], a: [f32; 2], b: [f32; 2]) -> f32 {
    let (px, py, bx, by) = (p[0] - a[0], p[1] - a[1], b[0] - a[0], b[1] - a[1]);
    let along = ((px * bx + py * by) / (bx * bx + by * by).max(f32::MIN_POSITIVE)).clamp(0.0, 1.0);
    (px - along * bx).hypot(py - along * by)
}

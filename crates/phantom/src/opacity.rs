//! Soft, cloudy opacities in the lungs: what a radiologist would call COVID-19 pneumonia.

use rand::Rng;
use rand::seq::IndexedRandom;
use schema::PixelBox;

use crate::anatomy::{Anatomy, Pose};
use crate::plane::Plane;
use crate::random::around;
use crate::texture::cloud;

/// One opacity, in the coordinates of the chest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Opacity {
    centre: [f32; 2],
    radii: [f32; 2],
    tilt: f32,
    strength: f32,
    texture: u64,
}

impl Opacity {
    /// One to three opacities; mostly at the sides and low, as in COVID-19.
    pub(crate) fn draw_some(
        random: &mut impl Rng,
        anatomy: &Anatomy,
        strength: std::ops::RangeInclusive<f32>,
    ) -> Vec<Self> {
        let count = *[1, 2, 2, 3].choose(random).expect("the list is not empty");
        let first_side = if random.random_bool(0.5) { 1.0 } else { -1.0 };
        (0..count)
            .map(|i| {
                let side = if i % 2 == 0 { first_side } else { -first_side };
                let lateral = anatomy.lung_width * around(random, 0.62, 0.14);
                let height = random.random_range(-0.30..=anatomy.domes[0] - 0.10f32);
                Self {
                    centre: [side * lateral, height],
                    radii: [around(random, 0.13, 0.04), around(random, 0.16, 0.06)],
                    tilt: around(random, 0.0, 0.6),
                    strength: random.random_range(strength.clone()),
                    texture: random.random(),
                }
            })
            .collect()
    }

    /// Whether it lies in the patient's left lung.
    pub(crate) fn is_left(&self) -> bool {
        self.centre[0] > 0.0
    }

    /// How much of the air is gone at a place of the chest, in `[0, 1]`.
    fn density(&self, [x, y]: [f32; 2]) -> f32 {
        let (dx, dy) = (x - self.centre[0], y - self.centre[1]);
        let (sin, cos) = self.tilt.sin_cos();
        let r2 =
            ((cos * dx + sin * dy) / self.radii[0]).powi(2) + ((cos * dy - sin * dx) / self.radii[1]).powi(2);
        if r2 > 6.0 {
            return 0.0;
        }
        let patches = cloud(self.texture, [x * 9.0, y * 9.0]);
        self.strength * (-0.5 * r2 * r2.sqrt()).exp() * (0.85 + 0.45 * patches).clamp(0.0, 1.0)
    }

    /// Takes the opacity's air out of `lung` and returns the rectangle that holds it: the pixels with at least a quarter
    /// of its greatest effect. `None` when none of it lies in the lungs.
    pub(crate) fn fill(&self, lung: &mut Plane, pose: Pose) -> Option<PixelBox> {
        let frame = lung.frame;
        let mut lost = Plane::from_points(frame, |point| self.density(pose.to_chest(point)));
        for (lost, lung) in lost.values.iter_mut().zip(&mut lung.values) {
            *lost *= *lung;
            *lung -= *lost;
        }
        let threshold = 0.25 * lost.values.iter().copied().fold(0.0, f32::max);
        if threshold <= 0.0 {
            return None;
        }
        let (mut left, mut top, mut right, mut bottom) = (frame.width, frame.height, 0, 0);
        for (i, _) in lost.values.iter().enumerate().filter(|(_, lost)| **lost >= threshold) {
            let (column, row) = (i % frame.width, i / frame.width);
            (left, right) = (left.min(column), right.max(column + 1));
            (top, bottom) = (top.min(row), bottom.max(row + 1));
        }
        Some(PixelBox {
            x: left as f64,
            y: top as f64,
            width: (right - left) as f64,
            height: (bottom - top) as f64,
        })
    }
}

//! Where a saliency map looks: in the radiologists' boxes, or at the border, where no disease is.

use schema::FractionBox;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::check_fraction;

/// A saliency map that is not zero everywhere.
#[derive(Clone, Copy, Debug)]
pub struct SaliencyMap<'a> {
    values: &'a [f32],
    width: usize,
    height: usize,
    energy: f64,
}

/// How a saliency map agrees with the boxes of its image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Localisation {
    /// Share of the map's sum inside the boxes: the energy-based pointing game (Wang et al. 2020). In `[0, 1]`.
    pub energy: f64,
    /// Share of the image's area inside the boxes: the energy of a uniform map.
    pub area: f64,
    /// Pointing game (Zhang et al. 2018, without tolerance): whether the map's largest value lies inside a box.
    pub hit: bool,
    /// Overlap (intersection over union) of the boxes with the map's largest values, as many as the boxes have pixels.
    pub overlap: f64,
}

impl Localisation {
    /// Energy over area: 1 is chance, higher is better.
    pub fn lift(&self) -> f64 {
        self.energy / self.area
    }
}

/// How much of a saliency map lies in the outer border of the image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BorderShare {
    /// Share of the map's sum in the border, in `[0, 1]`.
    pub energy: f64,
    /// Share of the image's area in the border: the energy of a uniform map.
    pub area: f64,
}

impl BorderShare {
    /// Energy over area: 1 is chance; more means that the map looks at the border.
    pub fn lift(&self) -> f64 {
        self.energy / self.area
    }
}

impl<'a> SaliencyMap<'a> {
    /// A map of `height` rows of `width` values, row after row. Fails when there are more or fewer values, when one is
    /// negative or not finite, or when all are zero.
    pub fn new(values: &'a [f32], width: usize, height: usize) -> Result<Self, Error> {
        let fail = |problem| Err(Error::Map { width, height, problem });
        if values.len() != width * height {
            return fail(format!("there are {}", values.len()));
        }
        if let Some(index) = values.iter().position(|value| !value.is_finite() || *value < 0.0) {
            return fail(format!("number {index} is {}", values[index]));
        }
        let energy: f64 = values.iter().copied().map(f64::from).sum();
        if energy == 0.0 {
            return fail("all are zero".to_owned());
        }
        Ok(Self { values, width, height, energy })
    }

    /// Compares the map with the boxes of its image; of equal values the earlier counts as larger. A box covers whole
    /// pixels, its edges rounded to the nearest and at least one pixel wide. `None` without boxes.
    pub fn localise(&self, boxes: &[FractionBox]) -> Option<Localisation> {
        if boxes.is_empty() {
            return None;
        }
        let inside = self.mark(boxes);
        let pixels = inside.iter().filter(|&&inside| inside).count();
        let mut order: Vec<usize> = (0..self.values.len()).collect();
        order.sort_by(|&a, &b| self.values[b].total_cmp(&self.values[a]));
        let common = order[..pixels].iter().filter(|&&pixel| inside[pixel]).count();
        Some(Localisation {
            energy: self.energy_where(|pixel| inside[pixel]),
            area: pixels as f64 / self.values.len() as f64,
            hit: inside[order[0]],
            overlap: common as f64 / (2 * pixels - common) as f64,
        })
    }

    /// The share of the map in the border whose thickness on each side is `thickness` times the extent in that
    /// direction, rounded to whole pixels and at least one. Fails unless `thickness` is in `[0, 1]`.
    pub fn border_share(&self, thickness: f64) -> Result<BorderShare, Error> {
        check_fraction("thickness of the border", thickness)?;
        let rim = |extent: usize| ((extent as f64 * thickness).round() as usize).max(1);
        let (rim_x, rim_y) = (rim(self.width), rim(self.height));
        let in_border = |pixel: usize| {
            let (x, y) = (pixel % self.width, pixel / self.width);
            x < rim_x || y < rim_y || x + rim_x >= self.width || y + rim_y >= self.height
        };
        let pixels = (0..self.values.len()).filter(|&pixel| in_border(pixel)).count();
        Ok(BorderShare {
            energy: self.energy_where(in_border),
            area: pixels as f64 / self.values.len() as f64,
        })
    }

    /// Columns and rows.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Row after row.
    pub(crate) fn values(&self) -> &[f32] {
        self.values
    }

    /// The sum of all values.
    pub(crate) fn energy(&self) -> f64 {
        self.energy
    }

    fn energy_where(&self, inside: impl Fn(usize) -> bool) -> f64 {
        let values = self.values.iter().enumerate().filter(|(pixel, _)| inside(*pixel));
        values.map(|(_, &value)| f64::from(value)).sum::<f64>() / self.energy
    }

    fn mark(&self, boxes: &[FractionBox]) -> Vec<bool> {
        let mut inside = vec![false; self.values.len()];
        for area in boxes {
            for y in covered(area.y, area.height, self.height) {
                for x in covered(area.x, area.width, self.width) {
                    inside[y * self.width + x] = true;
                }
            }
        }
        inside
    }
}

/// The pixels of an axis of `pixels` that the fractions `start..start + extent` cover.
fn covered(start: f32, extent: f32, pixels: usize) -> std::ops::Range<usize> {
    let edge = |fraction: f32| (f64::from(fraction) * pixels as f64).round() as usize;
    let first = edge(start).min(pixels - 1);
    first..edge(start + extent).clamp(first + 1, pixels)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one_box(x: f32, y: f32, width: f32, height: f32) -> [FractionBox; 1] {
        [FractionBox { x, y, width, height }]
    }

    #[test]
    fn a_map_that_fills_its_box_is_perfect_and_one_beside_it_is_nothing() {
        let mut map = vec![0.0_f32; 100];
        for pixel in [22, 23, 32, 33] {
            map[pixel] = 1.0;
        }
        let map = SaliencyMap::new(&map, 10, 10).unwrap();
        let inside = map.localise(&one_box(0.2, 0.2, 0.2, 0.2)).unwrap();
        assert_eq!(inside, Localisation { energy: 1.0, area: 0.04, hit: true, overlap: 1.0 });
        assert!((inside.lift() - 25.0).abs() < 1e-9);
        let beside = map.localise(&one_box(0.6, 0.2, 0.2, 0.2)).unwrap();
        assert_eq!(beside, Localisation { energy: 0.0, area: 0.04, hit: false, overlap: 0.0 });
        assert_eq!(map.localise(&[]), None);
    }

    #[test]
    fn the_border_of_a_ten_by_twenty_map_is_one_by_two_thick() {
        let mut map = vec![0.0_f32; 200];
        map[2 * 10 + 1] = 3.0; // the first pixel that is not in the border
        map[2 * 10] = 1.0; // its neighbour in the left border
        let share = SaliencyMap::new(&map, 10, 20).unwrap().border_share(0.10).unwrap();
        assert_eq!(share, BorderShare { energy: 0.25, area: 1.0 - (8.0 * 16.0) / 200.0 });
    }

    proptest! {
        #[test]
        fn a_uniform_map_is_chance(
            (w, h) in (1..40_usize, 1..40_usize),
            (x, y, width, height) in (0.0..0.9_f32, 0.0..0.9_f32, 0.01..0.5_f32, 0.01..0.5_f32),
        ) {
            let values = vec![0.5; w * h];
            let map = SaliencyMap::new(&values, w, h)?;
            let boxes = [one_box(x, y, width, height), one_box(y, x, height, width)].concat();
            prop_assert!((map.localise(&boxes).unwrap().lift() - 1.0).abs() < 1e-9);
            prop_assert!((map.border_share(0.1)?.lift() - 1.0).abs() < 1e-9);
        }

        #[test]
        fn nothing_depends_on_the_scale_of_the_map(
            values in prop::collection::vec(0.01..1.0_f32, 64), scale in 0_u8..8,
        ) {
            let scaled: Vec<f32> = values.iter().map(|v| v * f32::from(1_u16 << scale)).collect();
            let boxes = one_box(0.3, 0.1, 0.4, 0.5);
            let (map, other) = (SaliencyMap::new(&values, 8, 8)?, SaliencyMap::new(&scaled, 8, 8)?);
            prop_assert_eq!(map.localise(&boxes), other.localise(&boxes));
            prop_assert_eq!(map.border_share(0.2)?, other.border_share(0.2)?);
        }
    }

    #[test]
    fn refuses_what_is_no_map() {
        for (values, width) in
            [(vec![1.0; 5], 2), (vec![1.0, -1.0], 1), (vec![0.0; 4], 2), (vec![f32::NAN; 4], 2)]
        {
            assert!(matches!(SaliencyMap::new(&values, width, 2), Err(Error::Map { .. })), "{values:?}");
        }
    }
}

//! What a stored image is like.

use imaging::{Error, Fit, GreyImage, Size};
use schema::PerceptualHash;

/// Raised when the same image would give another [`Picture`].
pub const PICTURE: &str = "1";

/// The hash compares neighbours on a grid of this many columns and one row less.
const GRID: u32 = 17;

/// What a stored image is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Picture {
    /// Mean grey, `0..=255`.
    pub mean: f32,
    /// Standard deviation of the greys, `0..=127.5`.
    pub contrast: f32,
    /// Alike for pictures that look alike: each bit says whether a cell of a 16 × 16 grid is darker than its right-hand
    /// neighbour ("dHash", Krawetz 2013, with 256 bits: with 64 most chest X-rays are alike).
    pub hash: PerceptualHash,
}

impl Picture {
    /// Looks at an image of any size and shape.
    pub fn of(image: &GreyImage) -> Result<Self, Error> {
        let (grid, _) = imaging::resize(image, Size::Shorter(GRID), Fit::Squash)?;
        let mut words = [0; 4];
        let rows = grid.pixels.chunks_exact(GRID as usize).take(GRID as usize - 1);
        let bits = rows.flat_map(|row| row.windows(2).map(|pair| pair[0] < pair[1]));
        for (index, brighter) in bits.enumerate() {
            words[index / 64] |= u64::from(brighter) << (index % 64);
        }
        let count = image.pixels.len() as f64;
        let sum: u64 = image.pixels.iter().map(|&grey| u64::from(grey)).sum();
        let squares: u64 = image.pixels.iter().map(|&grey| u64::from(grey).pow(2)).sum();
        let mean = sum as f64 / count;
        let variance = (squares as f64 / count - mean * mean).max(0.0);
        Ok(Self { mean: mean as f32, contrast: variance.sqrt() as f32, hash: PerceptualHash(words) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(side: u32, grey: impl Fn(f64, f64) -> f64) -> GreyImage {
        let at = |index: u32| (f64::from(index) + 0.5) / f64::from(side);
        let pixels = (0..side * side).map(|i| grey(at(i % side), at(i / side)) as u8).collect();
        GreyImage { width: side, height: side, pixels }
    }

    fn waves(phase: f64) -> impl Fn(f64, f64) -> f64 {
        move |x, y| 110.0 + 50.0 * (9.0 * x + phase).sin() * (7.0 * y + 2.0 * x).cos()
    }

    #[test]
    fn scale_and_brightness_change_few_bits_and_another_picture_many() {
        let of = |image: &GreyImage| Picture::of(image).unwrap().hash;
        let base = of(&image(256, waves(0.0)));
        let smaller = of(&image(97, waves(0.0)));
        let brighter = of(&image(256, |x, y| 1.2 * waves(0.0)(x, y) + 10.0));
        let other = of(&image(256, waves(1.5)));
        assert!(base.distance(&smaller) <= 8, "{}", base.distance(&smaller));
        assert!(base.distance(&brighter) <= 8, "{}", base.distance(&brighter));
        assert!(base.distance(&other) > 40, "{}", base.distance(&other));
    }

    #[test]
    fn mean_and_contrast_of_half_black_half_white() {
        let picture = Picture::of(&image(64, |x, _| if x < 0.5 { 0.0 } else { 255.0 })).unwrap();
        assert!(
            (picture.mean - 127.5).abs() < 1e-4 && (picture.contrast - 127.5).abs() < 1e-4,
            "{picture:?}"
        );
    }
}

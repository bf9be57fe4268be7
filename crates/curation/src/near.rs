//! Pictures that look alike: a hash finds candidates, a correlation decides.

use imaging::{Error, Fit, GreyImage, Size};
use rayon::prelude::*;
use schema::PerceptualHash;

/// Hashes that differ in at most this many of 256 bits are candidates. With this number and [`SAME_PICTURE`], 142 of 148
/// known pairs of SIIM-FISABIO-RSNA are found: see `docs/results`.
const CANDIDATE_BITS: u32 = 24;

/// Candidates whose [`Thumbnail`]s correlate at least this much are the same picture.
const SAME_PICTURE: f64 = 0.98;

/// The same, for images whose shorter side is less than [`DETAILED`]: different chests look as alike as 0.98 there, so only
/// copies count.
const SAME_SMALL_PICTURE: f64 = 0.9995;

/// The least shorter side, in pixels, at which likeness tells chests apart.
const DETAILED: u32 = 128;

/// Side of a thumbnail in pixels.
const SIDE: u32 = 64;

/// Two images, by index; `first < second`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// The one image.
    pub first: usize,
    /// The other image.
    pub second: usize,
}

/// Every pair of hashes at most `CANDIDATE_BITS` apart of which `wanted` holds for one or both, sorted.
///
/// Compares all with all: 100,000 images take some ten seconds of one core, and 1,000 wanted ones among them 0.2 s.
pub fn candidates(hashes: &[PerceptualHash], wanted: impl Fn(usize) -> bool + Sync) -> Vec<Pair> {
    let fresh: Vec<usize> = (0..hashes.len()).filter(|&index| wanted(index)).collect();
    let mut pairs: Vec<Pair> = fresh
        .par_iter()
        .flat_map_iter(|&index| {
            let hash = &hashes[index];
            let wanted = &wanted;
            hashes.iter().enumerate().filter_map(move |(other, near)| {
                let is_near = hash.is_near(near, CANDIDATE_BITS) && other != index; // first: it settles most
                let once = is_near && (other > index || !wanted(other));
                once.then(|| Pair { first: index.min(other), second: index.max(other) })
            })
        })
        .collect();
    pairs.sort_unstable();
    pairs
}

/// A small copy of an image, normalised to mean 0 and length 1.
#[derive(Clone, Debug)]
pub struct Thumbnail {
    greys: Vec<f32>,
    detailed: bool,
}

impl Thumbnail {
    /// The thumbnail of an image of any size and shape.
    pub fn of(image: &GreyImage) -> Result<Self, Error> {
        let (small, _) = imaging::resize(image, Size::Shorter(SIDE), Fit::Squash)?;
        let mean = small.pixels.iter().map(|&grey| f64::from(grey)).sum::<f64>() / small.pixels.len() as f64;
        let centred: Vec<f64> = small.pixels.iter().map(|&grey| f64::from(grey) - mean).collect();
        let length = centred.iter().map(|value| value * value).sum::<f64>().sqrt();
        let scale = if length > 0.0 { length.recip() } else { 0.0 };
        let greys = centred.into_iter().map(|value| (value * scale) as f32).collect();
        Ok(Self { greys, detailed: image.width.min(image.height) >= DETAILED })
    }

    /// Pearson's correlation of two thumbnails, `-1..=1`; 0 with a blank image.
    pub fn likeness(&self, other: &Self) -> f64 {
        self.greys.iter().zip(&other.greys).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    }

    /// Whether both are of the same picture.
    pub fn is_same(&self, other: &Self) -> bool {
        let least = if self.detailed && other.detailed { SAME_PICTURE } else { SAME_SMALL_PICTURE };
        self.likeness(other) >= least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_those_of_brute_force_and_come_once() {
        let hash = |bits: u32| PerceptualHash([u64::MAX >> (64 - bits.min(63)), 0, 0, 0]);
        let hashes: Vec<PerceptualHash> = [1, 20, 40, 63].map(hash).into();
        let pair = |first, second| Pair { first, second };
        assert_eq!(candidates(&hashes, |_| true), [pair(0, 1), pair(1, 2), pair(2, 3)]);
        assert_eq!(candidates(&hashes, |index| index == 1), [pair(0, 1), pair(1, 2)]);
        assert_eq!(candidates(&hashes, |_| false), []);
    }

    #[test]
    fn likeness_ignores_brightness_and_sees_a_negative() {
        let image = |grey: fn(u32) -> u32| GreyImage {
            width: 80,
            height: 60,
            pixels: (0..4800).map(|i| grey(i % 80 + i / 80) as u8).collect(),
        };
        let of = |grey| Thumbnail::of(&image(grey)).unwrap();
        let base = of(|d| d);
        assert!(base.likeness(&of(|d| d + 60)) > 0.999);
        assert!(base.likeness(&of(|d| 200 - d)) < -0.999);
        assert!(base.is_same(&base) && !base.is_same(&of(|d| 200 - d)));
        assert!(base.likeness(&of(|_| 9)).abs() < 1e-9, "a blank image is like nothing");
    }

    #[test]
    fn likeness_of_small_images_is_not_enough() {
        let of = |side: u32, ripple: u32| {
            let grey = |x: u32, y: u32| x * 160 / side + y * 60 / side + ripple * (x * 16 / side % 2);
            let pixels = (0..side * side).map(|i| grey(i % side, i / side) as u8).collect();
            Thumbnail::of(&GreyImage { width: side, height: side, pixels }).unwrap()
        };
        for (side, same) in [(128, true), (96, false)] {
            let (one, other) = (of(side, 0), of(side, 12));
            assert!(
                (SAME_PICTURE..SAME_SMALL_PICTURE).contains(&one.likeness(&other)),
                "{}",
                one.likeness(&other)
            );
            assert_eq!(one.is_same(&other), same, "{side} px");
        }
    }
}

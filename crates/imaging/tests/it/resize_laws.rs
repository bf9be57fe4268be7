//! What holds for every image, size and box.

use imaging::{Fit, GreyImage, Size, centre_box, centre_square, resize};
use proptest::prelude::*;
use schema::{FractionBox, PixelBox};

fn image(width: u32, height: u32, grey: impl Fn(u32, u32) -> u8) -> GreyImage {
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| grey(x, y)).collect();
    GreyImage { width, height, pixels }
}

#[test]
fn reduction_averages_and_never_overshoots() {
    let checkered = image(512, 512, |x, y| if (x + y) % 2 == 0 { 255 } else { 0 });
    let small = resize(&checkered, Size::Shorter(64), Fit::Keep).unwrap().0;
    assert!(small.pixels.iter().all(|grey| (120..=135).contains(grey)), "aliasing");
    let edge = image(512, 64, |x, _| if x < 250 { 50 } else { 200 });
    let small = resize(&edge, Size::Shorter(8), Fit::Keep).unwrap().0;
    assert!(small.pixels.chunks(64).all(<[u8]>::is_sorted), "ringing");
    assert_eq!((small.pixels.iter().min(), small.pixels.iter().max()), (Some(&50), Some(&200)));
}

/// The smallest box around the pixels of at least half the brightest, in fractions.
fn bright(image: &GreyImage) -> [f64; 4] {
    let half = image.pixels.iter().max().unwrap() / 2;
    let (mut x0, mut y0, mut x1, mut y1) = (u32::MAX, u32::MAX, 0, 0);
    for (at, _) in image.pixels.iter().enumerate().filter(|(_, grey)| **grey > half) {
        let (x, y) = (at as u32 % image.width, at as u32 / image.width);
        (x0, y0, x1, y1) = (x0.min(x), y0.min(y), x1.max(x + 1), y1.max(y + 1));
    }
    let (width, height) = (f64::from(image.width), f64::from(image.height));
    [f64::from(x0) / width, f64::from(y0) / height, f64::from(x1) / width, f64::from(y1) / height]
}

fn edges(b: FractionBox) -> [f64; 4] {
    [b.x, b.y, b.x + b.width, b.y + b.height].map(f64::from)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_box_goes_where_its_pixels_go(
        width in 80u32..160,
        height in 80u32..160,
        (x, y) in (10u32..30, 10u32..30),
        (across, down) in (30u32..50, 30u32..50),
        fit in prop::sample::select(Fit::ALL.to_vec()),
        side in 40u32..200,
    ) {
        let inside = |p: u32, start: u32, count: u32| (start..start + count).contains(&p);
        let painted = image(width, height, |px, py| 255 * u8::from(inside(px, x, across) && inside(py, y, down)));
        let drawn = PixelBox { x: f64::from(x), y: f64::from(y), width: f64::from(across), height: f64::from(down) };
        let (stored, placement) = resize(&painted, Size::Shorter(side), fit).unwrap();
        let tolerance = 1.6 / f64::from(stored.width.min(stored.height));
        if stored.pixels.iter().max() > Some(&200) {
            let placed = edges(placement.place(&drawn).unwrap());
            for (placed, seen) in placed.iter().zip(bright(&stored)) {
                prop_assert!((placed - seen).abs() < tolerance, "{fit}: {placed} for {seen}");
            }
            let square = centre_square(&stored, 64).unwrap();
            let boxed = centre_box(&placement.place(&drawn).unwrap(), stored.width, stored.height);
            if let Some(boxed) = boxed && square.pixels.iter().max() > Some(&200) {
                for (boxed, seen) in edges(boxed).iter().zip(bright(&square)) {
                    prop_assert!((boxed - seen).abs() < tolerance + 1.6 / 64.0, "{fit}: {boxed} for {seen}");
                }
            }
        }
    }

    #[test]
    fn an_even_image_stays_even(grey in any::<u8>(), width in 1u32..90, height in 1u32..90, side in 1u32..90) {
        let even = image(width, height, |_, _| grey);
        let stored = resize(&even, Size::Shorter(side), Fit::Squash).unwrap().0;
        prop_assert!(stored.pixels.iter().all(|&pixel| pixel == grey));
    }
}

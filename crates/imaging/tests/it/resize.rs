//! Sizes, fits, and where boxes go.

use imaging::{Fit, GreyImage, Placement, Size, centre_box, centre_square, resize};
use schema::{FractionBox, PixelBox};

/// 40 × 20 pixels of this grey.
fn wide(grey: u8) -> GreyImage {
    GreyImage { width: 40, height: 20, pixels: vec![grey; 800] }
}

/// Pixels whose grey tells their place.
fn numbered(width: u32, height: u32) -> GreyImage {
    GreyImage { width, height, pixels: (0..width * height).map(|at| at as u8).collect() }
}

fn fitted(image: &GreyImage, size: Size, fit: Fit) -> (GreyImage, Placement) {
    resize(image, size, fit).unwrap()
}

fn pixels(x: f64, y: f64, width: f64, height: f64) -> PixelBox {
    PixelBox { x, y, width, height }
}

fn fractions(x: f32, y: f32, width: f32, height: f32) -> FractionBox {
    FractionBox { x, y, width, height }
}

fn assert_close(placed: Option<FractionBox>, wanted: FractionBox, what: &str) {
    let edges = |b: FractionBox| [b.x, b.y, b.width, b.height];
    let placed = placed.unwrap_or_else(|| panic!("{what}: nothing left"));
    let far = edges(placed).into_iter().zip(edges(wanted)).any(|(a, b)| (a - b).abs() > 1e-6);
    assert!(!far, "{what}: {placed:?} is not {wanted:?}");
}

#[test]
fn every_fit_has_its_size() {
    for (fit, expected) in
        [(Fit::Keep, (20, 10)), (Fit::Squash, (10, 10)), (Fit::Crop, (10, 10)), (Fit::Pad, (10, 10))]
    {
        let (image, _) = fitted(&wide(90), Size::Shorter(10), fit);
        assert_eq!((image.width, image.height), expected, "{fit}");
    }
    for (fit, expected) in
        [(Fit::Keep, (40, 20)), (Fit::Squash, (20, 20)), (Fit::Crop, (20, 20)), (Fit::Pad, (40, 40))]
    {
        let (image, _) = fitted(&wide(90), Size::Native, fit);
        assert_eq!((image.width, image.height), expected, "{fit}, native");
    }
    let (enlarged, _) = fitted(&wide(90), Size::Shorter(33), Fit::Keep);
    assert_eq!((enlarged.width, enlarged.height), (66, 33));
}

#[test]
fn blank_images_stay_blank() {
    for fit in [Fit::Keep, Fit::Squash, Fit::Crop] {
        for side in [1, 7, 64] {
            let (image, _) = fitted(&wide(201), Size::Shorter(side), fit);
            assert!(image.pixels.iter().all(|&pixel| pixel == 201), "{fit} {side}");
        }
    }
}

#[test]
fn native_sizes_change_no_pixel() {
    assert_eq!(fitted(&numbered(13, 9), Size::Native, Fit::Keep).0, numbered(13, 9));
    let (cropped, _) = fitted(&numbered(5, 3), Size::Native, Fit::Crop);
    assert_eq!(cropped.pixels, [1, 2, 3, 6, 7, 8, 11, 12, 13]);
    let (padded, _) = fitted(&numbered(3, 1), Size::Native, Fit::Pad);
    assert_eq!(padded.pixels, [0, 0, 0, 0, 1, 2, 0, 0, 0]);
}

#[test]
fn pad_is_black_around_the_image() {
    let (image, _) = fitted(&wide(90), Size::Shorter(10), Fit::Pad);
    let rows: Vec<u8> = image.pixels.chunks(10).map(|row| row[0]).collect();
    assert_eq!(rows, [0, 0, 90, 90, 90, 90, 90, 0, 0, 0]);
}

#[test]
fn halving_takes_means() {
    // A triangle of twice the distance: weights 1, 3, 3, 1 of 8 in the middle.
    let row = GreyImage { width: 6, height: 1, pixels: vec![0, 0, 0, 80, 80, 80] };
    let squashed = resize(&row, Size::Shorter(3), Fit::Squash).unwrap().0;
    assert_eq!(squashed.pixels[..3], [0, 40, 80]);
}

#[test]
fn boxes_in_each_fit() {
    let middle = pixels(10.0, 5.0, 20.0, 10.0);
    for (fit, wanted) in [
        (Fit::Keep, fractions(0.25, 0.25, 0.5, 0.5)),
        (Fit::Squash, fractions(0.25, 0.25, 0.5, 0.5)),
        (Fit::Crop, fractions(0.0, 0.25, 1.0, 0.5)),
        // Rows 2 to 6 of 10 hold the image.
        (Fit::Pad, fractions(0.25, 0.325, 0.5, 0.25)),
    ] {
        let (_, placement) = fitted(&wide(0), Size::Shorter(10), fit);
        assert_close(placement.place(&middle), wanted, fit.name());
    }
    let (_, crop) = fitted(&wide(0), Size::Shorter(10), Fit::Crop);
    assert_eq!(crop.place(&pixels(0.0, 0.0, 5.0, 20.0)), None, "left of the square");
    assert_close(crop.place(&pixels(0.0, 0.0, 20.0, 20.0)), fractions(0.0, 0.0, 0.5, 1.0), "cut in two");
}

/// A white box, resized, has its mass where its placement says.
#[test]
fn pixels_and_boxes_go_to_the_same_place() {
    let (width, height) = (300u32, 200u32);
    let (left, top, right, bottom) = (120, 40, 180, 130);
    let inside = |x, y| (left..right).contains(&x) && (top..bottom).contains(&y);
    let grey = |at: u32| if inside(at % width, at / width) { 255 } else { 0 };
    let image = GreyImage { width, height, pixels: (0..width * height).map(grey).collect() };
    let white = pixels(left.into(), top.into(), (right - left).into(), (bottom - top).into());
    for fit in Fit::ALL {
        for size in [Size::Native, Size::Shorter(64), Size::Shorter(201)] {
            let (stored, placement) = fitted(&image, size, fit);
            let mut sums = [0.0; 3];
            for (at, &pixel) in (0..).zip(&stored.pixels) {
                let mass = f64::from(pixel) / 255.0;
                sums[0] += mass;
                sums[1] += mass * (f64::from(at % stored.width) + 0.5);
                sums[2] += mass * (f64::from(at / stored.width) + 0.5);
            }
            let placed = placement.place(&white).unwrap();
            let (stored_width, stored_height) = (f64::from(stored.width), f64::from(stored.height));
            let area = f64::from(placed.width) * f64::from(placed.height) * stored_width * stored_height;
            let x = f64::from(placed.x + placed.width / 2.0) * stored_width;
            let y = f64::from(placed.y + placed.height / 2.0) * stored_height;
            let what = format!("{fit} {size}");
            assert!((sums[0] / area - 1.0).abs() < 0.01, "{what}: {} pixels, not {area}", sums[0]);
            assert!((sums[1] / sums[0] - x).abs() < 0.3, "{what}: column {}, not {x}", sums[1] / sums[0]);
            assert!((sums[2] / sums[0] - y).abs() < 0.3, "{what}: row {}, not {y}", sums[2] / sums[0]);
        }
    }
}

#[test]
fn the_central_square() {
    assert_eq!(centre_square(&numbered(5, 3), 3).unwrap().pixels, [1, 2, 3, 6, 7, 8, 11, 12, 13]);
    assert_eq!(centre_square(&numbered(2, 5), 2).unwrap().pixels, [2, 3, 4, 5], "half a pixel up");
    let (cropped, _) = fitted(&numbered(31, 20), Size::Shorter(9), Fit::Crop);
    assert_eq!(centre_square(&numbered(31, 20), 9).unwrap(), cropped);
}

#[test]
fn boxes_of_the_central_square_are_those_of_the_crop() {
    for b in [pixels(10.0, 5.0, 20.0, 10.0), pixels(0.0, 3.0, 25.0, 17.0), pixels(28.0, 0.0, 12.0, 1.0)] {
        let (_, keep) = fitted(&wide(0), Size::Native, Fit::Keep);
        let (_, crop) = fitted(&wide(0), Size::Native, Fit::Crop);
        let through_keep = centre_box(&keep.place(&b).unwrap(), 40, 20);
        assert_close(through_keep, crop.place(&b).unwrap(), "through the whole image");
    }
    assert_eq!(centre_box(&fractions(0.0, 0.0, 0.2, 1.0), 40, 20), None, "left of the square");
    assert_close(
        centre_box(&fractions(0.1, 0.2, 0.3, 0.4), 20, 20),
        fractions(0.1, 0.2, 0.3, 0.4),
        "a square is its own central square",
    );
}

#[test]
fn pixels_must_fill_the_rectangle() {
    let image = GreyImage { width: 4, height: 4, pixels: vec![0; 15] };
    for fit in Fit::ALL {
        assert_eq!(resize(&image, Size::Shorter(2), fit).unwrap_err().reason(), "not-a-rectangle");
    }
    assert_eq!(centre_square(&image, 2).unwrap_err().reason(), "not-a-rectangle");
    let empty = GreyImage { width: 0, height: 0, pixels: Vec::new() };
    assert!(resize(&empty, Size::Shorter(8), Fit::Pad).is_err());
    assert!(centre_square(&wide(0), 0).is_err());
}

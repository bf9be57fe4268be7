//! The stored form of an image.

use imaging::{GreyImage, decode, decode_png, encode_png};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::raster::encoded;

fn images() -> impl Strategy<Value = GreyImage> {
    (1u32..40, 1u32..40).prop_flat_map(|(width, height)| {
        let pixels = vec(any::<u8>(), (width * height) as usize);
        pixels.prop_map(move |pixels| GreyImage { width, height, pixels })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_stored_image_comes_back(image in images()) {
        let png = encode_png(&image).unwrap();
        prop_assert_eq!(&encode_png(&image).unwrap(), &png, "the same bytes again");
        prop_assert_eq!(&decode_png(&png).unwrap(), &image);
        prop_assert_eq!(&decode(&png).unwrap().image, &image, "as any other PNG");
    }
}

#[test]
fn pixels_must_fill_the_rectangle() {
    for (width, height, count) in [(2, 2, 3), (2, 2, 5), (0, 3, 0)] {
        let image = GreyImage { width, height, pixels: vec![0; count] };
        assert_eq!(encode_png(&image).unwrap_err().reason(), "not-a-rectangle");
    }
}

#[test]
fn only_grey_bytes_are_stored_images() {
    let colour = encoded(image::RgbImage::from_pixel(2, 1, image::Rgb([1, 2, 3])), image::ImageFormat::Png);
    assert_eq!(decode_png(&colour).unwrap_err().reason(), "unsupported-samples");
    let png = encode_png(&GreyImage { width: 2, height: 1, pixels: vec![1, 2] }).unwrap();
    for length in 0..png.len() - 12 {
        assert!(decode_png(&png[..length]).is_err(), "{length} bytes");
    }
}

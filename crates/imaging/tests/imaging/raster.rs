//! PNG, JPEG and WebP to grey.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat};

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

fn grey(bytes: &[u8]) -> Vec<u8> {
    imaging::decode(bytes).unwrap().image.pixels
}

#[test]
fn every_kind_of_png_becomes_grey() {
    let raw = |image: Option<DynamicImage>| grey(&encoded(&image.unwrap(), ImageFormat::Png));
    let l8 = image::GrayImage::from_raw(3, 1, vec![0, 100, 255]).map(Into::into);
    let la8 = image::GrayAlphaImage::from_raw(2, 1, vec![200, 255, 200, 128]).map(Into::into);
    let rgb8 = image::RgbImage::from_raw(2, 1, vec![255, 0, 0, 7, 7, 7]).map(Into::into);
    let rgba8 = image::RgbaImage::from_raw(2, 1, vec![0, 255, 0, 255, 255, 255, 255, 0]).map(Into::into);
    let l16 = image::ImageBuffer::from_raw(3, 1, vec![0u16, 257 * 100 + 128, 65_535])
        .map(DynamicImage::ImageLuma16);
    assert_eq!(raw(l8), [0, 100, 255]);
    assert_eq!(raw(la8), [200, 100], "transparency lies on black");
    assert_eq!(raw(rgb8), [76, 7]);
    assert_eq!(raw(rgba8), [150, 0]);
    assert_eq!(raw(l16), [0, 100, 255], "16 bits are scaled, not stretched");
}

#[test]
fn the_name_of_a_format_does_not_matter() {
    let image = DynamicImage::from(image::GrayImage::from_pixel(8, 8, image::Luma([90])));
    let [png, jpeg, webp] =
        [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP].map(|format| grey(&encoded(&image, format)));
    assert_eq!((&png, &jpeg, &webp), (&vec![90; 64], &vec![90; 64], &vec![90; 64]));
}

#[test]
fn exif_turns_a_jpeg_and_its_facts() {
    let image = image::GrayImage::from_fn(16, 8, |x, _| image::Luma([if x < 8 { 0 } else { 255 }]));
    let jpeg = encoded(&image.into(), ImageFormat::Jpeg);
    // APP1 with one TIFF entry: Orientation (0x0112) = 6, a quarter turn clockwise.
    let exif = b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let turned = imaging::decode(&[&jpeg[..2], exif, &jpeg[2..]].concat()).unwrap();
    assert_eq!((turned.facts.columns, turned.facts.rows), (8, 16));
    assert_eq!((turned.image.width, turned.image.height), (8, 16));
    assert!(turned.image.pixels[..64].iter().all(|&grey| grey < 8), "the left half is on top");
    assert!(turned.image.pixels[64..].iter().all(|&grey| grey > 247));
}

#[test]
fn cut_files_are_truncated() {
    let image = image::GrayImage::from_fn(64, 64, |x, y| image::Luma([(x * y) as u8]));
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        let whole = encoded(&image.clone().into(), format);
        let error = imaging::decode(&whole[..whole.len() / 2]).unwrap_err();
        assert!(matches!(error.reason(), "truncated" | "decoder-failed"), "{format:?}: {error}");
    }
    let jpeg = encoded(&image.into(), ImageFormat::Jpeg);
    assert_eq!(imaging::decode(&jpeg[..jpeg.len() - 2]).unwrap_err().reason(), "truncated");
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    let mut png = encoded(&image::GrayImage::new(1, 1).into(), ImageFormat::Png);
    // IHDR of 60,000 × 60,000 pixels, with its checksum.
    png[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    png[29..33].copy_from_slice(&CHECKSUM);
    assert_eq!(imaging::decode(&png).unwrap_err().reason(), "too-large");
}

/// `zlib.crc32(b"IHDR" + struct.pack(">II5B", 60000, 60000, 8, 0, 0, 0, 0))`
const CHECKSUM: [u8; 4] = 0xa5b9_2a9eu32.to_be_bytes();

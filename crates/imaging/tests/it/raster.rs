//! PNG, JPEG and WebP to grey.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, Rgba};
use imaging::decode;

use crate::compressed::{halves, jpeg};

/// The image as a file.
pub fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn grey(file: &[u8]) -> Vec<u8> {
    decode(file).unwrap().image.pixels
}

/// A PNG of one row, from its chunks: header (depth and colour type), others, then the row's bytes.
fn png(columns: u32, depth: u8, colour_type: u8, others: &[(&[u8; 4], &[u8])], row: &[u8]) -> Vec<u8> {
    let header = [&columns.to_be_bytes()[..], &1u32.to_be_bytes(), &[depth, colour_type, 0, 0, 0]].concat();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(&[&[0], row].concat()).unwrap();
    let data = zlib.finish().unwrap();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], body: &[u8]| {
        let mut sum = flate2::Crc::new();
        sum.update(kind);
        sum.update(body);
        file.extend((body.len() as u32).to_be_bytes());
        file.extend([kind, body, &sum.sum().to_be_bytes()].concat());
    };
    chunk(b"IHDR", &header);
    for (kind, body) in others {
        chunk(kind, body);
    }
    chunk(b"IDAT", &data);
    chunk(b"IEND", b"");
    file
}

#[test]
fn grey_is_kept_and_transparency_lies_on_black() {
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let l = ImageBuffer::from_raw(3, 1, vec![0u8, 100, 255]).unwrap();
        assert_eq!(grey(&encoded(DynamicImage::ImageLuma8(l), format)), [0, 100, 255], "{format:?}");
        let la = ImageBuffer::<LumaA<u8>, _>::from_raw(3, 1, vec![200u8, 255, 200, 51, 200, 0]).unwrap();
        assert_eq!(grey(&encoded(DynamicImage::ImageLumaA8(la), format)), [200, 40, 0], "{format:?}");
    }
}

#[test]
fn colours_become_luma() {
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let rgb = vec![255u8, 0, 0, 0, 255, 0, 0, 0, 255, 90, 90, 90];
        let rgb = ImageBuffer::<Rgb<u8>, _>::from_raw(4, 1, rgb).unwrap();
        assert_eq!(grey(&encoded(rgb, format)), [76, 150, 29, 90], "{format:?}");
        let rgba = ImageBuffer::<Rgba<u8>, _>::from_raw(2, 1, vec![0u8, 255, 0, 51, 9, 9, 9, 255]).unwrap();
        assert_eq!(grey(&encoded(rgba, format)), [30, 9], "{format:?}");
    }
}

#[test]
fn sixteen_bits_are_rounded_to_eight() {
    let l = ImageBuffer::<Luma<u16>, _>::from_raw(5, 1, vec![0, 128, 129, 51 * 257, u16::MAX]).unwrap();
    assert_eq!(grey(&encoded(l, ImageFormat::Png)), [0, 0, 1, 51, 255]);
    let twelve = [
        encoded(ImageBuffer::<Luma<u16>, _>::from_raw(2, 1, vec![0, 4095]).unwrap(), ImageFormat::Png),
        encoded(
            ImageBuffer::<LumaA<u16>, _>::from_raw(1, 1, vec![4095, u16::MAX]).unwrap(),
            ImageFormat::Png,
        ),
        encoded(ImageBuffer::<Rgb<u16>, _>::from_raw(1, 1, vec![0, 4095, 0]).unwrap(), ImageFormat::Png),
        encoded(ImageBuffer::<Rgba<u16>, _>::from_raw(1, 1, vec![9, 9, 4095, 7]).unwrap(), ImageFormat::Png),
    ];
    for file in twelve {
        let error = decode(&file).unwrap_err();
        assert!(error.to_string().contains("up to 4095"), "{error}");
    }
    let blue = ImageBuffer::<Rgb<u16>, _>::from_raw(1, 1, vec![0, 0, u16::MAX]).unwrap();
    assert_eq!(grey(&encoded(blue, ImageFormat::Png)), [29]);
    let la = ImageBuffer::<LumaA<u16>, _>::from_raw(2, 1, vec![200 * 257, 51 * 257, 7 * 257, u16::MAX]);
    assert_eq!(grey(&encoded(la.unwrap(), ImageFormat::Png)), [40, 7]);
    let rgb = ImageBuffer::<Rgb<u16>, _>::from_raw(2, 1, vec![u16::MAX, 0, 0, 0, u16::MAX, 0]).unwrap();
    assert_eq!(grey(&encoded(rgb, ImageFormat::Png)), [76, 150]);
    let rgba = ImageBuffer::<Rgba<u16>, _>::from_raw(1, 1, vec![0, u16::MAX, 0, 51 * 257]).unwrap();
    assert_eq!(grey(&encoded(rgba, ImageFormat::Png)), [30]);
}

#[test]
fn a_palette_shows_its_colours() {
    let colours: &[u8] = &[255, 0, 0, 0, 255, 0, 0, 0, 255];
    let row = [2, 1, 0];
    assert_eq!(grey(&png(3, 8, 3, &[(b"PLTE", colours)], &row)), [29, 150, 76]);
    let transparent = png(3, 8, 3, &[(b"PLTE", colours), (b"tRNS", &[255, 51])], &row);
    assert_eq!(grey(&transparent), [29, 30, 76]);
}

#[test]
fn few_bits_span_all_greys() {
    assert_eq!(grey(&png(4, 1, 0, &[], &[0b1010_0000])), [255, 0, 255, 0]);
    assert_eq!(grey(&png(4, 2, 0, &[], &[0b0001_1011])), [0, 85, 170, 255]);
}

#[test]
fn jpeg_grey_and_colour() {
    let close = |file: &[u8], wanted: u8| grey(file).iter().all(|pixel| pixel.abs_diff(wanted) <= 1);
    assert!(close(&jpeg(&[100; 256], 16, 16), 100));
    let green = image::RgbImage::from_pixel(16, 16, Rgb([0, 255, 0]));
    assert!(close(&encoded(green, ImageFormat::Jpeg), 150));
}

#[test]
fn inks_become_luma() {
    let image = decode(include_bytes!("frames/cmyk.jpg")).unwrap().image;
    let at = |x: usize| image.pixels[4 * 16 + x];
    // Red, and half black.
    assert!(at(3).abs_diff(76) <= 3 && at(12).abs_diff(127) <= 3, "{} and {}", at(3), at(12));
}

/// The file with an EXIF segment that holds nothing but this orientation.
fn oriented(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    // TIFF header, big-endian; one entry: tag 0x0112 of type SHORT, count 1.
    let tiff = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01";
    let exif = [&b"Exif\0\0"[..], tiff, &[0, orientation, 0, 0, 0, 0, 0, 0]].concat();
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], b"\xff\xe1", &length, &exif, &jpeg[2..]].concat()
}

#[test]
fn exif_orientations() {
    // Black left of white, 16 × 8. Where black ends up: left, right, top, bottom.
    let file = jpeg(&halves(), 16, 8);
    for (orientation, (width, height), black) in [
        (1, (16, 8), (0, 4)),
        (2, (16, 8), (15, 4)),
        (3, (16, 8), (15, 4)),
        (4, (16, 8), (0, 4)),
        (5, (8, 16), (4, 0)),
        (6, (8, 16), (4, 0)),
        (7, (8, 16), (4, 15)),
        (8, (8, 16), (4, 15)),
    ] {
        let radiograph = decode(&oriented(&file, orientation)).unwrap();
        let image = radiograph.image;
        assert_eq!((image.width, image.height), (width, height), "orientation {orientation}");
        assert_eq!((radiograph.facts.columns, radiograph.facts.rows), (width, height));
        let at = |x: u32, y: u32| image.pixels[(y * width + x) as usize];
        let (x, y) = black;
        assert!(at(x, y) < 5 && at(width - 1 - x, height - 1 - y) > 250, "orientation {orientation}");
    }
}

#[test]
fn exif_in_little_endian() {
    let exif = b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let file = jpeg(&halves(), 16, 8);
    let turned = decode(&[&file[..2], exif, &file[2..]].concat()).unwrap();
    assert_eq!((turned.image.width, turned.image.height), (8, 16));
    assert!(turned.image.pixels[..64].iter().all(|&grey| grey < 8), "the left half is on top");
    assert!(turned.image.pixels[64..].iter().all(|&grey| grey > 247));
}

#[test]
fn files_that_end_early_are_truncated() {
    let noise: Vec<u8> = (0u32..1024).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let jpeg = jpeg(&noise, 32, 32);
    assert_eq!(decode(&jpeg[..jpeg.len() / 2]).unwrap_err().reason(), "truncated");
    assert_eq!(decode(&jpeg[..jpeg.len() - 2]).unwrap_err().reason(), "truncated");
    let hidden = [&jpeg[..jpeg.len() / 2], &[0xff, 0xd9]].concat();
    assert_eq!(decode(&hidden).unwrap_err().reason(), "decoder-failed", "an end was put behind what is left");
    let padded = [&jpeg[..jpeg.len() - 2], &[0; 15], &[0xff, 0xd9]].concat();
    assert_eq!(grey(&padded), grey(&jpeg), "padding before the end harms nothing");
    let mut newer = jpeg.clone();
    let jfif = newer.windows(5).position(|bytes| bytes == b"JFIF\0").unwrap();
    newer[jfif + 5] = 2;
    assert_eq!(grey(&newer), grey(&jpeg), "nor does a head of a later revision");
    let holed = [&jpeg[..jpeg.len() / 2], &[0; 300], &jpeg[jpeg.len() / 2 + 300..]].concat();
    assert_eq!(decode(&holed).unwrap_err().reason(), "decoder-failed");
    let image = ImageBuffer::<Luma<u8>, _>::from_raw(32, 32, noise).unwrap();
    let png = encoded(image.clone(), ImageFormat::Png);
    assert_eq!(decode(&png[..png.len() / 2]).unwrap_err().reason(), "truncated");
    let webp = encoded(image, ImageFormat::WebP);
    let error = decode(&webp[..webp.len() / 2]).unwrap_err();
    assert!(matches!(error.reason(), "truncated" | "decoder-failed"), "{error}");
}

#[test]
fn a_header_may_not_ask_for_all_memory() {
    let mut huge = png(100_000, 8, 0, &[], &[0]);
    // The height, and the sum over the header chunk.
    huge[20..24].copy_from_slice(&100_000u32.to_be_bytes());
    let mut sum = flate2::Crc::new();
    sum.update(&huge[12..29]);
    huge[29..33].copy_from_slice(&sum.sum().to_be_bytes());
    assert_eq!(decode(&huge).unwrap_err().reason(), "too-large");
}

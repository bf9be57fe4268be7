//! Compressed pixel data and transfer syntaxes.

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::synthetic::Dicom;

const IDENTITY: [&str; 3] = ["128", "256", "LINEAR"];

fn shaped(rows: u16, columns: u16) -> Dicom {
    let [centre, width, function] = IDENTITY;
    Dicom::bytes(&[0]).us(tags::ROWS, rows).us(tags::COLUMNS, columns).window(centre, width, function)
}

fn jpeg(grey: u8, width: u32, height: u32) -> Vec<u8> {
    let pixels = vec![grey; (width * height) as usize];
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 100)
        .write_image(&pixels, width, height, ExtendedColorType::L8)
        .unwrap();
    if jpeg.len() % 2 == 1 {
        jpeg.push(0);
    }
    jpeg
}

fn halves(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (head, tail) = bytes.split_at(bytes.len() / 4 * 2);
    vec![head.to_vec(), tail.to_vec()]
}

#[test]
fn a_frame_may_lie_in_several_fragments() {
    let whole = jpeg(200, 16, 8);
    let fragments: Vec<Vec<u8>> = whole.chunks(64).map(<[u8]>::to_vec).collect();
    assert_eq!(shaped(8, 16).encapsulated(uids::JPEG_BASELINE8_BIT, fragments).grey(), [200; 128]);
    let two_frames = [halves(&jpeg(50, 16, 8)), halves(&whole)].concat();
    let dicom = shaped(8, 16).text(tags::NUMBER_OF_FRAMES, VR::IS, "2");
    assert_eq!(dicom.encapsulated(uids::JPEG_BASELINE8_BIT, two_frames).grey(), [50; 128]);
}

#[test]
fn the_luma_of_a_colour_jpeg_needs_no_transform() {
    let columns: [[u8; 3]; 3] = [[200, 30, 30], [30, 200, 30], [30, 30, 200]];
    let pixels: Vec<u8> = (0..8).flat_map(|_| (0..24).flat_map(|x| columns[x / 8])).collect();
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 100)
        .write_image(&pixels, 24, 8, ExtendedColorType::Rgb8)
        .unwrap();
    let dicom = Dicom::colour("YBR_FULL_422", 24, &[]).us(tags::ROWS, 8);
    let grey = dicom.encapsulated(uids::JPEG_BASELINE8_BIT, vec![jpeg]).grey();
    // 0.299 · R + 0.587 · G + 0.114 · B
    for (x, luma) in [(4, 81u8), (12, 130), (20, 49)] {
        assert!(grey[3 * 24 + x].abs_diff(luma) <= 2, "{} for {luma}", grey[3 * 24 + x]);
    }
}

#[test]
fn a_jpeg_of_another_size_is_refused() {
    assert_eq!(
        shaped(8, 8).encapsulated(uids::JPEG_BASELINE8_BIT, vec![jpeg(9, 16, 8)]).reason(),
        "malformed"
    );
}

#[test]
fn a_jpeg_of_eight_bits_may_stand_in_sixteen() {
    let dicom = shaped(8, 8).us(tags::BITS_ALLOCATED, 16);
    assert_eq!(dicom.encapsulated(uids::JPEG_BASELINE8_BIT, vec![jpeg(7, 8, 8)]).grey(), [7; 64]);
}

#[test]
fn lossy_jpeg_of_twelve_bits_is_refused_by_name() {
    // SOI, then SOF1: precision 12, 8 × 8, one component.
    let header = b"\xff\xd8\xff\xc1\0\x0b\x0c\0\x08\0\x08\x01\x01\x11\0\xff\xd9";
    let dicom = shaped(8, 8).us(tags::BITS_ALLOCATED, 16).us(tags::BITS_STORED, 12).us(tags::HIGH_BIT, 11);
    let error = imaging::decode(&dicom.encapsulated(uids::JPEG_EXTENDED12_BIT, vec![header.to_vec()]).file());
    let error = error.unwrap_err();
    assert_eq!(error.reason(), "unsupported-samples");
    assert!(error.to_string().contains("12"), "{error}");
}

#[test]
fn rle_keeps_high_bytes_apart_from_low_bytes() {
    let mut frame = vec![0; 64];
    frame[..12].copy_from_slice(&[2, 0, 0, 0, 64, 0, 0, 0, 66, 0, 0, 0]);
    frame.extend([0xfd, 0x01]); // the high bytes: four times 1
    frame.extend([0x03, 0, 100, 200, 255]); // the low bytes, as they are
    frame.push(0);
    let dicom = shaped(1, 4)
        .us(tags::BITS_ALLOCATED, 16)
        .us(tags::BITS_STORED, 16)
        .us(tags::HIGH_BIT, 15)
        .window("384", "256", "LINEAR");
    assert_eq!(dicom.encapsulated(uids::RLE_LOSSLESS, vec![frame.clone()]).grey(), [0, 100, 200, 255]);
    let longer = shaped(1, 5).us(tags::BITS_ALLOCATED, 16);
    assert_eq!(longer.encapsulated(uids::RLE_LOSSLESS, vec![frame]).reason(), "truncated");
}

#[test]
fn native_syntaxes_agree() {
    let image = || Dicom::words(12, &[0, 1000, 4095]);
    for syntax in [uids::IMPLICIT_VR_LITTLE_ENDIAN, uids::EXPLICIT_VR_LITTLE_ENDIAN, "1.2.840.10008.1.2.2"] {
        assert_eq!(image().native(syntax).grey(), [0, 62, 255], "{syntax}");
    }
}

#[test]
fn syntaxes_without_a_decoder_are_refused_by_name() {
    let dicom = shaped(1, 1).encapsulated(uids::JPEGLS_LOSSLESS, vec![vec![0, 0]]);
    let error = imaging::decode(&dicom.file()).unwrap_err();
    assert_eq!(error.reason(), "unsupported-transfer-syntax");
    assert!(error.to_string().contains("1.2.840.10008.1.2.4.80"));
}

//! Compressed frames: RLE and JPEG, whole and in fragments.

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use crate::dicom_writer::Dicom;

/// An RLE frame of these segments, whose lengths are even.
fn rle(segments: &[&[u8]]) -> Vec<u8> {
    let mut header = vec![segments.len() as u32];
    let mut start = 64;
    for segment in segments {
        header.push(start);
        start += segment.len() as u32;
    }
    header.resize(16, 0);
    [header.iter().flat_map(|number| number.to_le_bytes()).collect(), segments.concat()].concat()
}

/// 16 × 8 pixels: black left of white.
pub fn halves() -> Vec<u8> {
    (0..16 * 8).map(|at| if at % 16 < 8 { 0 } else { 255 }).collect()
}

pub fn jpeg(pixels: &[u8], columns: u16, rows: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 100)
        .encode(pixels, columns.into(), rows.into(), ExtendedColorType::L8)
        .unwrap();
    bytes
}

#[test]
fn rle_of_words_has_a_segment_per_byte() {
    // Literals 01 02 03 and three times 00: 0x0100, 0x0200, 0x0300.
    let frame = rle(&[&[2, 1, 2, 3], &[0xfe, 0]]);
    let dicom = Dicom::compressed(uids::RLE_LOSSLESS, (3, 1), vec![frame])
        .number(tags::BITS_ALLOCATED, 16)
        .bits(16, 15);
    assert_eq!(dicom.stored(), [0x100, 0x200, 0x300]);
}

#[test]
fn rle_of_colours_has_a_segment_per_component() {
    let frame = rle(&[&[1, 255, 0, 0x80], &[1, 0, 255, 0x80], &[0xff, 0]]);
    let dicom = Dicom::compressed(uids::RLE_LOSSLESS, (2, 1), vec![frame])
        .photometric("RGB")
        .number(tags::SAMPLES_PER_PIXEL, 3)
        .number(tags::PLANAR_CONFIGURATION, 0);
    assert_eq!(dicom.grey(), [76, 150]);
}

#[test]
fn a_frame_of_17_million_pixels_comes_in_small_fragments() {
    const SIDE: u16 = 4200;
    // Runs of 120 equal bytes: 35 of them make a row, every run 7 brighter than the one before.
    let runs = usize::from(SIDE) * usize::from(SIDE) / 120;
    let segment: Vec<u8> = (0..runs).flat_map(|run| [(257 - 120) as u8, (run % 35 * 7) as u8]).collect();
    let fragments: Vec<Vec<u8>> = rle(&[&segment]).chunks(1 << 16).map(<[u8]>::to_vec).collect();
    assert!(fragments.len() > 1);
    let samples = Dicom::compressed(uids::RLE_LOSSLESS, (SIDE, SIDE), fragments).stored();
    assert_eq!(samples.len(), usize::from(SIDE) * usize::from(SIDE));
    assert!(samples.iter().enumerate().all(|(at, &sample)| sample as usize == at % 4200 / 120 * 7));
}

#[test]
fn the_first_of_two_compressed_frames() {
    let frames = vec![rle(&[&[1, 5, 9]]), rle(&[&[1, 100, 200]])];
    let frames = frames.into_iter().map(|frame| [frame, vec![0]].concat()).collect();
    let dicom = Dicom::compressed(uids::RLE_LOSSLESS, (2, 1), frames);
    assert_eq!(dicom.text(tags::NUMBER_OF_FRAMES, VR::IS, "2").stored(), [5, 9]);
}

#[test]
fn jpeg_baseline_in_three_fragments() {
    let jpeg = jpeg(&halves(), 16, 8);
    let fragments: Vec<Vec<u8>> = jpeg.chunks(jpeg.len().div_ceil(6) * 2).map(<[u8]>::to_vec).collect();
    assert_eq!(fragments.len(), 3);
    let samples = Dicom::compressed(uids::JPEG_BASELINE8_BIT, (16, 8), fragments).stored();
    let far = samples.iter().zip(halves()).filter(|&(&sample, wanted)| sample.abs_diff(wanted.into()) > 2);
    assert_eq!((samples.len(), far.count()), (128, 0));
}

/// PS3.5 A.4 asks for explicit VRs; some writers leave them out.
#[test]
fn a_compressed_data_set_may_lack_vrs() {
    let pixels = vec![jpeg(&[7; 64], 8, 8)];
    let implicit = Dicom::bytes(&[0]).number(tags::COLUMNS, 8).number(tags::ROWS, 8).window("128", "256");
    let implicit = implicit.without(tags::PIXEL_DATA).in_syntax(uids::IMPLICIT_VR_LITTLE_ENDIAN).file();
    let explicit = Dicom::compressed(uids::JPEG_BASELINE8_BIT, (8, 8), pixels).file();
    let data_set = |file: &[u8]| 144 + u32::from_le_bytes(file[140..144].try_into().unwrap()) as usize;
    let pixel_data = b"\xe0\x7f\x10\0OB\0\0";
    let start = explicit.windows(8).position(|bytes| bytes == pixel_data).unwrap();
    let file = [
        &explicit[..data_set(&explicit)],
        &implicit[data_set(&implicit)..],
        &pixel_data[..4],
        &explicit[start + 8..],
    ];
    assert_eq!(imaging::decode(&file.concat()).unwrap().image.pixels, [7; 64]);
}

#[test]
fn a_jpeg_of_another_size_is_refused() {
    let fragments = vec![jpeg(&halves(), 16, 8)];
    assert_eq!(Dicom::compressed(uids::JPEG_BASELINE8_BIT, (16, 9), fragments).reason(), "malformed");
}

#[test]
fn the_first_of_two_frames_in_two_fragments_each() {
    // Without an offset table a frame ends where its JPEG does.
    let even = |grey| {
        let mut jpeg = jpeg(&[grey; 128], 16, 8);
        jpeg.extend(vec![0; jpeg.len() % 2]);
        jpeg.chunks(jpeg.len().div_ceil(4) * 2).map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    let fragments = [even(50), even(200)].concat();
    assert_eq!(fragments.len(), 4);
    let dicom = Dicom::compressed(uids::JPEG_BASELINE8_BIT, (16, 8), fragments);
    assert_eq!(dicom.text(tags::NUMBER_OF_FRAMES, VR::IS, "2").stored(), [50; 128]);
}

#[test]
fn the_luma_of_a_colour_jpeg_needs_no_transform() {
    let columns: [[u8; 3]; 3] = [[200, 30, 30], [30, 200, 30], [30, 30, 200]];
    let pixels: Vec<u8> = (0..8).flat_map(|_| (0..24).flat_map(|x| columns[x / 8])).collect();
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 100).encode(&pixels, 24, 8, ExtendedColorType::Rgb8).unwrap();
    let dicom = Dicom::compressed(uids::JPEG_BASELINE8_BIT, (24, 8), vec![jpeg])
        .photometric("YBR_FULL_422")
        .number(tags::SAMPLES_PER_PIXEL, 3)
        .number(tags::PLANAR_CONFIGURATION, 0);
    let grey = dicom.grey();
    // 0.299 · R + 0.587 · G + 0.114 · B
    for (x, luma) in [(4, 81u8), (12, 130), (20, 49)] {
        assert!(grey[3 * 24 + x].abs_diff(luma) <= 2, "{} for {luma}", grey[3 * 24 + x]);
    }
}

#[test]
fn a_jpeg_of_eight_bits_may_stand_in_sixteen() {
    let dicom = Dicom::compressed(uids::JPEG_BASELINE8_BIT, (8, 8), vec![jpeg(&[7; 64], 8, 8)]);
    let dicom = dicom.number(tags::BITS_ALLOCATED, 16).window("128", "256");
    assert_eq!(dicom.grey(), [7; 64]);
}

#[test]
fn compressed_frames_that_end_early_are_truncated() {
    let short = rle(&[&[1, 5]]);
    assert_eq!(Dicom::compressed(uids::RLE_LOSSLESS, (2, 1), vec![short]).reason(), "truncated");
    let none = Dicom::compressed(uids::RLE_LOSSLESS, (2, 1), Vec::new());
    assert_eq!(none.reason(), "truncated");
}

//! Compressed frames inside of DICOM files that describe them.

use dicom_dictionary_std::{tags, uids};

use crate::dicom_writer::Dicom;

/// Every compressed transfer syntax, with frames of `crates/imaging/tests/it/frames` and their Bits Stored.
const FRAMES: &[(&str, u8, &str)] = &[
    (uids::JPEG_BASELINE8_BIT, 8, "cmyk.jpg"),
    (uids::JPEG_EXTENDED12_BIT, 12, "extended12.jpg"),
    (uids::JPEG_LOSSLESS, 12, "lossless12.jpg"),
    (uids::JPEG_LOSSLESS_SV1, 16, "lossless16.jpg"),
    (uids::JPEG_LOSSLESS_SV1, 8, "lossless8.jpg"),
    (uids::JPEGLS_LOSSLESS, 16, "lossless16.jls"),
    (uids::JPEGLS_LOSSLESS, 8, "colour.jls"),
    (uids::JPEGLS_NEAR_LOSSLESS, 16, "near3.jls"),
    (uids::JPEG2000_LOSSLESS, 16, "lossless16.j2k"),
    (uids::JPEG2000_LOSSLESS, 8, "colour.j2k"),
    (uids::JPEG2000, 12, "lossy12.j2k"),
    (uids::HTJ2K_LOSSLESS, 16, "lossless16.jph"),
    (uids::JPEGXL_LOSSLESS, 16, "lossless16.jxl"),
    (uids::JPEGXL, 8, "lossy8.jxl"),
    (uids::JPEGXLJPEG_RECOMPRESSION, 8, "baseline.jxl"),
];
const SYNTAXES: &[&str] = &[
    uids::RLE_LOSSLESS,
    uids::JPEG_BASELINE8_BIT,
    uids::JPEG_EXTENDED12_BIT,
    uids::JPEG_LOSSLESS,
    uids::JPEG_LOSSLESS_SV1,
    uids::JPEGLS_LOSSLESS,
    uids::JPEGLS_NEAR_LOSSLESS,
    uids::JPEG2000_LOSSLESS,
    uids::JPEG2000,
    uids::HTJ2K_LOSSLESS,
    uids::JPEGXL_LOSSLESS,
    uids::JPEGXL,
    uids::JPEGXLJPEG_RECOMPRESSION,
];

/// Columns and rows of the frames of the tests.
const SIZE: [u8; 2] = [13, 9];
const SIGNED: u8 = 1;
const COLOUR: u8 = 2;
const WINDOWED: u8 = 4;

/// The DICOM file that an input stands for: syntax, Bits Stored, flags, columns, rows, then the frame.
pub fn dicom(input: &[u8]) -> Option<Vec<u8>> {
    let (&[syntax, bits, flags, columns, rows], frame) = input.split_first_chunk()?;
    let syntax = SYNTAXES[usize::from(syntax) % SYNTAXES.len()];
    let bits = u16::from(bits % 16) + 1;
    let mut dicom = Dicom::compressed(syntax, (columns.into(), rows.into()), vec![frame.to_vec()])
        .number(tags::BITS_ALLOCATED, if bits > 8 { 16 } else { 8 })
        .bits(bits, bits - 1)
        .number(tags::PIXEL_REPRESENTATION, u16::from(flags & SIGNED));
    if flags & COLOUR != 0 {
        dicom =
            dicom.photometric("RGB").number(tags::SAMPLES_PER_PIXEL, 3).number(tags::PLANAR_CONFIGURATION, 0);
    }
    if flags & WINDOWED != 0 {
        dicom = dicom.window("2000", "3000");
    }
    Some(dicom.file())
}

/// Inputs that stand for files which are read.
pub fn inputs() -> Vec<Vec<u8>> {
    let compressed = FRAMES.iter().map(|&(syntax, bits, name)| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/imaging/tests/it/frames");
        let frame = fs_err::read(format!("{folder}/{name}")).expect("a frame of the tests");
        let syntax = SYNTAXES.iter().position(|known| *known == syntax).expect("a known syntax") as u8;
        let flags = if name.starts_with("colour") { COLOUR } else { WINDOWED };
        [&[syntax, bits - 1, flags, SIZE[0], SIZE[1]], &frame[..]].concat()
    });
    // One segment: two literals, then a run of three.
    let rle = [1u32.to_le_bytes(), 64u32.to_le_bytes()].concat();
    let rle = [&[0, 7, 0, 5, 1], &rle[..], &[0; 56], &[1, 7, 8, 0xfe, 9, 0]].concat();
    compressed.chain([rle]).collect()
}

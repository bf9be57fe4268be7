//! JPEG 2000 at a lower resolution: greys of the stored image stay what they are, but for the noise.

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use imaging::{Fit, Size};

use crate::dicom_writer::Dicom;

const COLUMNS: u16 = 288;
const ROWS: u16 = 256;

/// A generated radiograph of `frames/make.py`, as the window shows it that was generated with it.
fn radiograph(syntax: &'static str, bits: u16, frame: &[u8]) -> Dicom {
    Dicom::compressed(syntax, (COLUMNS, ROWS), vec![frame.to_vec()])
        .number(tags::BITS_ALLOCATED, 16)
        .bits(bits, bits - 1)
        .window("2191", "2691")
}

fn lossless() -> Dicom {
    radiograph(uids::JPEG2000_LOSSLESS, 12, include_bytes!("frames/radiograph.j2k"))
}

fn every_kind() -> [(&'static str, Dicom); 3] {
    [
        ("lossless", lossless()),
        ("lossy", radiograph(uids::JPEG2000, 12, include_bytes!("frames/radiograph-lossy.j2k"))),
        ("HTJ2K", radiograph(uids::HTJ2K_LOSSLESS, 16, include_bytes!("frames/radiograph.jph"))),
    ]
}

/// The stored image after decoding every pixel, and after decoding no more than it needs.
fn both(dicom: Dicom, size: u32, fit: Fit) -> [Vec<u8>; 2] {
    let (file, size) = (dicom.file(), Size::Shorter(size));
    let (whole, _) = imaging::resize(&imaging::decode(&file).unwrap().image, size, fit).unwrap();
    let reduced = imaging::decode_resized(&file, size, fit).unwrap();
    assert_eq!((reduced.facts.columns, reduced.facts.rows), (COLUMNS.into(), ROWS.into()), "as published");
    assert_eq!((reduced.image.width, reduced.image.height), (whole.width, whole.height));
    [whole.pixels, reduced.image.pixels]
}

/// The greys by which two images differ, ascending.
fn differences([one, other]: [Vec<u8>; 2]) -> Vec<u8> {
    let mut differences: Vec<u8> = one.iter().zip(&other).map(|(one, other)| one.abs_diff(*other)).collect();
    differences.sort_unstable();
    differences
}

#[test]
fn where_grey_is_steep_or_padded_every_pixel_is_decoded() {
    let narrow = lossless().window("2191", "700");
    let padded = lossless().number(tags::PIXEL_PADDING_VALUE, 0);
    for dicom in [narrow, padded] {
        assert_eq!(differences(both(dicom, 32, Fit::ALL[0])).last(), Some(&0));
    }
}

#[test]
fn greys_differ_by_two_at_most_in_99_of_100_pixels() {
    for (name, dicom) in every_kind() {
        for fit in Fit::ALL {
            for size in [16, 20, 32, 42] {
                let differences = differences(both(dicom.clone(), size, fit));
                let (most, greatest) =
                    (differences[differences.len() * 99 / 100], differences.last().unwrap());
                assert!(most <= 2, "{name}, {fit} to {size}: {most}, at most {greatest}");
                assert!(*greatest > 0, "{name}, {fit} to {size}: every pixel was decoded");
            }
        }
    }
}

#[test]
fn where_every_pixel_counts_every_pixel_is_decoded() {
    let no_window = lossless().without(tags::WINDOW_CENTER).without(tags::WINDOW_WIDTH);
    let a_table = lossless().table(tags::VOILUT_SEQUENCE, [4, 2000, 8], &[0, 100, 200, 255]);
    let bits_above = lossless().bits(11, 10);
    let signed = lossless().number(tags::PIXEL_REPRESENTATION, 1);
    let shifted = lossless().bits(12, 15);
    let cases = [("no window", no_window), ("a table", a_table), ("bits above", bits_above)];
    for (name, dicom) in cases.into_iter().chain([("signed", signed), ("shifted", shifted)]) {
        assert_eq!(differences(both(dicom, 32, Fit::Keep)).last(), Some(&0), "{name}");
    }
    for size in [43, 85, 256, 300] {
        assert_eq!(differences(both(lossless(), size, Fit::Keep)).last(), Some(&0), "to {size} pixels");
    }
}

#[test]
fn a_cut_frame_is_an_error_at_every_resolution() {
    for (name, frame) in [
        ("lossless", &include_bytes!("frames/radiograph.j2k")[..]),
        ("lossy", include_bytes!("frames/radiograph-lossy.j2k")),
    ] {
        for length in (0..frame.len() - 2).step_by(frame.len() / 40) {
            let file =
                radiograph(uids::JPEG2000, 12, &frame[..length]).text(tags::MODALITY, VR::CS, "DX").file();
            let read = imaging::decode_resized(&file, Size::Shorter(32), Fit::Keep);
            assert!(read.is_err(), "{name}: {length} of {} bytes", frame.len());
        }
    }
}

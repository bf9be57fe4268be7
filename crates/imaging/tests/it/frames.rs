//! Frames of every compressed transfer syntax, made by `frames/make.py` with other programs' encoders.

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use proptest::prelude::*;

use crate::dicom_writer::Dicom;

const COLUMNS: i64 = 13;
const ROWS: i64 = 9;

macro_rules! frame {
    ($name:literal) => {
        include_bytes!(concat!("frames/", $name)).to_vec()
    };
}

/// The samples of a formula in column and row.
fn samples(formula: impl Fn(i64, i64) -> i64) -> Vec<i64> {
    (0..ROWS).flat_map(|y| (0..COLUMNS).map(move |x| (x, y))).map(|(x, y)| formula(x, y)).collect()
}

/// `steep…` of `make.py`.
fn steep(bits: u32) -> Vec<i64> {
    samples(|x, y| ((5003 * x + 977 * y) % 65_536) >> (16 - bits))
}

fn gentle12() -> Vec<i64> {
    samples(|x, y| 300 * x + 50 * y)
}

fn gentle8() -> Vec<i64> {
    samples(|x, y| 18 * x + 3 * y)
}

fn dicom(syntax: &'static str, bits: u16, frame: Vec<u8>) -> Dicom {
    let image = Dicom::compressed(syntax, (COLUMNS as u16, ROWS as u16), vec![frame]);
    if bits == 8 { image } else { image.number(tags::BITS_ALLOCATED, 16).bits(bits, bits - 1) }
}

fn colour(syntax: &'static str, photometric: &str, frame: Vec<u8>) -> Dicom {
    dicom(syntax, 8, frame)
        .photometric(photometric)
        .number(tags::SAMPLES_PER_PIXEL, 3)
        .number(tags::PLANAR_CONFIGURATION, 0)
}

fn greatest_difference(one: &[i64], other: &[i64]) -> i64 {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).map(|(one, other)| (one - other).abs()).max().unwrap()
}

#[test]
fn lossless_syntaxes_lose_nothing() {
    for (syntax, bits, frame) in [
        (uids::JPEG_LOSSLESS, 8, frame!("lossless8.jpg")),
        (uids::JPEG_LOSSLESS, 12, frame!("lossless12.jpg")),
        (uids::JPEG_LOSSLESS_SV1, 16, frame!("lossless16.jpg")),
        (uids::JPEGLS_LOSSLESS, 8, frame!("lossless8.jls")),
        (uids::JPEGLS_LOSSLESS, 16, frame!("lossless16.jls")),
        (uids::JPEG2000_LOSSLESS, 16, frame!("lossless16.j2k")),
        (uids::JPEG2000, 16, frame!("lossless16.j2k")),
        (uids::HTJ2K_LOSSLESS, 16, frame!("lossless16.jph")),
        (uids::HTJ2K_LOSSLESS_RPCL, 16, frame!("lossless16.jph")),
        (uids::HTJ2K, 16, frame!("lossless16.jph")),
        (uids::JPEGXL_LOSSLESS, 8, frame!("lossless8.jxl")),
        (uids::JPEGXL_LOSSLESS, 16, frame!("lossless16.jxl")),
    ] {
        assert_eq!(dicom(syntax, bits, frame).stored(), steep(u32::from(bits)), "{syntax}, {bits} bits");
    }
}

#[test]
fn lossy_syntaxes_stay_close() {
    for (syntax, bits, frame, original, close) in [
        (uids::JPEG_EXTENDED12_BIT, 12, frame!("extended12.jpg"), gentle12(), 40),
        (uids::JPEGLS_NEAR_LOSSLESS, 16, frame!("near3.jls"), steep(16), 3),
        (uids::JPEG2000, 12, frame!("lossy12.j2k"), gentle12(), 8),
        (uids::JPEGXL, 8, frame!("lossy8.jxl"), gentle8(), 4),
        (uids::JPEGXLJPEG_RECOMPRESSION, 8, frame!("baseline.jxl"), gentle8(), 4),
    ] {
        let far = greatest_difference(&dicom(syntax, bits, frame).stored(), &original);
        assert!(far <= close, "{syntax}: {far}");
    }
}

#[test]
fn signed_samples_keep_their_sign_through_a_codec() {
    let signed: Vec<i64> = steep(16).into_iter().map(|sample| i64::from(sample as u16 as i16)).collect();
    for (syntax, frame) in [
        (uids::JPEG_LOSSLESS_SV1, frame!("lossless16.jpg")),
        (uids::JPEGLS_LOSSLESS, frame!("lossless16.jls")),
        (uids::JPEG2000_LOSSLESS, frame!("lossless16.j2k")),
    ] {
        assert_eq!(
            dicom(syntax, 16, frame).number(tags::PIXEL_REPRESENTATION, 1).stored(),
            signed,
            "{syntax}"
        );
    }
}

#[test]
fn colours_of_a_codec_become_luma() {
    let luma = samples(|x, y| (19_595 * 18 * x + 38_470 * 28 * y + 7_471 * (255 - 18 * x) + 0x8000) >> 16);
    for (name, dicom) in [
        ("JPEG-LS", colour(uids::JPEGLS_LOSSLESS, "RGB", frame!("colour.jls"))),
        ("JPEG 2000", colour(uids::JPEG2000_LOSSLESS, "YBR_RCT", frame!("colour.j2k"))),
    ] {
        let grey: Vec<i64> = dicom.grey().into_iter().map(i64::from).collect();
        assert_eq!(greatest_difference(&grey, &luma), 0, "{name}");
    }
}

#[test]
fn every_cut_through_a_frame_is_an_error() {
    for (syntax, bits, frame) in [
        (uids::JPEG_EXTENDED12_BIT, 12, frame!("extended12.jpg")),
        (uids::JPEG_LOSSLESS_SV1, 16, frame!("lossless16.jpg")),
        (uids::JPEGLS_LOSSLESS, 16, frame!("lossless16.jls")),
        (uids::JPEG2000_LOSSLESS, 16, frame!("lossless16.j2k")),
        (uids::HTJ2K_LOSSLESS, 16, frame!("lossless16.jph")),
        (uids::JPEGXL_LOSSLESS, 16, frame!("lossless16.jxl")),
    ] {
        for length in (0..frame.len() - 2).step_by(2) {
            let reason = dicom(syntax, bits, frame[..length].to_vec()).reason();
            let expected = ["truncated", "malformed", "decoder-failed", "unsupported-samples"];
            assert!(expected.contains(&reason), "{syntax}, {length} bytes: {reason}");
        }
    }
}

#[test]
fn a_frame_of_another_size_is_refused() {
    for (syntax, frame) in [
        (uids::JPEG_LOSSLESS_SV1, frame!("lossless8.jpg")),
        (uids::JPEGLS_LOSSLESS, frame!("lossless8.jls")),
        (uids::JPEG2000_LOSSLESS, frame!("lossless16.j2k")),
        (uids::JPEGXL_LOSSLESS, frame!("lossless8.jxl")),
    ] {
        let taller = dicom(syntax, 8, frame).number(tags::ROWS, ROWS as u16 + 1);
        assert_eq!(taller.reason(), "malformed", "{syntax}");
    }
}

#[test]
fn the_first_frame_of_several_is_decoded_and_counted() {
    let even = |mut frame: Vec<u8>| {
        frame.extend(vec![0; frame.len() % 2]);
        frame
    };
    let frames = vec![even(frame!("lossless16.jls")), even(frame!("near3.jls"))];
    let dicom = Dicom::compressed(uids::JPEGLS_NEAR_LOSSLESS, (COLUMNS as u16, ROWS as u16), frames)
        .number(tags::BITS_ALLOCATED, 16)
        .bits(16, 15)
        .text(tags::NUMBER_OF_FRAMES, VR::IS, "2");
    assert_eq!(dicom.clone().stored(), steep(16));
    assert_eq!(imaging::decode(&dicom.file()).unwrap().facts.frames, 2);
}

/// One frame for each decoder.
fn every_codec() -> Vec<(&'static str, u16, Vec<u8>)> {
    vec![
        (uids::JPEG_BASELINE8_BIT, 8, frame!("cmyk.jpg")),
        (uids::JPEG_EXTENDED12_BIT, 12, frame!("extended12.jpg")),
        (uids::JPEG_LOSSLESS_SV1, 16, frame!("lossless16.jpg")),
        (uids::JPEGLS_LOSSLESS, 16, frame!("lossless16.jls")),
        (uids::JPEGLS_NEAR_LOSSLESS, 16, frame!("near3.jls")),
        (uids::JPEG2000, 12, frame!("lossy12.j2k")),
        (uids::HTJ2K_LOSSLESS, 16, frame!("lossless16.jph")),
        (uids::JPEGXL_LOSSLESS, 16, frame!("lossless16.jxl")),
        (uids::JPEGXL, 8, frame!("lossy8.jxl")),
        (uids::JPEGXLJPEG_RECOMPRESSION, 8, frame!("baseline.jxl")),
    ]
}

proptest! {
    #[test]
    fn noise_in_a_frame_is_never_a_panic(
        (syntax, bits, mut frame) in prop::sample::select(every_codec()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        for (at, byte) in changes {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        match imaging::decode(&dicom(syntax, bits, frame).file()) {
            Ok(radiograph) => prop_assert_eq!(radiograph.image.pixels.len() as i64, COLUMNS * ROWS),
            Err(error) => prop_assert_ne!(error.reason(), "decoder-panicked", "{}: {}", syntax, error),
        }
    }
}

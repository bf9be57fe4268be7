//! From pixel cells to stored samples: bits, signs, byte orders, frames.

use dicom_core::{PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};

use crate::dicom_writer::Dicom;

const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

#[test]
fn signed_samples_keep_their_sign_without_a_window() {
    let dicom = Dicom::signed(&[-1000, 0, 1000]);
    assert_eq!(dicom.clone().stored(), [-1000, 0, 1000]);
    assert_eq!(dicom.grey(), [0, 128, 255]);
}

#[test]
fn eight_bits_stored_in_sixteen_are_no_black_image() {
    let dicom = Dicom::words(&[0, 51, 255]).bits(8, 7);
    assert_eq!(dicom.clone().grey(), [0, 51, 255]);
    // LINEAR: (v − 127.5) / 255 + 0.5 = v / 255.
    assert_eq!(dicom.window("128", "256").grey(), [0, 51, 255]);
}

#[test]
fn samples_below_a_high_bit_are_shifted_down() {
    let dicom = Dicom::words(&[0x000f, 819 << 4 | 7, 4095 << 4]).bits(12, 15);
    assert_eq!(dicom.clone().stored(), [0, 819, 4095]);
    assert_eq!(dicom.grey(), [0, 51, 255]);
}

#[test]
fn overlay_bits_above_the_samples_are_dropped() {
    let unsigned = Dicom::words(&[0xf000, 0x1000 | 819, 0x8000 | 4095]).bits(12, 11);
    assert_eq!(unsigned.stored(), [0, 819, 4095]);
    // The sign is bit 11, whatever lies above it.
    let signed = Dicom::words(&[0x0800, 0x0fff, 0xf001, 0x17ff]).bits(12, 11);
    assert_eq!(signed.number(tags::PIXEL_REPRESENTATION, 1).stored(), [-2048, -1, 1, 2047]);
}

#[test]
fn bits_on_both_sides_of_a_sample_are_dropped() {
    let shifted = Dicom::words(&[0x000f, 0xf07f, 0x0fff]).bits(8, 11);
    assert_eq!(shifted.stored(), [0, 7, 255]);
}

#[test]
fn twelve_and_ten_bits_have_their_own_sign() {
    for bits in [10u16, 12] {
        let cells = [-500i16, 0, 500].map(|value| value as u16 & ((1 << bits) - 1));
        let dicom = Dicom::words(&cells).bits(bits, bits - 1).number(tags::PIXEL_REPRESENTATION, 1);
        assert_eq!(dicom.clone().stored(), [-500, 0, 500], "{bits} bits");
        assert_eq!(dicom.grey(), [0, 128, 255], "{bits} bits");
    }
}

#[test]
fn single_bits_begin_with_the_lowest_of_a_byte() {
    let bits = Dicom::bytes(&[0b0000_0101, 0b10]).number(tags::BITS_ALLOCATED, 1).bits(1, 0);
    let odd = bits.number(tags::COLUMNS, 5).number(tags::ROWS, 2);
    let samples = [1, 0, 1, 0, 0, 0, 0, 0, 0, 1];
    assert_eq!(odd.clone().stored(), samples);
    assert_eq!(odd.grey(), samples.map(|bit| bit as u8 * 255));
}

#[test]
fn samples_of_32_bits() {
    let bytes: Vec<u8> = [1u32, 1 << 31, u32::MAX].iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let dicom = Dicom::bytes(&bytes).number(tags::COLUMNS, 3).number(tags::BITS_ALLOCATED, 32).bits(32, 31);
    assert_eq!(dicom.clone().stored(), [1, 1 << 31, (1 << 32) - 1]);
    assert_eq!(dicom.clone().grey(), [0, 128, 255]);
    let signed = dicom.number(tags::PIXEL_REPRESENTATION, 1);
    assert_eq!(signed.clone().stored(), [1, -(1 << 31), -1]);
    assert_eq!(signed.grey(), [255, 0, 255]);
}

#[test]
fn an_odd_number_of_bytes_is_padded() {
    let padded = Dicom::bytes(&[1, 2, 3, 0]).number(tags::COLUMNS, 3);
    assert_eq!(padded.stored(), [1, 2, 3]);
}

#[test]
fn one_pixel_is_an_image() {
    assert_eq!(Dicom::words(&[700]).grey(), [0]);
    assert_eq!(Dicom::words(&[700]).photometric("MONOCHROME1").grey(), [255]);
    assert_eq!(Dicom::words(&[700]).window("0", "10").grey(), [255]);
}

#[test]
fn every_native_syntax_gives_the_same_samples() {
    for syntax in [
        uids::IMPLICIT_VR_LITTLE_ENDIAN,
        uids::EXPLICIT_VR_LITTLE_ENDIAN,
        uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
        BIG_ENDIAN,
    ] {
        assert_eq!(Dicom::words(&[1, 256, 515]).in_syntax(syntax).stored(), [1, 256, 515], "{syntax}");
    }
}

#[test]
fn bytes_in_words_come_low_byte_first() {
    let words = PrimitiveValue::U16([0x0201, 0x0403].as_slice().into());
    let dicom = Dicom::bytes(&[0; 4]).with(tags::PIXEL_DATA, VR::OW, words);
    assert_eq!(dicom.clone().stored(), [1, 2, 3, 4]);
    assert_eq!(dicom.in_syntax(BIG_ENDIAN).stored(), [1, 2, 3, 4]);
}

#[test]
fn a_missing_high_bit_is_the_one_below_bits_stored() {
    assert_eq!(Dicom::words(&[0xf001, 7]).bits(12, 11).without(tags::HIGH_BIT).stored(), [1, 7]);
}

#[test]
fn of_several_frames_the_first_is_read() {
    let dicom = Dicom::bytes(&[0, 10, 20, 200, 210, 220]).number(tags::COLUMNS, 3).text(
        tags::NUMBER_OF_FRAMES,
        VR::IS,
        "2",
    );
    let radiograph = imaging::decode(&dicom.file()).unwrap();
    assert_eq!(radiograph.image.pixels, [0, 128, 255]);
    assert_eq!((radiograph.facts.rows, radiograph.facts.columns, radiograph.facts.frames), (1, 3, 2));
}

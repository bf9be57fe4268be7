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

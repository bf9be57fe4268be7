//! Files that give no image, and why.

use dicom_core::{PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use proptest::prelude::*;

use crate::dicom_writer::Dicom;

fn good() -> Dicom {
    Dicom::words(&[0, 1, 2, 3])
}

#[test]
fn without_pixels_there_is_no_image() {
    assert_eq!(good().without(tags::PIXEL_DATA).reason(), "no-pixel-data");
}

#[test]
fn without_a_description_pixels_mean_nothing() {
    for tag in [
        tags::ROWS,
        tags::COLUMNS,
        tags::BITS_ALLOCATED,
        tags::BITS_STORED,
        tags::SAMPLES_PER_PIXEL,
        tags::PIXEL_REPRESENTATION,
        tags::PHOTOMETRIC_INTERPRETATION,
    ] {
        assert_eq!(good().without(tag).reason(), "missing-attribute", "{tag}");
    }
    for half_a_window in [tags::WINDOW_CENTER, tags::WINDOW_WIDTH] {
        assert_eq!(good().text(half_a_window, VR::DS, "1").reason(), "missing-attribute");
    }
}

#[test]
fn every_cut_through_a_file_is_an_error() {
    let file = good().file();
    for length in 0..file.len() {
        let error = imaging::decode(&file[..length]).expect_err("a part of a file");
        assert_ne!(error.reason(), "decoder-panicked", "{length} bytes");
    }
    let error = imaging::decode(&file[..file.len() - 1]).unwrap_err();
    assert_eq!(error.reason(), "truncated");
}

/// Found by fuzzing (`just fuzz dicom`): a parser read no number where a length of 2 holds none, took the rest for the
/// next element, and set 4 GB aside for what it read there.
#[test]
fn a_length_that_is_no_multiple_of_its_numbers_is_malformed() {
    let mut file = good().file();
    let bits_stored = b"\x28\x00\x01\x01US";
    let at = file.windows(6).position(|window| window == bits_stored).unwrap();
    file[at + 4..at + 6].copy_from_slice(b"FD");
    let error = imaging::decode(&file).unwrap_err();
    assert_eq!(error.reason(), "malformed");
    assert!(error.to_string().contains("VR FD"), "{error}");
}

/// Found by fuzzing (`just fuzz dicom`): a parser took fragments under a tag beside that of the pixels for a sequence, and
/// the compressed bytes for elements of hundreds of megabytes.
#[test]
fn a_value_without_a_length_is_pixels_or_a_sequence() {
    let mut file = Dicom::compressed(uids::JPEG2000_LOSSLESS, (1, 1), vec![vec![7; 64]]).file();
    let pixel_data = b"\xe0\x7f\x10\x00OB";
    let at = file.windows(6).position(|window| window == pixel_data).unwrap();
    file[at + 2] = 0x12;
    let error = imaging::decode(&file).unwrap_err();
    assert_eq!(error.reason(), "malformed");
    assert!(error.to_string().contains("has no length"), "{error}");
}

#[test]
fn fewer_samples_than_pixels_are_truncated() {
    assert_eq!(good().number(tags::ROWS, 2).reason(), "truncated");
}

#[test]
fn sizes_that_no_radiograph_has() {
    let huge = good().number(tags::ROWS, u16::MAX).number(tags::COLUMNS, u16::MAX);
    assert_eq!(huge.reason(), "too-large");
    assert_eq!(good().number(tags::ROWS, 0).reason(), "malformed");
}

#[test]
fn samples_of_other_kinds() {
    assert_eq!(good().number(tags::BITS_ALLOCATED, 64).bits(64, 63).reason(), "unsupported-samples");
    assert_eq!(good().number(tags::BITS_ALLOCATED, 12).bits(12, 11).reason(), "unsupported-samples");
    let floats = PrimitiveValue::F32([0.5; 4].as_slice().into());
    let floats = good().without(tags::PIXEL_DATA).with(tags::FLOAT_PIXEL_DATA, VR::OF, floats);
    assert_eq!(floats.reason(), "unsupported-samples");
    assert_eq!(good().photometric("HSV").reason(), "unsupported-photometric");
}

#[test]
fn descriptions_that_contradict_themselves() {
    assert_eq!(good().bits(17, 16).reason(), "malformed");
    assert_eq!(good().bits(12, 10).reason(), "malformed");
    assert_eq!(good().bits(0, 0).reason(), "malformed");
    assert_eq!(Dicom::bytes(&[1]).bits(9, 8).reason(), "malformed");
    assert_eq!(Dicom::bytes(&[1]).bits(8, 3).reason(), "malformed");
    assert_eq!(good().window("wide", "256").reason(), "malformed");
    assert_eq!(good().photometric("RGB").reason(), "malformed", "one sample per pixel");
    assert_eq!(good().text(tags::RESCALE_SLOPE, VR::DS, "0").reason(), "malformed");
    assert_eq!(good().text(tags::RESCALE_SLOPE, VR::DS, "steep").reason(), "malformed");
    assert_eq!(good().window("1", "0").reason(), "malformed");
    assert_eq!(good().window("1", "4").function("CUBIC").reason(), "malformed");
    assert_eq!(good().table(tags::VOILUT_SEQUENCE, [2, 0, 32], &[0, 1]).reason(), "malformed");
    assert_eq!(good().table(tags::VOILUT_SEQUENCE, [3, 0, 16], &[0, 1]).reason(), "truncated");
}

#[test]
fn a_syntax_without_a_decoder_is_named() {
    let file = Dicom::compressed(uids::MPEG2MPML, (1, 1), vec![vec![0; 2]]).file();
    let error = imaging::decode(&file).unwrap_err();
    assert_eq!(error.reason(), "unsupported-transfer-syntax");
    assert!(error.to_string().contains("1.2.840.10008.1.2.4.100"), "{error}");
}

#[test]
fn pixels_that_are_not_what_the_syntax_says() {
    let native = good().in_syntax(uids::JPEG_BASELINE8_BIT);
    assert_eq!(native.reason(), "malformed");
    let encapsulated = Dicom::compressed(uids::EXPLICIT_VR_LITTLE_ENDIAN, (1, 1), vec![vec![0; 2]]);
    assert_eq!(encapsulated.reason(), "malformed");
    let noise = Dicom::compressed(uids::JPEG2000_LOSSLESS, (1, 1), vec![vec![7; 64]]);
    assert_eq!(noise.reason(), "malformed");
}

#[test]
fn a_data_set_without_file_meta_information() {
    let file = good().text(tags::MODALITY, VR::CS, "DX").file();
    let modality = b"\x08\0\x60\0CS";
    let start = file.windows(modality.len()).position(|bytes| bytes == modality).unwrap();
    assert_eq!(imaging::decode(&file[start..]).unwrap_err().reason(), "no-file-meta");
}

#[test]
fn preamble_magic_and_group_length_may_be_absent() {
    let file = good().file();
    let pixels = imaging::decode(&file).unwrap().image.pixels;
    for start in [128, 132, 132 + 12] {
        assert_eq!(imaging::decode(&file[start..]).unwrap().image.pixels, pixels, "from byte {start}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn noise_is_never_a_panic(changes in prop::collection::vec((0usize..1000, any::<u8>()), 1..8)) {
        let mut file = good().text(tags::MODALITY, VR::CS, "DX").file();
        let length = file.len();
        for (at, byte) in changes {
            file[at % length] = byte;
        }
        match imaging::decode(&file) {
            Ok(radiograph) => {
                let image = radiograph.image;
                prop_assert_eq!(image.pixels.len() as u64, u64::from(image.width) * u64::from(image.height));
            }
            Err(error) => prop_assert_ne!(error.reason(), "decoder-panicked"),
        }
    }
}

#[test]
fn other_files() {
    for bytes in [&b""[..], b"GIF89a", b"<html></html>", &[0; 1000]] {
        assert_eq!(imaging::decode(bytes).unwrap_err().reason(), "not-an-image");
    }
}

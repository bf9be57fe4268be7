//! Stored samples to display grey: every way in which readers get it wrong, by hand.

use dicom_core::{PrimitiveValue, VR};
use dicom_dictionary_std::tags;

use crate::synthetic::Dicom;

/// Under this window an 8-bit value is its own grey: `(x − 127.5) / 255 + 0.5 = x / 255`.
fn identity(dicom: Dicom) -> Dicom {
    dicom.window("128", "256", "LINEAR")
}

#[test]
fn signed_samples_are_extended_before_the_extent_is_taken() {
    let cells = [-1000i16, 0, 1000].map(|value| value as u16);
    assert_eq!(Dicom::words(16, &cells).signed().grey(), [0, 128, 255]);
    let twelve_bits = cells.map(|cell| cell & 0xfff);
    assert_eq!(Dicom::words(12, &twelve_bits).signed().grey(), [0, 128, 255]);
}

#[test]
fn eight_bits_stored_in_sixteen_are_not_black() {
    assert_eq!(identity(Dicom::words(8, &[0, 7, 128, 255])).grey(), [0, 7, 128, 255]);
}

#[test]
fn bits_around_the_stored_ones_are_dropped() {
    let overlay_above = [0xff00, 0x1207, 0x8080];
    assert_eq!(identity(Dicom::words(8, &overlay_above)).grey(), [0, 7, 128]);
    let shifted = [0x000f, 0xf07f, 0x0fff];
    assert_eq!(identity(Dicom::words(8, &shifted).us(tags::HIGH_BIT, 11)).grey(), [0, 7, 255]);
}

#[test]
fn a_modality_lut_comes_before_the_window() {
    let lut = PrimitiveValue::U16([200u16, 100, 50][..].into());
    let dicom = Dicom::words(12, &[0, 10, 11, 12, 4095]).lut(tags::MODALITY_LUT_SEQUENCE, [3, 10, 8], lut);
    assert_eq!(
        identity(dicom).grey(),
        [200, 200, 100, 50, 50],
        "inputs outside take the first or last entry"
    );
}

#[test]
fn rescale_is_read_even_when_its_vr_is_unknown() {
    let dicom = |vr| {
        let number = |text: &str| match vr {
            VR::UN => PrimitiveValue::U8(text.as_bytes().into()),
            _ => PrimitiveValue::from(text),
        };
        identity(Dicom::words(12, &[10, 60, 100])).with(tags::RESCALE_SLOPE, vr, number("2 ")).with(
            tags::RESCALE_INTERCEPT,
            vr,
            number("-20 "),
        )
    };
    assert_eq!(dicom(VR::DS).grey(), [0, 100, 180]);
    assert_eq!(dicom(VR::UN).grey(), [0, 100, 180]);
}

#[test]
fn a_voi_lut_may_have_more_bits_than_the_image() {
    let entries: Vec<u16> = (0..256).map(|value| value * 16).collect();
    let lut = PrimitiveValue::U16(entries[..].into());
    let dicom = Dicom::bytes(&[0, 128, 255]).lut(tags::VOILUT_SEQUENCE, [256, 0, 12], lut);
    // 2048 / 4095 and 4080 / 4095 of 255.
    assert_eq!(dicom.grey(), [0, 128, 254]);
}

#[test]
fn a_voi_lut_goes_before_a_window_and_may_begin_below_zero() {
    let cells = [-2i16, -1, 0, 5].map(|value| value as u16);
    let lut = PrimitiveValue::U8([10u8, 20, 30, 40][..].into());
    let first = -2i16 as u16;
    let dicom = Dicom::words(16, &cells).signed().lut(tags::VOILUT_SEQUENCE, [4, first, 8], lut);
    assert_eq!(identity(dicom).grey(), [10, 20, 30, 40]);
}

#[test]
fn of_several_windows_the_first_is_taken() {
    let dicom = Dicom::bytes(&[0, 100, 255, 255, 100, 0])
        .us(tags::COLUMNS, 3)
        .text(tags::NUMBER_OF_FRAMES, VR::IS, "2")
        .window("128\\1000", "256\\1", "LINEAR");
    assert_eq!(dicom.grey(), [0, 100, 255], "of the first frame");
}

#[test]
fn monochrome1_is_inverted_after_the_window() {
    let dicom = Dicom::bytes(&[0, 64, 128, 255]).window("64", "128", "LINEAR_EXACT");
    let inverted = dicom.text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME1");
    // 1 − x / 128 of 255, half a level rounded up; inverted first, 128 would be 253.
    assert_eq!(inverted.grey(), [255, 128, 0, 0]);
}

#[test]
fn a_sigmoid_does_not_clip() {
    let dicom = Dicom::bytes(&[0, 128, 255]).window("128", "256", "SIGMOID");
    // 1 / (1 + e²) = 0.1192, 1 / 2, 1 / (1 + e^(−4 · 127 / 256)) = 0.8792.
    assert_eq!(dicom.grey(), [30, 128, 224]);
}

#[test]
fn an_image_of_one_value_is_black() {
    assert_eq!(Dicom::words(12, &[77, 77]).grey(), [0, 0]);
}

#[test]
fn what_has_no_right_answer_is_an_error() {
    let image = || Dicom::bytes(&[1, 2]);
    let wrong = [
        (image().window("128", "0", "LINEAR"), "malformed"),
        (image().window("128", "256", "GAMMA"), "malformed"),
        (image().window("wide", "256", "LINEAR"), "malformed"),
        (image().text(tags::WINDOW_WIDTH, VR::DS, "256"), "missing-attribute"),
        (image().text(tags::RESCALE_SLOPE, VR::DS, "0"), "malformed"),
        (image().us(tags::BITS_STORED, 9), "malformed"),
        (image().us(tags::HIGH_BIT, 3), "malformed"),
        (image().us(tags::BITS_ALLOCATED, 1), "unsupported-samples"),
        (image().us(tags::BITS_ALLOCATED, 32), "unsupported-samples"),
        (image().without(tags::PIXEL_REPRESENTATION), "missing-attribute"),
        (image().us(tags::ROWS, 2), "truncated"),
        (image().us(tags::ROWS, 0), "malformed"),
        (image().us(tags::ROWS, 65_535).us(tags::COLUMNS, 65_535), "too-large"),
        (image().text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "HSV"), "unsupported-photometric"),
        (image().without(tags::PIXEL_DATA), "no-pixel-data"),
        (
            image().without(tags::PIXEL_DATA).with(
                tags::FLOAT_PIXEL_DATA,
                VR::OF,
                PrimitiveValue::F32([0.5, 1.0][..].into()),
            ),
            "unsupported-samples",
        ),
    ];
    for (case, (dicom, reason)) in wrong.into_iter().enumerate() {
        assert_eq!(dicom.reason(), reason, "case {case}");
    }
}

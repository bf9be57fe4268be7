//! From stored samples to display grey: Modality LUT, VOI LUT, inversion.

use dicom_core::{PrimitiveValue, VR};
use dicom_dictionary_std::tags;

use crate::dicom_writer::Dicom;

#[test]
fn without_a_window_the_frame_fills_the_greys() {
    assert_eq!(Dicom::bytes(&[100, 110, 150]).grey(), [0, 51, 255]);
    assert_eq!(Dicom::bytes(&[100; 3]).grey(), [0; 3], "a blank frame is black");
}

#[test]
fn slope_and_intercept_come_before_the_window() {
    // Modality values −1024, 0 and 1024.
    let dicom = Dicom::words(&[0, 512, 1024]).window("0", "2048").function("LINEAR_EXACT");
    let rescaled =
        dicom.clone().text(tags::RESCALE_SLOPE, VR::DS, "2").text(tags::RESCALE_INTERCEPT, VR::DS, "-1024");
    assert_eq!(rescaled.grey(), [0, 128, 255]);
    let unknown = |text: &str| PrimitiveValue::U8(text.as_bytes().into());
    let unknown = dicom.with(tags::RESCALE_SLOPE, VR::UN, unknown("2 ")).with(
        tags::RESCALE_INTERCEPT,
        VR::UN,
        unknown("-1024 "),
    );
    assert_eq!(unknown.grey(), [0, 128, 255], "VR UN is text too");
}

#[test]
fn a_negative_slope_turns_black_to_white() {
    assert_eq!(Dicom::bytes(&[0, 100]).text(tags::RESCALE_SLOPE, VR::DS, "-1").grey(), [255, 0]);
}

#[test]
fn a_modality_lut_holds_its_ends() {
    // Modality values 100, 100, 200, 400, 400.
    let dicom = Dicom::words(&[5, 10, 11, 13, 99]).table(
        tags::MODALITY_LUT_SEQUENCE,
        [4, 10, 16],
        &[100, 200, 300, 400],
    );
    assert_eq!(dicom.clone().grey(), [0, 0, 85, 255, 255]);
    // LINEAR_EXACT: (v − 200) / 200 + 0.5.
    let windowed = dicom.window("200", "200").function("LINEAR_EXACT");
    assert_eq!(windowed.grey(), [0, 0, 128, 255, 255]);
}

#[test]
fn a_twelve_bit_voi_lut_fits_an_eight_bit_image() {
    let dicom = Dicom::bytes(&[0, 1, 2, 200]).table(tags::VOILUT_SEQUENCE, [3, 0, 12], &[0, 1365, 4095]);
    assert_eq!(dicom.clone().grey(), [0, 85, 255, 255]);
    assert_eq!(dicom.window("1", "1").grey(), [0, 85, 255, 255], "the table comes before a window");
}

#[test]
fn a_voi_lut_of_signed_values_begins_below_zero() {
    let minus_one = 0xffff;
    let entries = [0, 1365, 4095];
    let dicom = Dicom::signed(&[-5, -1, 0, 1, 9]);
    let signed = dicom.table(tags::VOILUT_SEQUENCE, [3, minus_one, 12], &entries);
    assert_eq!(signed.grey(), [0, 0, 85, 255, 255]);
    let rescaled = Dicom::bytes(&[0, 1, 2]).text(tags::RESCALE_INTERCEPT, VR::DS, "-1").table(
        tags::VOILUT_SEQUENCE,
        [3, minus_one, 12],
        &entries,
    );
    assert_eq!(rescaled.grey(), [0, 85, 255]);
}

#[test]
fn an_eight_bit_voi_lut_goes_before_a_window() {
    let minus_two = -2i16 as u16;
    let dicom = Dicom::signed(&[-2, -1, 0, 5]).window("128", "256");
    let packed = [10 | 20 << 8, 30 | 40 << 8];
    assert_eq!(dicom.table(tags::VOILUT_SEQUENCE, [4, minus_two, 8], &packed).grey(), [10, 20, 30, 40]);
}

#[test]
fn a_sixteen_bit_voi_lut_may_hold_every_input() {
    // A descriptor of 0 stands for 65,536 entries.
    let entries: Vec<u16> = (0..=u16::MAX).rev().collect();
    let dicom = Dicom::words(&[0, 0x8000, u16::MAX]).table(tags::VOILUT_SEQUENCE, [0, 0, 16], &entries);
    assert_eq!(dicom.grey(), [255, 127, 0]);
}

#[test]
fn a_partial_voi_lut_holds_its_ends() {
    let dicom = Dicom::words(&[0, 1000, 1001, 1002, 4095]).bits(12, 11);
    let table = dicom.table(tags::VOILUT_SEQUENCE, [3, 1000, 8], &[51, 102, 204]);
    assert_eq!(table.grey(), [51, 51, 102, 204, 204]);
}

#[test]
fn a_fractional_slope_is_no_whole_one() {
    // Modality values 0, 0.5, 1 under LINEAR_EXACT: v.
    let dicom = Dicom::bytes(&[0, 2, 4]).window("0.5", "1").function("LINEAR_EXACT");
    assert_eq!(dicom.text(tags::RESCALE_SLOPE, VR::DS, "2.5E-1").grey(), [0, 128, 255]);
}

#[test]
fn a_negative_slope_comes_before_the_window() {
    // Modality values 0, −100, −255 under LINEAR: (v + 255) / 255.
    let dicom = Dicom::bytes(&[0, 100, 255]).window("-127", "256");
    assert_eq!(dicom.text(tags::RESCALE_SLOPE, VR::DS, "-1").grey(), [255, 155, 0]);
}

#[test]
fn a_table_of_bytes_may_lie_in_words() {
    let packed = [0x5500, 0x00ff];
    let dicom = Dicom::bytes(&[0, 1, 2]).table(tags::VOILUT_SEQUENCE, [3, 0, 8], &packed);
    assert_eq!(dicom.grey(), [0, 0x55, 255]);
}

#[test]
fn linear_window() {
    // (v − 99.5) / 100 + 0.5 above 49.5, up to 149.5.
    let dicom = Dicom::bytes(&[0, 49, 50, 100, 149, 150, 255]).window("100", "101");
    let expected = [0, 0, 1, 129, 254, 255, 255];
    assert_eq!(dicom.clone().grey(), expected, "the default");
    assert_eq!(dicom.function("LINEAR").grey(), expected);
}

#[test]
fn linear_exact_window() {
    // (v − 100) / 100 + 0.5 above 50, up to 150.
    let dicom = Dicom::bytes(&[0, 50, 100, 125, 150, 255]).window("100", "100");
    assert_eq!(dicom.function("LINEAR_EXACT").grey(), [0, 0, 128, 191, 255, 255]);
}

#[test]
fn sigmoid_window() {
    // 1 / (1 + exp(−4 · (v − 100) / 40)).
    let dicom = Dicom::bytes(&[0, 90, 100, 110, 255]).window("100", "40");
    assert_eq!(dicom.function("SIGMOID").grey(), [0, 69, 128, 186, 255]);
}

#[test]
fn of_several_windows_the_first_holds_for_every_frame() {
    let dicom = Dicom::bytes(&[50, 100, 125, 150, 50, 100, 125, 150])
        .number(tags::COLUMNS, 4)
        .text(tags::NUMBER_OF_FRAMES, VR::IS, "2")
        .with(
            tags::WINDOW_CENTER,
            VR::DS,
            PrimitiveValue::Strs(["100".into(), "10".into()].as_slice().into()),
        )
        .with(
            tags::WINDOW_WIDTH,
            VR::DS,
            PrimitiveValue::Strs(["100".into(), "20".into()].as_slice().into()),
        );
    assert_eq!(dicom.function("LINEAR_EXACT").grey(), [0, 128, 191, 255]);
}

#[test]
fn padding_is_black_and_no_extreme() {
    let of = |samples: &[u8], value: u16| Dicom::bytes(samples).number(tags::PIXEL_PADDING_VALUE, value);
    assert_eq!(of(&[0, 100, 110, 150], 0).grey(), [0, 0, 51, 255]);
    assert_eq!(of(&[0, 100, 110, 150], 0).photometric("MONOCHROME1").grey(), [0, 255, 204, 0]);
    let range = of(&[0, 7, 100, 150], 0).number(tags::PIXEL_PADDING_RANGE_LIMIT, 7);
    assert_eq!(range.grey(), [0, 0, 0, 255]);
    let windowed = of(&[0, 50, 125, 150], 0).window("100", "100").function("LINEAR_EXACT");
    assert_eq!(windowed.photometric("MONOCHROME1").grey(), [0, 255, 64, 0]);
    // A value of the other sign's VR is of the same bits.
    let signed = Dicom::signed(&[-32768, 0, 100]).number(tags::PIXEL_PADDING_VALUE, 0x8000);
    assert_eq!(signed.grey(), [0, 0, 255]);
    let signed = Dicom::signed(&[-2000, 0, 100]).with(
        tags::PIXEL_PADDING_VALUE,
        VR::SS,
        PrimitiveValue::from(-2000_i16),
    );
    assert_eq!(signed.grey(), [0, 0, 255]);
    assert_eq!(of(&[9, 9], 9).grey(), [0, 0], "nothing but padding");
}

#[test]
fn an_enhanced_file_says_in_its_functional_groups_how_it_is_shown() {
    let plain = || Dicom::words(&[0, 500, 1000, 1500]);
    let window = |centre: &str, width: &str| {
        [
            (tags::WINDOW_CENTER, VR::DS, centre.to_owned()),
            (tags::WINDOW_WIDTH, VR::DS, width.to_owned()),
            (tags::VOILUT_FUNCTION, VR::CS, "LINEAR_EXACT".to_owned()),
        ]
    };
    let slope = [
        (tags::RESCALE_SLOPE, VR::DS, "2".to_owned()),
        (tags::RESCALE_INTERCEPT, VR::DS, "-1000".to_owned()),
    ];
    let shared = plain()
        .group(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, tags::FRAME_VOILUT_SEQUENCE, &window("0", "2000"))
        .grey();
    assert_eq!(shared, [128, 191, 255, 255]);
    let rescaled = plain()
        .group(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE, &slope)
        .group(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, tags::FRAME_VOILUT_SEQUENCE, &window("0", "2000"));
    assert_eq!(rescaled.clone().grey(), [0, 128, 255, 255]);
    let at_top = rescaled.window("1000", "4000").function("LINEAR_EXACT").grey();
    assert_eq!(at_top, [0, 64, 128, 191], "the top comes first");
}

#[test]
fn monochrome1_is_inverted_after_the_window() {
    let windowed = Dicom::bytes(&[50, 125, 150]).window("100", "100").function("LINEAR_EXACT");
    // Inverted before the window, 50 would be 205 and so white, and 125 would be 130: 204.
    assert_eq!(windowed.photometric("MONOCHROME1").grey(), [255, 64, 0]);
    assert_eq!(Dicom::bytes(&[100, 110, 150]).photometric("MONOCHROME1").grey(), [255, 204, 0]);
    let table = Dicom::bytes(&[0, 1, 2]).table(tags::VOILUT_SEQUENCE, [3, 0, 12], &[0, 1365, 4095]);
    assert_eq!(table.photometric("MONOCHROME1").grey(), [255, 170, 0]);
}

//! Colour DICOM to grey.

use dicom_core::{PrimitiveValue, VR};
use dicom_dictionary_std::tags;

use crate::synthetic::Dicom;

#[test]
fn rgb_becomes_luma_however_it_lies() {
    let interleaved = [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9];
    let planar = [255, 0, 0, 9, 0, 255, 0, 9, 0, 0, 255, 9];
    assert_eq!(Dicom::colour("RGB", 4, &interleaved).grey(), [76, 150, 29, 9]);
    assert_eq!(Dicom::colour("RGB", 4, &planar).us(tags::PLANAR_CONFIGURATION, 1).grey(), [76, 150, 29, 9]);
}

#[test]
fn ybr_is_its_first_component() {
    assert_eq!(Dicom::colour("YBR_FULL", 2, &[10, 128, 200, 20, 1, 2]).grey(), [10, 20]);
    assert_eq!(Dicom::colour("YBR_FULL_422", 4, &[10, 20, 128, 200, 30, 40, 1, 2]).grey(), [10, 20, 30, 40]);
}

#[test]
fn a_palette_is_looked_up() {
    let palette = |dicom: Dicom, descriptor, data, entries: [u16; 3]| {
        dicom.with(descriptor, VR::US, PrimitiveValue::U16([3u16, 0, 16][..].into())).with(
            data,
            VR::OW,
            PrimitiveValue::U16(entries[..].into()),
        )
    };
    let mut dicom =
        Dicom::bytes(&[2, 1, 0, 2]).text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "PALETTE COLOR");
    dicom = palette(
        dicom,
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        [0, 0xffff, 0xffff],
    );
    dicom = palette(
        dicom,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        [0, 0, 0xffff],
    );
    dicom = palette(
        dicom,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        [0, 0, 0xffff],
    );
    assert_eq!(dicom.grey(), [255, 76, 0, 255]);
}

#[test]
fn samples_per_pixel_must_fit_the_photometric_interpretation() {
    let dicom = Dicom::colour("MONOCHROME2", 1, &[1, 2, 3]);
    assert_eq!(dicom.reason(), "malformed");
    assert_eq!(
        Dicom::bytes(&[1]).text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "RGB").reason(),
        "malformed"
    );
}

//! Colour images to luma: red 76, green 150, blue 29.

use dicom_core::{PrimitiveValue, VR};
use dicom_dictionary_std::tags;

use crate::dicom_writer::Dicom;

fn colour(photometric: &str, planar: u16, samples: &[u8], columns: u16) -> Dicom {
    Dicom::bytes(samples)
        .photometric(photometric)
        .number(tags::SAMPLES_PER_PIXEL, 3)
        .number(tags::PLANAR_CONFIGURATION, planar)
        .number(tags::COLUMNS, columns)
}

#[test]
fn rgb_by_pixel_and_by_plane() {
    let by_pixel = [255, 0, 0, 0, 255, 0, 0, 0, 255, 90, 90, 90];
    assert_eq!(colour("RGB", 0, &by_pixel, 4).grey(), [76, 150, 29, 90]);
    let by_plane = [255, 0, 0, 90, 0, 255, 0, 90, 0, 0, 255, 90];
    assert_eq!(colour("RGB", 1, &by_plane, 4).grey(), [76, 150, 29, 90]);
}

#[test]
fn of_colours_of_more_than_16_bits_the_highest_count() {
    let grey = |bits: u16, value: u32| {
        let samples: Vec<u8> = [value; 3].iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let wide = colour("RGB", 0, &samples, 1).number(tags::BITS_ALLOCATED, 32).bits(bits, bits - 1);
        wide.grey()[0]
    };
    for bits in [17, 20, 32] {
        let white = u32::MAX >> (32 - bits);
        let greys = [0, white / 4, white / 2, white].map(|value| grey(bits, value));
        assert_eq!(greys, [0, 64, 127, 255], "{bits}");
    }
}

#[test]
fn no_window_touches_a_colour_image() {
    assert_eq!(colour("RGB", 0, &[90; 6], 2).window("90", "1").grey(), [90, 90]);
}

#[test]
fn ybr_shows_its_first_component() {
    assert_eq!(colour("YBR_FULL", 0, &[10, 200, 30, 250, 1, 255], 2).grey(), [10, 250]);
    assert_eq!(colour("YBR_FULL", 1, &[10, 250, 200, 1, 30, 255], 2).grey(), [10, 250]);
    // Y₁ Y₂ Cb Cr.
    assert_eq!(colour("YBR_FULL_422", 0, &[10, 20, 200, 1, 30, 40, 1, 200], 4).grey(), [10, 20, 30, 40]);
}

#[test]
fn a_palette_shows_its_colours_and_not_its_indices() {
    let words = |words: [u16; 3]| PrimitiveValue::U16(words.as_slice().into());
    let palette = |descriptor: [u16; 3], white: u16| {
        Dicom::bytes(&[7, 8, 9, 0, 200])
            .photometric("PALETTE COLOR")
            .with(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, VR::US, words(descriptor))
            .with(tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, VR::US, words(descriptor))
            .with(tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR, VR::US, words(descriptor))
            .with(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA, VR::OW, words([white, 0, 0]))
            .with(tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA, VR::OW, words([0, white, 0]))
            .with(tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA, VR::OW, words([0, 0, white]))
    };
    // Indices below 7 take the first colour, above 9 the last.
    assert_eq!(palette([3, 7, 16], u16::MAX).grey(), [76, 150, 29, 76, 29]);
    assert_eq!(palette([3, 7, 8], 255).grey(), [76, 150, 29, 76, 29]);
    let segmented = palette([3, 7, 16], 1).with(
        tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        VR::OW,
        words([0, 1, 2]),
    );
    assert_eq!(segmented.reason(), "unsupported-photometric");
}

#[test]
fn samples_per_pixel_must_fit_the_photometric_interpretation() {
    assert_eq!(colour("MONOCHROME2", 0, &[1, 2, 3], 1).reason(), "malformed");
    assert_eq!(Dicom::bytes(&[1]).photometric("YBR_FULL").reason(), "malformed");
}

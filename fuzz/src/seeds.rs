//! The files that the targets start from: made by the project's own generators, never real ones.

use std::path::Path;

use dicom_core::{PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};

use crate::dicom_writer::Dicom;

/// Writes the seeds of a target to where `cargo fuzz` looks for them.
pub fn put(target: &str, inputs: impl IntoIterator<Item = Vec<u8>>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs_err::create_dir_all(&folder).expect("a folder for the seeds");
    for (index, input) in inputs.into_iter().enumerate() {
        fs_err::write(folder.join(format!("seed-{index}")), input).expect("a seed can be written");
    }
}

/// DICOM files with one of everything that is read from them.
pub fn images() -> Vec<Vec<u8>> {
    let words = || Dicom::words(&[0, 1, 2, 4095]).bits(12, 11).text(tags::PATIENT_ID, VR::LO, "1");
    let palette = |dicom: Dicom, descriptor, data| {
        let table = |numbers: &[u16]| PrimitiveValue::U16(numbers.into());
        dicom.with(descriptor, VR::US, table(&[4, 0, 16])).with(data, VR::OW, table(&[0, 9, 99, 999]))
    };
    let coloured = palette(
        palette(
            palette(
                Dicom::bytes(&[0, 1, 2, 3]).photometric("PALETTE COLOR"),
                tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
                tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
            ),
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
            tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        ),
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    );
    let rgb = Dicom::bytes(&[1, 2, 3, 4, 5, 6])
        .photometric("RGB")
        .number(tags::SAMPLES_PER_PIXEL, 3)
        .number(tags::COLUMNS, 2)
        .number(tags::PLANAR_CONFIGURATION, 1);
    let dicoms = [
        words(),
        words().window("40", "400").function("SIGMOID"),
        words().text(tags::RESCALE_SLOPE, VR::DS, "2").text(tags::RESCALE_INTERCEPT, VR::DS, "-1024"),
        words().table(tags::MODALITY_LUT_SEQUENCE, [4, 0, 16], &[0, 1, 2, 3]),
        words().table(tags::VOILUT_SEQUENCE, [4, 0, 8], &[0, 1, 2, 3]).photometric("MONOCHROME1"),
        words().in_syntax(uids::IMPLICIT_VR_LITTLE_ENDIAN),
        words().in_syntax(uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN),
        words().in_syntax("1.2.840.10008.1.2.2"),
        Dicom::signed(&[-1, 0, 1]).window("0", "4").function("LINEAR_EXACT"),
        Dicom::bytes(&[1, 2, 3]).text(tags::NUMBER_OF_FRAMES, VR::IS, "1"),
        Dicom::bytes(&[0xaa]).number(tags::BITS_ALLOCATED, 1).bits(1, 0).number(tags::COLUMNS, 8),
        coloured,
        rgb,
    ];
    dicoms.into_iter().map(Dicom::file).collect()
}

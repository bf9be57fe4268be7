//! Radiographs of people who do not exist, as DICOM files.

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

/// An 8-bit MONOCHROME2 image of `side`² pixels in explicit VR little endian, with these further text elements. Another
/// `seed` gives other pixels, that do not compress well.
pub fn dicom(side: u16, seed: u64, texts: &[(dicom_core::Tag, VR, &str)]) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let pixels: Vec<u8> = (0..usize::from(side) * usize::from(side))
        .map(|_| {
            // Knuth's MMIX generator; its high bits are good enough for noise.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect();
    let number = |tag, value: u16| DataElement::new(tag, VR::US, PrimitiveValue::from(value));
    let text = |(tag, vr, value): (_, _, &str)| DataElement::new(tag, vr, PrimitiveValue::from(value));
    let data = InMemDicomObject::from_element_iter(
        [
            text((tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2")),
            text((tags::MODALITY, VR::CS, "DX")),
            number(tags::SAMPLES_PER_PIXEL, 1),
            number(tags::ROWS, side),
            number(tags::COLUMNS, side),
            number(tags::BITS_ALLOCATED, 8),
            number(tags::BITS_STORED, 8),
            number(tags::HIGH_BIT, 7),
            number(tags::PIXEL_REPRESENTATION, 0),
            DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::U8(pixels.into())),
        ]
        .into_iter()
        .chain(texts.iter().copied().map(text)),
    );
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .media_storage_sop_class_uid(uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION)
        .media_storage_sop_instance_uid("2.25.1");
    let mut file = Vec::new();
    data.with_meta(meta).expect("the file meta is complete").write_all(&mut file).expect("memory takes it");
    file
}

/// The same with nothing but a Patient ID.
pub fn dicom_of(patient: &str, side: u16, seed: u64) -> Vec<u8> {
    dicom(side, seed, &[(tags::PATIENT_ID, VR::LO, patient)])
}

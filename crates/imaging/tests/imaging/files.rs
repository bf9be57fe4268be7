//! Files as a whole: what they are, what they say, what is left of broken ones.

use std::fs;

use dicom_core::VR;
use dicom_dictionary_std::tags;
use proptest::prelude::*;
use schema::PatientId;

use crate::synthetic::Dicom;

fn dicom() -> Dicom {
    Dicom::words(12, &[0, 1000, 4095, 17])
        .text(tags::PATIENT_ID, VR::LO, "P-17 ")
        .text(tags::MODALITY, VR::CS, "DX")
        .text(tags::VIEW_POSITION, VR::CS, "PA")
}

#[test]
fn the_header_is_read_without_the_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.txt");
    let file = dicom().file();
    fs::write(&path, &file[..file.len() - 8]).unwrap(); // the pixels are missing
    let header = imaging::dicom_header(&path).unwrap();
    assert_eq!(header.patient, PatientId::new("P-17"));
    assert_eq!((header.modality.as_deref(), header.view.as_deref()), (Some("DX"), Some("PA")));

    fs::write(&path, b"\x89PNG\r\n\x1a\n").unwrap();
    assert_eq!(imaging::dicom_header(&path).unwrap_err().reason(), "not-dicom");
    let absent = imaging::dicom_header(&folder.path().join("absent")).unwrap_err();
    assert_eq!(absent.reason(), "unreadable");
    assert!(absent.to_string().contains("absent"), "{absent}");
}

#[test]
fn facts_come_with_the_pixels() {
    let facts = imaging::decode(&dicom().file()).unwrap().facts;
    assert_eq!((facts.rows, facts.columns, facts.frames), (1, 4, 1));
    assert_eq!((facts.modality.as_deref(), facts.view.as_deref()), (Some("DX"), Some("PA")));
}

#[test]
fn preamble_magic_and_group_length_may_be_absent() {
    let file = dicom().file();
    let pixels = imaging::decode(&file).unwrap().image.pixels;
    let without_preamble = &file[128..];
    let without_magic = &file[132..];
    let without_group_length = &file[132 + 12..];
    for shorter in [without_preamble, without_magic, without_group_length] {
        assert_eq!(imaging::decode(shorter).unwrap().image.pixels, pixels);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_cut_is_an_error(length in 0usize..1000) {
        let file = dicom().file();
        prop_assume!(length < file.len());
        prop_assert!(imaging::decode(&file[..length]).is_err());
    }

    #[test]
    fn noise_is_never_a_panic(changes in prop::collection::vec((0usize..1000, any::<u8>()), 1..8)) {
        let mut file = dicom().file();
        let length = file.len();
        for (at, byte) in changes {
            file[at % length] = byte;
        }
        if let Ok(radiograph) = imaging::decode(&file) {
            let image = radiograph.image;
            prop_assert_eq!(image.pixels.len() as u64, u64::from(image.width) * u64::from(image.height));
        }
    }
}

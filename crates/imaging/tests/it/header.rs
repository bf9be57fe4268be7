//! What a file says of patient and acquisition.

use std::path::PathBuf;
use std::{env, process};

use dicom_core::{PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use imaging::Header;
use schema::PatientId;

use crate::dicom_writer::Dicom;

/// A file that lives as long as the test.
struct Scratch(PathBuf);

impl Scratch {
    fn write(name: &str, bytes: &[u8]) -> Self {
        let path = env::temp_dir().join(format!("imaging-{}-{name}", process::id()));
        fs_err::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs_err::remove_file(&self.0));
    }
}

#[test]
fn the_header_is_read_without_the_pixels() {
    let file = Dicom::words(&[0; 4])
        .text(tags::PATIENT_ID, VR::LO, " P-17 ")
        .text(tags::MODALITY, VR::CS, "DX")
        .text(tags::VIEW_POSITION, VR::CS, "PA")
        .file();
    let cut = Scratch::write("cut", &file[..file.len() - 4]);
    let header = imaging::dicom_header(&cut.0).unwrap();
    let expected = Header {
        patient: PatientId::new("P-17"),
        modality: Some("DX".to_owned()),
        view: Some("PA".to_owned()),
    };
    assert_eq!(header, expected);
    let facts = imaging::decode(&file).unwrap().facts;
    assert_eq!((facts.modality, facts.view), (expected.modality, expected.view));
}

#[test]
fn a_long_header_is_read_to_its_end() {
    // More than is read at first, less, and elements that end just there.
    let dicom = |padding: usize| {
        Dicom::words(&[0; 4])
            .with(Tag(0x0009, 0x1010), VR::OB, PrimitiveValue::U8(vec![0; padding].into()))
            .text(tags::PATIENT_ID, VR::LO, "17")
            .file()
    };
    let before_patient = dicom(0).windows(4).position(|tag| tag == b"\x10\0\x20\0").unwrap();
    for padding in [100, 16 * 1024 - before_patient, 16 * 1024, 1 << 20] {
        let file = Scratch::write(&format!("long-{padding}"), &dicom(padding));
        assert_eq!(imaging::dicom_header(&file.0).unwrap().patient, PatientId::new("17"), "{padding}");
    }
}

/// Parsers that recurse would overflow their stack.
#[test]
fn a_header_of_sequences_in_sequences_is_refused() {
    let file = Dicom::words(&[0; 4]).text(tags::PATIENT_ID, VR::LO, "17").file();
    let start = file.windows(4).position(|tag| tag == b"\x10\0\x20\0").unwrap();
    let item_in_sequence = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff";
    let deep = [&file[..start], &item_in_sequence.repeat(100_000), &file[start..]].concat();
    assert_eq!(imaging::decode(&deep).unwrap_err().reason(), "malformed");
    let path = Scratch::write("deep", &deep);
    assert_eq!(imaging::dicom_header(&path.0).unwrap_err().reason(), "malformed");
    assert_eq!(imaging::dicom_tags(&deep).transfer_syntax.as_deref(), Some("1.2.840.10008.1.2.1"));
}

#[test]
fn what_a_file_leaves_out_is_none() {
    let silent = Scratch::write("silent", &Dicom::words(&[0]).text(tags::MODALITY, VR::CS, "").file());
    let header = imaging::dicom_header(&silent.0).unwrap();
    assert_eq!(header, Header { patient: None, modality: None, view: None });
}

#[test]
fn a_header_needs_a_dicom_file() {
    let png = Scratch::write("png", b"\x89PNG\r\n\x1a\n");
    assert_eq!(imaging::dicom_header(&png.0).unwrap_err().reason(), "not-dicom");
    let absent = png.0.with_extension("absent");
    let error = imaging::dicom_header(&absent).unwrap_err();
    assert_eq!(error.reason(), "unreadable");
    assert!(error.to_string().contains("absent"), "{error}");
}

#[test]
fn a_secondary_capture_may_show_text_unless_the_file_denies_it() {
    let risk = |dicom: Dicom| imaging::decode(&dicom.file()).unwrap().facts.text_risk;
    let plain = || Dicom::bytes(&[0, 9]);
    assert_eq!(risk(plain()), None, "the file does not say");
    assert_eq!(risk(plain().text(tags::BURNED_IN_ANNOTATION, VR::CS, "YES")), Some(true));
    let scanned = plain().text(tags::CONVERSION_TYPE, VR::CS, "DF");
    assert_eq!(risk(scanned.clone()), Some(true));
    assert_eq!(risk(scanned.text(tags::BURNED_IN_ANNOTATION, VR::CS, "NO")), Some(false));
    assert_eq!(risk(plain().text(tags::IMAGE_TYPE, VR::CS, "DERIVED\\SECONDARY\\SCREEN SAVE")), Some(true));
    assert_eq!(risk(plain().text(tags::IMAGE_TYPE, VR::CS, "DERIVED\\PRIMARY")), None);
}

#[test]
fn the_tags_of_a_broken_file_name_no_person() {
    let file = Dicom::words(&[0; 4])
        .text(tags::PATIENT_ID, VR::LO, "P-17")
        .text(tags::MODALITY, VR::CS, "DX^*P/17")
        .file();
    let tags = imaging::dicom_tags(&file[..file.len() - 4]);
    assert_eq!(tags.photometric.as_deref(), Some("MONOCHROME2"));
    assert_eq!((tags.bits_allocated, tags.bits_stored), (Some(16), Some(16)));
    assert_eq!(tags.modality.as_deref(), Some("DXP17"), "codes only");
    assert_eq!(tags.transfer_syntax.as_deref(), Some("1.2.840.10008.1.2.1"));
    assert_eq!(imaging::dicom_tags(b"not DICOM"), imaging::Tags::default());
}

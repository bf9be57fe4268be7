//! What says who a patient is stays outside of what ingest writes.

use std::{os::unix::fs::PermissionsExt, path::Path};

use arrow::util::display::{ArrayFormatter, FormatOptions};
use dicom_core::VR;
use dicom_dictionary_std::tags;
use end_to_end::{Ended, Workplace, dicom};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use walkdir::WalkDir;

/// Everything in the input that tells who somebody is. `QX` stands in each, and nowhere else in the input.
const IDENTIFIERS: [&str; 11] = [
    "PIDQX1001",
    "DOEQX^JANE",
    "DRQX^HOUSE",
    "CLINICQX",
    "ACCQX77",
    "1.2.840.99.QX.1",
    "1.2.840.99.QX.2",
    "1.2.840.99.QX.3",
    "QX19340117",
    "PIDQX2002",
    "scanQX4711",
];

fn radiograph(seed: u64) -> Vec<u8> {
    let texts = [
        (tags::PATIENT_ID, VR::LO, "PIDQX1001"),
        (tags::PATIENT_NAME, VR::PN, "DOEQX^JANE"),
        (tags::REFERRING_PHYSICIAN_NAME, VR::PN, "DRQX^HOUSE"),
        (tags::INSTITUTION_NAME, VR::LO, "CLINICQX"),
        (tags::ACCESSION_NUMBER, VR::SH, "ACCQX77"),
        (tags::STUDY_INSTANCE_UID, VR::UI, "1.2.840.99.QX.1"),
        (tags::SERIES_INSTANCE_UID, VR::UI, "1.2.840.99.QX.2"),
        (tags::SOP_INSTANCE_UID, VR::UI, "1.2.840.99.QX.3"),
        (tags::PATIENT_COMMENTS, VR::LT, "born QX19340117"),
    ];
    dicom(48, seed, &texts)
}

/// One hospital by folder and one by table; paths and table hold patients, and one file is broken.
fn ingested() -> (Workplace, String) {
    let place = Workplace::new();
    place.put("f/covid/1.2.840.99.QX.1/1.2.840.99.QX.3.dcm", radiograph(1));
    place.put("f/negative/PIDQX2002/scanQX4711.dcm", radiograph(2));
    place.put("f/negative/PIDQX2002/broken-scanQX4711.dcm", &radiograph(3)[..700]);
    place.put("c/PIDQX2002/scanQX4711.dcm", radiograph(4));
    place.put("c/PIDQX1001_scanQX4711.dcm", radiograph(5));
    let table = "path,label,patient,boxes,name\n\
                 PIDQX2002/scanQX4711.dcm,covid,PIDQX2002,1 2 3 4,DOEQX^JANE\n\
                 PIDQX1001_scanQX4711.dcm,normal,,,DOEQX^JANE\nabsent-scanQX4711.png,normal,PIDQX2002,,\n";
    place.put("c/images.csv", table);
    let mut said = String::new();
    for words in
        [["dataset=folder", "path=f", "name=hospital-f"], ["dataset=csv", "path=c", "name=hospital-c"]]
    {
        for _ in 0..2 {
            let Ended { code, out, err } = place.run("ingest", &words);
            assert_eq!(code, 0, "{err}");
            said += &(out + &err);
        }
    }
    (place, said)
}

fn found_in(bytes: &[u8]) -> Option<&'static str> {
    let holds = |id: &&str| bytes.windows(id.len()).any(|window| window.eq_ignore_ascii_case(id.as_bytes()));
    IDENTIFIERS.into_iter().find(holds)
}

/// Every value of a Parquet file as text, with its column's name; `None` when it is another kind of file.
fn cells(path: &Path) -> Option<Vec<(String, String)>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(path).unwrap()).ok()?;
    let mut cells = Vec::new();
    for batch in reader.build().unwrap().map(Result::unwrap) {
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let format = ArrayFormatter::try_new(column, &FormatOptions::default()).unwrap();
            cells.extend((0..column.len()).map(|row| (field.name().clone(), format.value(row).to_string())));
        }
    }
    Some(cells)
}

#[test]
fn no_identifier_of_the_input_is_in_the_output() {
    let (place, said) = ingested();
    assert_eq!(found_in(said.as_bytes()), None, "on the terminal:\n{said}");
    let (mut shards, mut images, mut set_aside) = (0, 0, 0);
    for entry in WalkDir::new(place.path().join(".sga")).into_iter().map(Result::unwrap) {
        let path = entry.path();
        assert_eq!(found_in(path.to_string_lossy().as_bytes()), None, "the path {}", path.display());
        if !entry.file_type().is_file() {
            continue;
        }
        let cells = cells(path);
        let quarantine = cells.iter().flatten().any(|(column, _)| column == "reason");
        set_aside += usize::from(quarantine);
        for (column, text) in cells.iter().flatten() {
            assert!(found_in(text.as_bytes()).is_none(), "column {column} of {}: {text}", path.display());
            images += usize::from(column == "image");
        }
        shards += usize::from(cells.is_some() && !quarantine);
        let bytes = fs_err::read(path).unwrap();
        if path.ends_with(".sga/set-aside") {
            // The curator's own list says where the files lie that were set aside. No push takes it along.
            assert!(found_in(&bytes).is_some(), "the broken file is named to the curator");
            assert_eq!(fs_err::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
            continue;
        }
        assert!(found_in(&bytes).is_none(), "{:?} is in {}", found_in(&bytes), path.display());
    }
    assert!(shards >= 2 && images == 4, "{shards} shards with {images} images were read");
    assert!(set_aside > 0, "a file was set aside");
}

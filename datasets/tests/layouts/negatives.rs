//! Published sources of negatives: RSNA Pneumonia and VinDr-CXR.

use std::path::{Path, PathBuf};

use schema::{Label, PatientId};

use crate::Folder;

const CLASSES: &str = "patientId,class\n\
                       0004cfab,No Lung Opacity / Not Normal\n\
                       00436515,Lung Opacity\n\
                       00436515,Lung Opacity\n\
                       003d8fa0,Normal\n\
                       0100515c,Normal\n";
const TARGETS: &str = "patientId,x,y,width,height,Target\n\
                       0004cfab,,,,,0\n\
                       00436515,264.0,152.0,213.0,379.0,1\n\
                       00436515,562.0,152.0,256.0,453.0,1\n\
                       003d8fa0,,,,,0\n\
                       0100515c,,,,,0\n";

fn rsna() -> Folder {
    Folder::with(&[
        ("stage_2_detailed_class_info.csv", CLASSES),
        ("stage_2_train_labels.csv", TARGETS),
        ("stage_2_train_images/0004cfab.dcm", ""),
        ("stage_2_train_images/00436515.dcm", ""),
        ("stage_2_train_images/003d8fa0.dcm", ""),
        ("stage_2_train_images/stray.dcm", ""),
        ("stage_2_train_images/notes.txt", ""),
    ])
}

#[test]
fn rsna_pneumonia_gives_normal_images_and_counts_the_others() {
    let listing = rsna().list("rsna-pneumonia");
    let [record] = listing.records.as_slice() else { panic!("{listing:?}") };
    assert_eq!((record.label, record.finding.as_str()), (Label::Negative, "Normal"));
    assert_eq!(record.path, Path::new("stage_2_train_images/003d8fa0.dcm"));
    assert_eq!(record.patient, PatientId::new("003d8fa0"));
    assert_eq!(listing.missing, ["0100515c"]);
    assert_eq!(listing.unlisted, [PathBuf::from("stage_2_train_images/stray.dcm")]);
    let excluded: Vec<_> = listing.excluded.iter().map(|group| (group.reason, group.rows)).collect();
    let expected = [("class is Lung Opacity", 1), ("class is No Lung Opacity / Not Normal", 1)];
    assert_eq!(excluded, expected, "images are counted, not boxes");
}

#[test]
fn rsna_pneumonia_tables_that_disagree_are_refused() {
    let (classes, targets) = ("stage_2_detailed_class_info.csv", "stage_2_train_labels.csv");
    for (table, text, wanted) in [
        (
            classes,
            CLASSES.replace("003d8fa0,Normal", "003d8fa0,normal"),
            "line 5, column `class`: expected Normal,",
        ),
        (
            classes,
            CLASSES.replace("00436515,Lung Opacity\n003d8fa0", "00436515,Normal\n003d8fa0"),
            "line 4, column `class`: the image is already `Lung Opacity`",
        ),
        (
            targets,
            TARGETS.replace("003d8fa0,,,,,0", "003d8fa0,1,2,3,4,1"),
            "line 5, column `Target`: expected 0",
        ),
        (targets, TARGETS.replace("0004cfab,,,,,0", "0004cfab,,,,,?"), "found `?`"),
        (
            targets,
            TARGETS.replace("0100515c", "elsewhere"),
            "line 6, column `patientId`: image `elsewhere` is not in",
        ),
    ] {
        let folder = rsna();
        folder.put(table, &text);
        let message = folder.refusal("rsna-pneumonia");
        assert!(message.contains(table) && message.contains(wanted), "{message}");
    }
}

const READERS: &str = "image_id,rad_id,Aortic enlargement,No finding\n\
                       aa,R1,0,1\naa,R2,0,1\n\
                       bb,R1,1,0\nbb,R2,0,1\n\
                       cc,R3,0,1\n";

#[test]
fn vindr_cxr_is_negative_where_all_readers_agree() {
    let physionet = Folder::with(&[
        ("annotations/image_labels_train.csv", READERS),
        ("annotations/image_labels_test.csv", "image_id,Edema,No finding\ntt,0,1.0\nuu,1,\n"),
        ("train/aa.dicom", ""),
        ("train/bb.dicom", ""),
        ("test/tt.dicom", ""),
        ("test/uu.dicom", ""),
    ]);
    let listing = physionet.list("vindr-cxr");
    let names: Vec<_> = listing.records.iter().map(|record| record.name.as_str()).collect();
    assert_eq!(names, ["aa", "tt"]);
    assert_eq!(listing.records[1].path, Path::new("test/tt.dicom"));
    assert_eq!(listing.records[0].patient, PatientId::new("aa"));
    assert_eq!((&*listing.missing, listing.excluded[0].rows), (&["cc".to_owned()][..], 2));

    let kaggle = Folder::with(&[
        (
            "train.csv",
            "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n\
             aa,No finding,14,R1,,,,\naa,No finding,14,R2,,,,\nbb,Cardiomegaly,3,R1,1,2,3,4\nbb,No finding,14,R2,,,,\n",
        ),
        ("train/aa.dicom", ""),
        ("train/bb.dicom", ""),
    ]);
    let listing = kaggle.list("vindr-cxr");
    let [record] = listing.records.as_slice() else { panic!("{listing:?}") };
    assert_eq!((record.name.as_str(), record.label), ("aa", Label::Negative));
}

#[test]
fn vindr_cxr_refuses_marks_that_are_not_0_or_1() {
    let folder = Folder::with(&[
        ("annotations/image_labels_train.csv", &READERS.replace("cc,R3,0,1", "cc,R3,0,yes")),
        ("train/aa.dicom", ""),
    ]);
    let message = folder.refusal("vindr-cxr");
    assert!(message.contains("line 6, column `No finding`: expected 0 or 1, found `yes`"), "{message}");
}

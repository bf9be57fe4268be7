//! A hospital's own images: the layouts `folder` and `csv`, and other names for a layout.

use std::path::{Path, PathBuf};

use datasets::{DatasetAdapter, Named, find};
use schema::{Label, PatientId, PixelBox, Role};

use crate::Folder;

#[test]
fn folder_takes_class_and_patient_from_names() {
    let folder = Folder::with(&[
        ("No Finding/p1_1.png", ""),
        ("No Finding/p1-2.JPG", ""),
        ("COVID-19/p2/chest.dcm", ""),
        ("COVID-19/p3/chest.webp", ""),
        ("COVID-19/IM000001", ""),
        ("COVID-19/notes.txt", ""),
        ("COVID-19/.p4_1.png", ""),
        ("COVID-19/.cache/p4_1.png", ""),
        ("README.md", ""),
    ]);
    let listing = folder.list("folder");
    let found: Vec<_> = listing
        .records
        .iter()
        .map(|record| (record.path.to_str().unwrap(), record.label, record.patient.clone()))
        .collect();
    let expected = [
        ("COVID-19/IM000001", Label::Covid, None),
        ("COVID-19/p2/chest.dcm", Label::Covid, None),
        ("COVID-19/p3/chest.webp", Label::Covid, PatientId::new("p3")),
        ("No Finding/p1-2.JPG", Label::Negative, PatientId::new("p1")),
        ("No Finding/p1_1.png", Label::Negative, PatientId::new("p1")),
    ];
    assert_eq!(found, expected, "the DICOM header tells the patient of a DICOM file");
    assert_eq!(listing.records[0].finding, "covid", "however the folder is spelled");
    assert_eq!((listing.excluded.len(), listing.excluded[0].rows), (1, 1), "{:?}", listing.excluded);
}

#[test]
fn folder_refuses_a_class_that_it_does_not_know() {
    let folder = Folder::with(&[("negative/a_1.png", ""), ("pneumonia/b_1.png", "")]);
    let message = folder.refusal("folder");
    assert!(
        message.contains("pneumonia: this folder's name is no class: call it negative (negative,"),
        "{message}"
    );
}

#[test]
fn folder_refuses_names_that_make_one_patient_of_everybody() {
    let folder = Folder::with(&[]);
    for index in 0..20 {
        folder.put(&format!("covid/IMG_{index:04}.png"), "");
    }
    assert_eq!(folder.list("folder").records.len(), 20, "so many images of one patient there may be");
    folder.put("negative/IMG_0020.png", "");
    let message = folder.refusal("folder");
    assert!(
        message.contains("21 pictures are of one patient") && message.contains("dataset=csv"),
        "{message}"
    );
    // The names of a class, or of a view, are no patients either.
    for names in [["covid/COVID-", "normal/Normal-"], ["covid/PA/", "normal/AP/"]] {
        let folder = Folder::with(&[]);
        for (name, index) in names.iter().flat_map(|name| (0..25).map(move |index| (name, index))) {
            folder.put(&format!("{name}{index}.png"), "");
        }
        let message = folder.refusal("folder");
        let per_class = message.contains("covid: by their names 25 pictures are of one patient");
        assert!(per_class || message.contains("50 pictures are of 2 patients"), "{message}");
    }
    let folder = Folder::with(&[]);
    for index in 0..90 {
        folder.put(&format!("covid/P{}/{index}.png", index % 3), "");
    }
    assert_eq!(folder.list("folder").records.len(), 90, "series of three patients, each in a folder");
}

#[test]
fn folder_tells_what_would_get_another_class() {
    let folder = Folder::with(&[("covid/1/a.png", ""), ("negative/2/b.png", ""), ("loose.png", "")]);
    std::os::unix::fs::symlink("..", folder.0.path().join("covid/all")).unwrap();
    let listing = folder.list("folder");
    assert_eq!(listing.records.len(), 2, "{:?}", listing.records);
    let reasons: Vec<&str> = listing.excluded.iter().map(|group| group.reason).collect();
    assert_eq!(reasons, ["a link to a folder around it", "an image beside the folders of the classes"]);
    folder.put("covid/negative/3.png", "");
    assert!(folder.refusal("folder").contains("covid/negative"), "{}", folder.refusal("folder"));
}

const TABLE: &str = "path,label,patient,boxes,view,source,age,finding\n\
                     a/1.png,COVID-19,p1,1 2 3 4; 5 6 7 8,PA,east,58,Effusion|Mass\n\
                     ./a/2.dcm,normal,,,,,\n\
                     3.jpg,0,p1\n\
                     a/absent.png,1,p4,,,,\n";

fn csv(table: &str) -> Folder {
    Folder::with(&[("images.csv", table), ("a/1.png", ""), ("a/2.dcm", ""), ("a/9.png", ""), ("3.jpg", "")])
}

#[test]
fn csv_takes_everything_from_the_table() {
    let listing = csv(TABLE).list("csv");
    let (absent, there): (Vec<_>, Vec<_>) =
        listing.records.iter().partition(|record| record.path == Path::new("a/absent.png"));
    assert_eq!(absent.len(), 1, "ingest sets it aside by name");
    let [plain, dicom, boxed] = there[..] else { panic!("{listing:?}") };
    assert_eq!((plain.path.as_path(), plain.label), (Path::new("3.jpg"), Label::Negative));
    assert_eq!((plain.finding.as_str(), dicom.finding.as_str()), ("", ""), "a label is no finding");
    assert_eq!((dicom.path.as_path(), dicom.patient.clone()), (Path::new("a/2.dcm"), None));
    assert_eq!((boxed.label, boxed.finding.as_str()), (Label::Covid, "Effusion|Mass"));
    assert_eq!((boxed.source.as_str(), boxed.view.as_deref()), ("csv-east", Some("PA")));
    let pixel_box = |x| PixelBox { x, y: x + 1.0, width: x + 2.0, height: x + 3.0 };
    assert_eq!(boxed.boxes, [pixel_box(1.0), pixel_box(5.0)]);
    assert_eq!(listing.unlisted, [PathBuf::from("a/9.png")]);
}

#[test]
fn csv_takes_a_folder_for_no_image() {
    let listing = csv("path,label,patient\na,0,p1\n3.jpg,0,p2\n").list("csv");
    let paths: Vec<_> = listing.records.iter().map(|record| record.path.to_str().unwrap()).collect();
    assert_eq!(paths, ["3.jpg", "a"], "ingest finds that it is none");
    assert_eq!(listing.records[0].finding, "negative", "where no column names findings, the class is one");
}

#[test]
fn csv_tables_with_faults_are_refused_by_line_and_column() {
    for (text, wanted) in [
        (
            TABLE.replace("COVID-19", "pneumonia"),
            "images.csv, line 2, column `label`: `pneumonia` is not negative (",
        ),
        (TABLE.replace("3.jpg,0,p1", "3.jpg,0,"), "line 4, column `patient`: only a DICOM file"),
        (
            TABLE.replace("5 6 7 8", "5 6 7"),
            "line 2, column `boxes`: a box is `x y width height`, found `5 6 7`",
        ),
        (
            TABLE.replace("3.jpg", "../3.jpg"),
            "line 4, column `path`: `../3.jpg` leaves the data set's folder",
        ),
        (TABLE.replace("3.jpg", "/etc/3.jpg"), "`/etc/3.jpg` leaves"),
        (TABLE.replace("3.jpg", ""), "line 4, column `path`: there is no path"),
        (TABLE.replace("3.jpg", "a/1.png"), "line 4, column `path`: the file stands in the table twice"),
        (TABLE.replace("3.jpg,0,p1", "3.jpg,0"), "line 4, column `patient`: the row ends before this column"),
        (TABLE.replace("patient", "person"), "no column `patient`; the header has `path`, `label`, `person`"),
        (TABLE.replace("boxes", "boxen"), "no column `boxes`; the header has"),
        (
            TABLE.replace("58,", "\"58,").replace("normal,,,,,", "normal,,,,,\""),
            "images.csv, line 2: a cell goes on over the line's end", // and has a row in it
        ),
        (TABLE.replace("a/", "b/").replace("3.jpg", "4.jpg"), "no image that images.csv names in"),
    ] {
        let message = csv(&text).refusal("csv");
        assert!(message.contains(wanted), "{message}");
    }
}

#[test]
fn another_name_tells_patients_apart_and_another_role_is_kept() {
    let folder = csv(TABLE);
    let named = Named::new(find("csv").unwrap(), Some("hospital-c"), Some(Role::Iid)).unwrap();
    assert_eq!((named.card().name.as_str(), named.card().role), ("hospital-c", Role::Iid));
    let listing = named.list(folder.0.path()).unwrap();
    let sources: Vec<_> = listing.records.iter().map(|record| record.source.as_str()).collect();
    assert_eq!(sources, ["hospital-c", "hospital-c", "hospital-c", "hospital-c-east"]);
    let same = Named::new(find("csv").unwrap(), None, None).unwrap();
    assert_eq!(same.list(folder.0.path()).unwrap(), folder.list("csv"));
    assert_eq!(same.card().role, Role::Ood);
}

#[test]
fn names_that_would_mislead_are_refused() {
    for (name, reason) in [
        ("Hospital C", "lower-case letters"),
        ("", "lower-case letters"),
        ("../c", "lower-case letters"),
        ("siim", "another layout"),
    ] {
        let message = Named::new(find("folder").unwrap(), Some(name), None).err().unwrap().to_string();
        assert!(message.contains(reason) && message.contains(&format!("`{name}`")), "{message}");
    }
}

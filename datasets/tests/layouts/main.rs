//! The quirks of each layout, on folders of a few empty files: adapters open no image.

mod negatives;
mod own;

use std::path::{Path, PathBuf};

use datasets::{Listing, find};
use schema::{Label, PatientId, PixelBox};

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            folder.put(path, text);
        }
        folder
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    fn list(&self, name: &str) -> Listing {
        find(name).unwrap().list(self.0.path()).unwrap()
    }

    fn refusal(&self, name: &str) -> String {
        find(name).unwrap().list(self.0.path()).unwrap_err().to_string()
    }
}

const STUDIES: &str = "id,Negative for Pneumonia,Typical Appearance,Indeterminate Appearance,Atypical Appearance\n\
                       s1_study,1,0,0,0\ns2_study,0,0,1,0\n";
const IMAGES: &str = "id,boxes,label,StudyInstanceUID\n\
                      i1_image,,none 1 0 0 1 1,s1\n\
                      i2_image,\"[{'x': 1, 'y': 2.5, 'width': 3, 'height': 4}]\",opacity 1 1 2.5 4 6.5,s2\n\
                      i3_image,,none 1 0 0 1 1,s2\n";

fn siim() -> Folder {
    Folder::with(&[
        ("train_study_level.csv", STUDIES),
        ("train_image_level.csv", IMAGES),
        ("train/s1/x/i1.dcm", ""),
        ("train/s2/y/i2.dcm", ""),
    ])
}

#[test]
fn siim_labels_come_from_the_study_and_boxes_from_the_image() {
    let folder = siim();
    folder.put("train/s2/z/i9.dcm", "");
    folder.put("train/s2/z/notes.txt", "");
    let listing = folder.list("siim");
    assert_eq!(listing.missing, ["i3"]);
    assert_eq!(listing.unlisted, [PathBuf::from("train/s2/z/i9.dcm")]);
    let [negative, positive] = listing.records.as_slice() else { panic!("{listing:?}") };
    assert_eq!((negative.label, negative.finding.as_str()), (Label::Negative, "Negative for Pneumonia"));
    assert_eq!((positive.label, positive.finding.as_str()), (Label::Covid, "Indeterminate Appearance"));
    assert_eq!(positive.path, Path::new("train/s2/y/i2.dcm"));
    assert_eq!(positive.study.as_deref(), Some("s2"));
    assert_eq!(positive.boxes, [PixelBox { x: 1.0, y: 2.5, width: 3.0, height: 4.0 }]);
    assert_eq!(positive.patient, None, "only the DICOM header tells");
}

#[test]
fn siim_tables_with_faults_are_refused_by_line_and_column() {
    let images = "train_image_level.csv";
    let studies = "train_study_level.csv";
    for (table, text, wanted) in [
        (
            images,
            IMAGES.replace("'height'", "'hight'"),
            "train_image_level.csv, line 3, column `boxes`: unknown field `hight`",
        ),
        (images, IMAGES.replace("i2_image", "i2"), "line 3, column `id`: expected `<id>_image`, found `i2`"),
        (
            images,
            IMAGES.replace("i3_image", "i1_image"),
            "line 4, column `id`: image `i1` stands in the table twice",
        ),
        (images, IMAGES.replace("1,s1", "1,s7"), "line 2, column `StudyInstanceUID`: study `s7` is not in"),
        (
            images,
            IMAGES.replace("boxes", "rectangles"),
            "no column `boxes`; the header has `id`, `rectangles`",
        ),
        (
            studies,
            STUDIES.replace("0,0,1,0", "0,1,1,0"),
            "line 3, column `Indeterminate Appearance`: the study is already",
        ),
        (studies, STUDIES.replace("0,0,1,0", "0,0,0,0"), "line 3, column `id`: no appearance"),
        (studies, STUDIES.replace("0,0,1,0", "0,0,yes,0"), "expected 0 or 1, found `yes`"),
        (
            studies,
            STUDIES.replace("0,0,1,0", "0,0"),
            "column `Indeterminate Appearance`: the row ends before",
        ),
    ] {
        let folder = siim();
        folder.put(table, &text);
        let message = folder.refusal("siim");
        assert!(message.contains(wanted), "{message}");
    }
}

#[test]
fn siim_says_what_it_looked_for() {
    for (lacking, wanted) in [
        ("train_study_level.csv", "no train_study_level.csv in"),
        ("train", "no folder `train` in"),
        ("train/s1", "no image that train_image_level.csv names in"),
    ] {
        let folder = siim();
        let path = folder.0.path().join(lacking);
        if path.is_dir() { fs_err::remove_dir_all(path) } else { fs_err::remove_file(path) }.unwrap();
        if lacking == "train/s1" {
            fs_err::remove_dir_all(folder.0.path().join("train/s2")).unwrap();
        }
        let message = folder.refusal("siim");
        assert!(message.starts_with(wanted) && message.contains("https://"), "{message}");
    }
}

#[cfg(unix)]
#[test]
fn siim_follows_links_to_images() {
    let folder = siim();
    let elsewhere = Folder::with(&[("i3.dcm", "")]);
    std::os::unix::fs::symlink(elsewhere.0.path(), folder.0.path().join("train/s2/linked")).unwrap();
    assert_eq!(folder.list("siim").records.len(), 3);
    fs_err::remove_file(elsewhere.0.path().join("i3.dcm")).unwrap();
    std::os::unix::fs::symlink("nowhere", elsewhere.0.path().join("i3.dcm")).unwrap();
    assert_eq!(folder.list("siim").missing, ["i3"], "a link to nothing");
}

const METADATA: &str = "\u{feff}patientid,finding,view,modality,folder,filename,clinical_notes,\r\n\
     7,COVID-19,PA,X-ray,images,b.png,\"two\r\nlines, quoted\",\r\n\
     7,\"COVID-19, ARDS\",AP Supine,X-ray,images,a.jpg,,\r\n\
     8,Pneumonia/Viral/COVID-19,AP,X-ray,images,absent.jpg,,\r\n\
     8,COVID-19,L,X-ray,images,lateral.jpg,,\r\n\
     9,COVID-19,PA,CT,images,ct.jpg,,\r\n\
     9,COVID-19,PA,X-ray,volumes,v.jpg,,\r\n\
     9,todo,PA,X-ray,images,todo.jpg,,\r\n\
     ,COVID-19,PA,X-ray,images,nobody.jpg,,\r\n";

#[test]
fn github_covid_selects_frontal_radiographs_of_covid() {
    let folder = Folder::with(&[("metadata.csv", METADATA)]);
    for name in ["a.jpg", "b.png", "lateral.jpg", "ct.jpg", "todo.jpg", "nobody.jpg", "stray.jpg"] {
        folder.put(&format!("images/{name}"), "");
    }
    let listing = folder.list("github-covid");
    let names: Vec<_> = listing.records.iter().map(|record| record.name.as_str()).collect();
    assert_eq!(names, ["a.jpg", "b.png"]);
    assert_eq!(listing.records[0].patient, PatientId::new("7"));
    assert_eq!(listing.records[0].view.as_deref(), Some("AP Supine"));
    assert_eq!(listing.missing, ["absent.jpg"]);
    assert_eq!(listing.unlisted, [PathBuf::from("images/stray.jpg")]);
    let excluded: Vec<_> = listing.excluded.iter().map(|excluded| (excluded.reason, excluded.rows)).collect();
    let expected = [
        ("finding is not COVID-19", 1),
        ("folder is not images", 1),
        ("modality is not X-ray", 1),
        ("no patient id", 1),
        ("view is not PA, AP or AP Supine", 1),
    ];
    assert_eq!(excluded, expected);
}

#[test]
fn github_covid_refuses_an_image_that_is_selected_twice() {
    let folder = Folder::with(&[("metadata.csv", &METADATA.replace("a.jpg", "b.png")), ("images/b.png", "")]);
    let message = folder.refusal("github-covid");
    assert!(message.contains("metadata.csv, line 4, column `filename`: image `b.png`"), "{message}");
}

const ENTRIES_V2020: &str = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,\
     OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]\n\
     00000001_000.png,No Finding,0,1,58,M,PA,2682,2749,0.143,0.143\n\
     00000001_001.png,Cardiomegaly|Effusion,1,1,58,M,PA,2682,2749,0.143,0.143\n\
     00000002_000.png,No Finding,0,2,81,F,AP,2500,2048,0.171,0.171\n";

#[test]
fn chestx_ray14_reads_both_versions_and_both_layouts() {
    let ends_with_comma =
        ENTRIES_V2020.replace('\n', ",\n").replace(",58,", ",058Y,").replace(",81,", ",081Y,");
    let recent = Folder::with(&[
        ("Data_Entry_2017_v2020.csv", ENTRIES_V2020),
        ("images_001/images/00000001_000.png", ""),
        ("images_001/images/00000001_001.png", ""),
        ("images_012/images/stray.png", ""),
        ("images_012/images/readme.txt", ""),
    ]);
    let older = Folder::with(&[
        ("Data_Entry_2017.csv", &ends_with_comma),
        ("images/00000001_000.png", ""),
        ("images/00000001_001.png", ""),
        ("images/stray.png", ""),
    ]);
    let all = recent.list("chestx-ray14-findings");
    let findings: Vec<&str> = all.records.iter().map(|record| record.finding.as_str()).collect();
    assert_eq!(findings, ["No Finding", "Cardiomegaly|Effusion"]);
    assert!(all.excluded.is_empty() && all.records.iter().all(|record| record.label == Label::Negative));
    let (recent, older) = (recent.list("chestx-ray14"), older.list("chestx-ray14"));
    assert_eq!(recent.unlisted, [PathBuf::from("images_012/images/stray.png")]);
    for listing in [&recent, &older] {
        let [record] = listing.records.as_slice() else { panic!("{listing:?}") };
        assert_eq!(record.name, "00000001_000.png");
        assert_eq!((record.label, record.patient.clone()), (Label::Negative, PatientId::new("1")));
        assert_eq!(record.view.as_deref(), Some("PA"));
        assert_eq!(listing.missing, ["00000002_000.png"]);
        assert_eq!(listing.excluded[0].rows, 1);
    }
    assert_eq!(recent.records[0].path, Path::new("images_001/images/00000001_000.png"));
    assert_eq!(older.records[0].path, Path::new("images/00000001_000.png"));
}

#[test]
fn chestx_ray14_without_images_says_what_it_looked_for() {
    let folder = Folder::with(&[("Data_Entry_2017.csv", ENTRIES_V2020)]);
    let message = folder.refusal("chestx-ray14");
    assert!(
        message.contains("no image in `images_001/images/` … `images_012/images/` or `images/`"),
        "{message}"
    );
    folder.put("images/00000001_001.png", "");
    let message = folder.refusal("chestx-ray14");
    assert!(message.contains("no image whose finding is No Finding"), "{message}");
}

#[test]
fn chestx_ray14_refuses_one_image_in_two_folders() {
    let folder = Folder::with(&[
        ("Data_Entry_2017.csv", ENTRIES_V2020),
        ("images_001/images/00000001_000.png", ""),
        ("images/00000001_000.png", ""),
    ]);
    let message = folder.refusal("chestx-ray14");
    let wanted = "images/00000001_000.png and images_001/images/00000001_000.png are both image";
    assert!(message.contains(wanted), "{message}");
}

//! A hospital's own images, through `sga-ingest`.

use end_to_end::{Workplace, dicom_of};

/// Two classes of three DICOM files each, by folder.
fn by_folder() -> Workplace {
    let place = Workplace::new();
    for index in 0..3 {
        place.put(&format!("h/negative/{index}.dcm"), dicom_of(&format!("n{index}"), 32, index));
        place.put(&format!("h/covid/{index}.dcm"), dicom_of(&format!("p{index}"), 32, 100 + index));
    }
    place
}

#[test]
fn a_folder_becomes_an_unseen_hospital_under_its_own_name() {
    let place = by_folder();
    let words = ["dataset=folder", "path=h", "name=hospital-c", "size=32"];
    let said = place.ok("ingest", &words);
    assert!(said.contains("hospital-c: 6 read, 0 reused; "), "{said}");
    let row = said.lines().find(|line| line.contains(" ood ")).unwrap_or_else(|| panic!("{said}"));
    let words_of_row: Vec<_> = row.split_whitespace().collect();
    assert_eq!(words_of_row[..4], ["hospital-c", "hospital-c", "ood", "6"], "{row}");
    assert!(place.ok("ingest", &words).contains("hospital-c: unchanged"));

    let said = place.ok("ingest", &[&words[..], &["role=iid"]].concat());
    assert!(said.contains(" train ") && said.contains("role ood → iid"), "{said}");
}

#[test]
fn a_hospital_can_be_configured_once_and_called_by_its_name() {
    let place = by_folder();
    let entry = |text: &str| place.put("sga.toml", format!("[datasets]\n{text}\n"));
    entry("hospital-c = { dataset = \"folder\", path = \"h\", role = \"iid\" }");
    for words in [&["size=32"][..], &["dataset=hospital-c", "size=32"]] {
        let said = place.ok("ingest", words);
        assert!(said.contains("hospital-c: ") && said.contains(" train "), "{said}");
    }
    assert!(place.ok("ingest", &["dataset=hospital-c", "role=ood", "size=32"]).contains(" ood "));
    for (text, says) in [
        ("c = { dataset = \"folder\" }", "`c` lacks `path`"),
        ("c = { dataset = \"folder\", path = \"h\", rolle = \"iid\" }", "`c` has `rolle`"),
        ("c = { dataset = \"folder\", path = \"h\", role = \"both\" }", "role is iid or ood, not `both`"),
        ("c = 7", "`c` must be a folder in quotes"),
        ("# c = \"h\"", "the table [datasets] names none"),
        ("C = { dataset = \"folder\", path = \"h\" }", "cannot be called `C`"),
    ] {
        entry(text);
        let ended = place.run("ingest", &[]);
        assert_eq!(ended.code, 2, "{}", ended.err);
        assert!(ended.err.contains(says), "{}", ended.err);
    }
}

#[test]
fn mistakes_in_the_words_are_told_before_anything_is_read() {
    let place = by_folder();
    for (words, says) in [
        (&["name=c"][..], "name=… needs dataset=…"),
        (&["dataset=folder", "path=h", "name=Hospital C"], "lower-case letters, digits and hyphens"),
        (&["dataset=folder", "path=h", "name=siim"], "another layout"),
        (&["dataset=folder", "path=h", "role=test"], "iid | ood"),
        (&["dataset=foldr", "path=h"], "did you mean `folder`?"),
    ] {
        let ended = place.run("ingest", words);
        assert_eq!(ended.code, 2, "{words:?}: {}", ended.err);
        assert!(ended.err.contains(says), "{words:?}: {}", ended.err);
    }
}

#[test]
fn data_that_are_not_what_they_should_be_are_named() {
    let place = Workplace::new();
    place.put("empty/readme.txt", "");
    place.put("h/images.csv", "path,label,patient\n1.dcm,covid,\n2.dcm,maybe,\n");
    place.put("h/1.dcm", dicom_of("p", 32, 1));
    place.put("none/images.csv", "path,label,patient\n1.dcm,covid,\n");
    place.put("none/1.dcm", "not a radiograph");
    for (path, says) in [
        ("h", "images.csv, line 3, column `label`: `maybe` is not negative ("),
        ("empty", "no images.csv in empty"),
        ("absent", "csv: absent does not exist"),
        ("none", "csv: not one of 1 images could be read"),
    ] {
        let ended = place.run("ingest", &["dataset=csv", &format!("path={path}")]);
        assert_eq!(ended.code, 3, "{path}: {}", ended.err);
        assert!(ended.err.contains(says), "{path}: {}", ended.err);
    }
}

#[test]
fn broken_files_are_set_aside_and_the_others_are_read() {
    let place = by_folder();
    let whole = dicom_of("p", 32, 7);
    place.put("h/covid/half.dcm", &whole[..whole.len() / 2]);
    place.put("h/covid/text.dcm", "not a radiograph");
    place.put("h/covid/empty.dcm", "");
    place.put("h/covid/nobody.dcm", dicom_of("", 32, 8));
    let said = place.ok("ingest", &["dataset=folder", "path=h", "size=32"]);
    assert!(said.contains("6 images, 4 quarantined"), "{said}");
    assert!(said.contains("quarantined, no-patient: 1"), "{said}");
}

#[test]
fn what_is_no_image_that_is_read_is_set_aside_by_name_or_counted() {
    let place = by_folder();
    place.put("h/covid/9.tif", "II*\0");
    place.put("h/covid/Pat 8 frontal.png", "cut short");
    place.put("h/covid/notes.txt", "");
    let said = place.ok("ingest", &["dataset=folder", "path=h", "size=32"]);
    assert!(said.contains("6 images, 2 quarantined"), "{said}");
    assert!(said.contains("1 left out: neither a picture nor DICOM"), "{said}");
    assert!(said.contains("1 pictures are taken for a patient each"), "{said}");
    let said = place.ok("curate", &["do=quarantine"]);
    assert!(said.contains("h/covid/9.tif") || said.contains("covid/9.tif"), "{said}");
}

#[test]
fn a_table_as_a_spreadsheet_writes_it_is_read() {
    let place = Workplace::new();
    for name in ["1", "2"] {
        place.put(&format!("h/{name}.dcm"), dicom_of(name, 32, 7));
    }
    place.put(
        "h/images.csv",
        "\u{feff}Path;Label;Patient;Source\r\n1.dcm;COVID;0017;west\r\n2.dcm;no finding;0018;east\r\n",
    );
    let words = ["dataset=csv", "path=h", "size=32", "name=h"];
    let said = place.ok("ingest", &words);
    assert!(said.contains("2 images, 0 quarantined") && said.contains(" h-west "), "{said}");
    for (patient, says) in [("1,70E+10", "cut short"), ("1.7E+10", "cut short")] {
        place.put("h/images.csv", format!("path;label;patient\n1.dcm;covid;0017\n2.dcm;covid;{patient}\n"));
        let ended = place.run("ingest", &words);
        assert!(ended.code == 3 && ended.err.contains("line 3") && ended.err.contains(says), "{}", ended.err);
    }
    place.put("h/images.csv", "path,label,patient\nfolder\\1.dcm,covid,7\n");
    let ended = place.run("ingest", &words);
    assert!(ended.code == 3 && ended.err.contains("write / between folders"), "{}", ended.err);
}

#[test]
fn two_hospitals_that_would_call_a_source_alike_are_refused() {
    let place = Workplace::new();
    for (hospital, source) in [("a", "x-y"), ("b", "y")] {
        place.put(&format!("{hospital}/1.dcm"), dicom_of("7", 32, 7));
        place.put(
            &format!("{hospital}/images.csv"),
            format!("path,label,patient,source\n1.dcm,covid,7,{source}\n"),
        );
    }
    let ingest = |path: &str, name: &str| {
        place.run("ingest", &["dataset=csv", "size=32", &format!("path={path}"), &format!("name={name}")])
    };
    assert_eq!(ingest("a", "h").code, 0);
    let refused = ingest("b", "h-x");
    assert_eq!(refused.code, 3, "{}", refused.err);
    assert!(refused.err.contains("a source `h-x-y`, too"), "{}", refused.err);
    assert_eq!(ingest("b", "i-x").code, 0);
    assert_eq!(ingest("a", "h").code, 0, "what is there stays as it is");
}

#[test]
fn an_image_whose_box_lies_outside_it_is_set_aside_until_the_table_is_right() {
    let place = Workplace::new();
    for name in ["1", "2"] {
        place.put(&format!("h/{name}.dcm"), dicom_of(name, 32, 7));
    }
    let table =
        |boxes: &str| format!("path,label,patient,boxes\n1.dcm,covid,,{boxes}\n2.dcm,covid,,-4 8 16 12\n");
    let words = ["dataset=csv", "path=h", "size=32"];
    place.put("h/images.csv", table("4 8 16 12; 900 310 350 420"));
    let said = place.ok("ingest", &words);
    assert!(said.contains("1 images, 1 quarantined") && said.contains("box-outside: 1"), "{said}");
    let said = place.ok("curate", &["do=quarantine"]);
    assert!(said.contains("`900 310 350 420` lies outside the image of 32 × 32 pixels"), "{said}");

    place.put("h/images.csv", table("4 8 16 12"));
    let said = place.ok("ingest", &words);
    assert!(said.contains("2 images, 0 quarantined"), "{said}");

    place.put("h/images.csv", table("32 8 16 12"));
    let said = place.ok("ingest", &words);
    assert!(said.contains("0 read, 2 reused") && said.contains("1 images, 1 quarantined"), "{said}");
}

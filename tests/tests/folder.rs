//! A folder kept as it is beside what was made of it.

use std::{collections::BTreeSet, path::PathBuf};

use end_to_end::{Workplace, dicom_of};
use store::Store;
use walkdir::WalkDir;

fn hospital() -> Workplace {
    let place = Workplace::new();
    for number in 0..12 {
        let class = ["covid", "negative"][number % 2];
        place.put(
            &format!("raw/{class}/PIDQX{number}_1.dcm"),
            dicom_of(&format!("PIDQX{number}"), 48, number as u64),
        );
    }
    place.put("raw/notes.txt", "PIDQX3 moved");
    place
}

#[test]
fn a_folder_is_kept_compared_and_written_back() {
    let place = hospital();
    let said = place.ok("store", &["do=add", "path=raw", "name=siim-raw"]);
    assert!(said.contains("siim-raw.1: 13 files") && said.contains("13 read"), "{said}");
    assert!(place.ok("store", &["do=add", "name=siim-raw"]).contains("siim-raw.1: unchanged"));
    assert!(place.ok("store", &[]).contains("siim-raw.1"), "it is listed like everything else");

    place.put("raw/notes.txt", "PIDQX3 moved again");
    place.put("raw/covid/new\nline.dcm", "x");
    fs_err::remove_file(place.path().join("raw/covid/PIDQX0_1.dcm")).unwrap();
    let said = place.ok("store", &["do=changes", "name=siim-raw"]);
    for line in ["added    covid/new\\nline.dcm", "changed  notes.txt", "removed  covid/PIDQX0_1.dcm"] {
        assert!(said.lines().any(|said| said == line), "{line} is not in\n{said}");
    }
    assert!(place.ok("store", &["do=add", "path=raw", "name=siim-raw"]).contains("siim-raw.2: 13 files"));

    place.ok("store", &["do=export", "name=siim-raw.1", "out=back/first"]);
    assert_eq!(fs_err::read(place.path().join("back/first/notes.txt")).unwrap(), b"PIDQX3 moved");
    assert!(place.path().join("back/first/covid/PIDQX0_1.dcm").exists());
    place.ok("store", &["do=export", "name=siim-raw", "out=back/last"]);
    assert_eq!(fs_err::read(place.path().join("back/last/notes.txt")).unwrap(), b"PIDQX3 moved again");
    place.ok("store", &["do=verify"]);
    place.ok("store", &["do=gc", "keep=last:1", "lease=0", "dry_run=false"]);
    place.ok("store", &["do=export", "name=siim-raw.1", "out=back/again"]);
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let place = hospital();
    place.ok("store", &["do=add", "path=raw", "name=raw"]);
    let occupied = ["do=export", "name=raw", "out=raw"];
    let inside = ["do=add", "path=.", "name=all"];
    for (words, code, says) in [
        (&["do=add", "path=raw"][..], 2, "name=… is missing"),
        (&["do=add", "name=new"], 2, "path=…"),
        (&["do=add", "path=raw", "name=raw.1"], 2, "the dot"),
        (&["do=add", "path=absent", "name=new"], 3, "absent"),
        (&["do=changes", "name=new"], 2, "no folder is kept as new"),
        (&["do=export", "name=raw.7", "out=x"], 2, "raw.1 to raw.1"),
        (&["do=export", "name=raw"], 2, "out=… is missing"),
        (&occupied, 2, "not an empty folder"),
        (&inside, 2, "the store lies in the folder"),
    ] {
        let ended = place.run("store", words);
        assert_eq!(ended.code, code, "{words:?}: {}", ended.err);
        assert!(ended.err.contains(says), "{words:?}: {}", ended.err);
    }
}

/// File names hold patients. They lie in the raw folder's own objects, and nothing made of the images refers to these.
#[test]
fn what_names_patients_stays_in_the_objects_of_the_raw_folder() {
    let place = hospital();
    fs_err::remove_file(place.path().join("raw/notes.txt")).unwrap();
    place.ok("ingest", &["dataset=folder", "path=raw", "name=hospital-c"]);
    place.ok("store", &["do=add", "path=raw", "name=hospital-c-raw"]);
    let store = Store::open(place.path().join(".sga")).unwrap();
    let (mut raw, mut made): (BTreeSet<PathBuf>, BTreeSet<PathBuf>) = Default::default();
    for stage in store.stages().unwrap() {
        for name in store.refs_of(&stage).unwrap() {
            let (_, result) = store.resolve(&stage, &name).unwrap().unwrap();
            let objects = result.outputs.values().map(|digest| store.object(digest).unwrap());
            if stage == "folder" { raw.extend(objects) } else { made.extend(objects) }
        }
    }
    assert!(raw.len() >= 2 && !made.is_empty() && raw.is_disjoint(&made));
    let named = |bytes: &[u8]| bytes.windows(5).any(|window| window == b"PIDQX");
    let mut found = 0;
    for entry in WalkDir::new(store.root()).into_iter().map(Result::unwrap) {
        assert!(!named(entry.path().to_string_lossy().as_bytes()), "{}", entry.path().display());
        if entry.file_type().is_file() && named(&fs_err::read(entry.path()).unwrap()) {
            assert!(raw.contains(entry.path()), "{} names patients", entry.path().display());
            found += 1;
        }
    }
    assert!(found > 0, "the listing names them");
}

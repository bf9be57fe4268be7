//! What a data curator relies on.

use std::collections::{BTreeMap, BTreeSet};

use cohort::Dataset;
use end_to_end::Workplace;
use schema::{Pixels, read_shard};
use store::Store;
use walkdir::WalkDir;

/// The DICOM files of hospital A.
fn dicoms(place: &Workplace) -> Vec<std::path::PathBuf> {
    WalkDir::new(place.path().join("phantom/hospital-a"))
        .sort_by_file_name()
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|extension| extension == "dcm"))
        .collect()
}

#[test]
fn no_patient_is_in_two_splits_and_boxes_lie_in_the_image() {
    let place = Workplace::with_data();
    let store = Store::open(place.path().join(".sga")).unwrap();
    let mut splits: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut boxes = 0;
    for dataset in Dataset::all(&store).unwrap() {
        for shard in &dataset.manifest.shards {
            let path = store.object(&dataset.digest(shard).unwrap()).unwrap();
            for row in read_shard(&path, Pixels::Read).unwrap() {
                splits.entry(row.patient_key.to_string()).or_default().insert(row.split.name());
                boxes += row.boxes.len();
                assert!(row.png.starts_with(b"\x89PNG"));
                for b in &row.boxes {
                    assert!(
                        b.x >= 0.0 && b.y >= 0.0 && b.x + b.width <= 1.0001 && b.y + b.height <= 1.0001,
                        "{b:?}"
                    );
                }
            }
        }
    }
    assert!(splits.len() > 30, "{} patients", splits.len());
    assert!(splits.values().all(|splits| splits.len() == 1), "a patient is in two splits");
    assert!(boxes > 0);
}

#[test]
fn a_broken_file_is_set_aside_and_only_what_changed_is_read() {
    let place = Workplace::with_data();
    let files = dicoms(&place);
    fs_err::write(&files[0], "not a radiograph").unwrap();
    let whole = fs_err::read(&files[1]).unwrap();
    fs_err::write(&files[1], &whole[..whole.len() / 2]).unwrap();
    let said = place.ingest();
    let line = said.lines().find(|line| line.starts_with("phantom-a: ")).unwrap().to_owned();
    // Of the other one the header says already that it is no radiograph.
    assert!(line.contains("1 read") && line.contains("2 quarantined"), "{line}");
    assert!(said.contains("phantom-b: unchanged"), "{said}");

    fs_err::write(&files[1], &whole).unwrap();
    let said = place.ingest();
    assert!(said.contains("1 quarantined"), "{said}");
}

#[test]
fn bad_input_is_an_error_with_its_exit_code_and_a_remedy() {
    let place = Workplace::new();
    fs_err::create_dir(place.path().join("empty")).unwrap();
    let cases: &[(&str, &[&str], i32, &str)] = &[
        ("ingest", &["dataset=simm"], 2, "siim"),
        ("ingest", &["metod=sga"], 2, "`metod`"),
        ("ingest", &[], 2, "sga.toml"),
        ("ingest", &["dataset=siim", "path=absent"], 3, "absent"),
        ("ingest", &["dataset=siim", "path=empty"], 3, "empty"),
        ("train", &["method=sgaa"], 2, "nt | at | sg | sga"),
        ("train", &["k=2"], 2, "k=2"),
        ("train", &["init=scratch"], 3, "just ingest"),
        ("train", &["init=scratch", "data=siim"], 2, "siim"),
        ("eval", &[], 3, "just train"),
        ("store", &["do=dance"], 2, "verify"),
        ("ingest", &["experiment=nowhere"], 2, "nowhere"),
    ];
    for (stage, words, code, says) in cases {
        let ended = place.run(stage, words);
        assert_eq!(ended.code, *code, "sga-{stage} {words:?}: {}", ended.err);
        assert!(ended.err.contains(says), "sga-{stage} {words:?} does not say {says:?}: {}", ended.err);
    }
}

#[test]
fn a_damaged_store_is_told_with_its_own_exit_code() {
    let place = Workplace::with_data();
    let objects = place.path().join(".sga/objects");
    let object =
        WalkDir::new(objects).into_iter().filter_map(Result::ok).find(|entry| entry.file_type().is_file());
    fs_err::remove_file(object.unwrap().path()).unwrap();
    let ended = place.run("store", &["do=verify"]);
    assert_eq!(ended.code, 4, "{}", ended.err);
}

#[test]
fn no_patient_number_is_in_the_store() {
    let place = Workplace::with_data();
    let table =
        fs_err::read_to_string(place.path().join("phantom/hospital-a/train_image_level.csv")).unwrap();
    let studies: Vec<&str> = table.lines().skip(1).filter_map(|line| line.rsplit(',').next()).collect();
    assert!(studies.len() > 10 && studies.iter().all(|study| study.len() >= 8), "{studies:?}");
    for entry in WalkDir::new(place.path().join(".sga/objects")).into_iter().filter_map(Result::ok) {
        if entry.file_type().is_file() {
            let bytes = fs_err::read(entry.path()).unwrap();
            for study in &studies {
                let found = bytes.windows(study.len()).any(|window| window == study.as_bytes());
                assert!(!found, "study {study} is in {}", entry.path().display());
            }
        }
    }
}

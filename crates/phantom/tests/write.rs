//! What is written, seen from outside.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use phantom::{Error, Hospital, Plan, write};

/// A small plan: `patients` in each hospital.
fn small(patients: u32, seed: u64) -> Plan {
    let plan = Plan::default();
    Plan {
        seed,
        side: 32,
        hospital_a: Hospital { patients, ..plan.hospital_a },
        hospital_b: Hospital { patients, ..plan.hospital_b },
        ..Plan::default()
    }
}

fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs_err::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(folder).unwrap().to_owned(), fs_err::read(&path).unwrap());
            }
        }
    }
    files
}

#[test]
fn a_seed_decides_every_byte() {
    let [first, same, other] = [1, 1, 2].map(|seed| {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &small(6, seed)).unwrap();
        contents(folder.path())
    });
    assert!(first == same, "two runs of one seed differ");
    assert!(first.len() > 12);
    let in_both =
        |path: &&PathBuf| path.extension().is_some_and(|end| end == "png") && other.contains_key(*path);
    let pictures: Vec<_> = first.keys().filter(in_both).collect();
    assert!(!pictures.is_empty());
    assert!(pictures.iter().all(|path| first[*path] != other[*path]), "two seeds share a picture");
}

#[test]
fn the_marker_goes_with_the_label_in_hospital_a_alone() {
    let folder = tempfile::tempdir().unwrap();
    let summary = write(folder.path(), &small(500, 3)).unwrap();
    for (marked, images, share) in [
        (summary.hospital_a.marked_positives, summary.hospital_a.positives, 0.9),
        (summary.hospital_a.marked_negatives, summary.hospital_a.negatives, 0.1),
        (summary.hospital_b.marked_positives, summary.hospital_b.positives, 0.5),
        (summary.hospital_b.marked_negatives, summary.hospital_b.negatives, 0.5),
    ] {
        let n = images as f64;
        assert!(images > 150, "{images} images");
        let deviation = (marked as f64 - share * n).abs() / (n * share * (1.0 - share)).sqrt();
        assert!(deviation < 4.0, "{marked} of {images} marked, planned {share}");
    }
}

#[test]
fn a_hospital_is_never_overwritten_and_a_wreck_is_cleared_away() {
    let folder = tempfile::tempdir().unwrap();
    let wreck = folder.path().join(".hospital-a.partial/train/half");
    fs_err::create_dir_all(&wreck).unwrap();
    write(folder.path(), &small(2, 0)).unwrap();
    assert!(!folder.path().join("hospital-a/train/half").exists());
    let before = contents(folder.path());
    assert!(
        matches!(write(folder.path(), &small(2, 1)), Err(Error::Exists(path)) if path.ends_with("hospital-a"))
    );
    assert!(contents(folder.path()) == before);
}

#[test]
fn a_plan_out_of_range_is_refused_by_field() {
    let folder = tempfile::tempdir().unwrap();
    let good = small(2, 0);
    let hospital = |change: fn(&mut Hospital)| {
        let mut plan = good.clone();
        change(&mut plan.hospital_b);
        plan
    };
    for (plan, field) in [
        (Plan { side: 8, ..good.clone() }, "side is 8"),
        (Plan { positives: 1.5, ..good.clone() }, "positives is 1.5"),
        (Plan { opacity: 0.5..=f32::NAN, ..good.clone() }, "opacity"),
        (Plan { opacity: 0.5..=0.2, ..good.clone() }, "the range is empty"),
        (hospital(|b| b.patients = 0), "hospital_b.patients is 0"),
        (hospital(|b| b.noise = -0.1), "hospital_b.noise"),
        (hospital(|b| b.gamma = 0.0), "hospital_b.gamma is 0"),
        (hospital(|b| b.marker_in_positives = f64::NAN), "hospital_b.marker_in_positives"),
    ] {
        let message = write(folder.path(), &plan).unwrap_err().to_string();
        assert!(message.contains(field), "{message}");
    }
    assert_eq!(contents(folder.path()).len(), 0);
}

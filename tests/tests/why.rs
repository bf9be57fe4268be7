//! What a stage would do, and why.

use std::fs::File;

use end_to_end::Workplace;
use serde_json::Value;

const INGEST: &[&str] =
    &["dataset=folder", "path=hospital", "name=hospital", "role=iid", "size=32", "buckets=1"];

/// A hospital with one picture of each of ten patients.
fn hospital() -> Workplace {
    let place = Workplace::new();
    for patient in 0..10_u8 {
        let class = if patient % 2 == 0 { "covid" } else { "negative" };
        picture(&place, &format!("{class}/{patient}.png"), patient);
    }
    place
}

fn picture(place: &Workplace, path: &str, seed: u8) {
    let path = place.path().join("hospital").join(path);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    let pixel = |x: u32, y: u32| image::Luma([(x * 7 + y * 3) as u8 ^ seed.wrapping_mul(37)]);
    image::GrayImage::from_fn(40, 40, pixel).save(path).unwrap();
}

/// What a dry run of ingest says, for programs.
fn plan(place: &Workplace, words: &[&str]) -> Value {
    let said = place.ok("ingest", &[INGEST, &["dry_run=true", "json=true"], words].concat());
    serde_json::from_str(&said).unwrap()
}

#[test]
fn a_dry_run_of_ingest_names_the_files_and_does_nothing() {
    let place = hospital();
    assert_eq!(plan(&place, &[])["runs"], true);
    assert!(place.ok("ingest", &[INGEST, &["dry_run=true"]].concat()).contains("for the first time"));
    assert!(!place.path().join(".sga/refs").exists(), "a dry run names nothing");

    place.ok("ingest", INGEST);
    assert_eq!(plan(&place, &[])["runs"], false);

    picture(&place, "covid/new.png", 99);
    picture(&place, "covid/2.png", 98);
    fs_err::rename(place.path().join("hospital/negative/3.png"), place.path().join("hospital/covid/3.png"))
        .unwrap();
    let said = place.ok("ingest", &[INGEST, &["dry_run=true"]].concat());
    for says in ["listing", "new: covid/new.png", "other content: covid/2.png"] {
        assert!(said.contains(says), "{says} is not in\n{said}");
    }
    assert!(!said.contains("covid/4.png"), "an unchanged file is named:\n{said}");
    let before = place.ok("store", &["do=list"]);
    assert_eq!(place.ok("store", &["do=list"]), before, "a dry run changes no name");

    let fields = |plan: &Value| -> Vec<String> {
        let differences = plan["differences"].as_array().unwrap();
        differences.iter().map(|field| field["field"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(fields(&plan(&place, &[])), ["listing"]);
    place.ok("ingest", INGEST);
    assert_eq!(fields(&plan(&place, &["size=24"])), ["size"]);
}

#[test]
fn status_tells_what_is_up_to_date() {
    let place = hospital();
    place.put(
        "sga.toml",
        "[datasets]\nhospital = { dataset = \"folder\", path = \"hospital\", role = \"iid\" }\n",
    );
    place.ok("ingest", &["size=32"]);
    let state = || -> Value {
        let said = place.ok("store", &["do=status", "json=true"]);
        let rows: Vec<Value> = serde_json::from_str(&said).unwrap();
        rows[0].clone()
    };
    assert_eq!((&state()["name"], &state()["up_to_date"]), (&"hospital".into(), &true.into()));
    picture(&place, "covid/new.png", 99);
    assert_eq!(state()["up_to_date"], false);
    place.ok("ingest", &["size=32"]);
    assert_eq!(state()["up_to_date"], true);
    fs_err::remove_file(place.path().join("sga.toml")).unwrap();
    assert_eq!(state()["up_to_date"], Value::Null, "nobody knows without the folder");
}

#[test]
fn running_again_says_whether_the_same_comes_out() {
    let place = hospital();
    place.ok("ingest", INGEST);
    let ended = place.run("ingest", &[INGEST, &["again=true"]].concat());
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.contains("the same came out"), "{}", ended.err);
    assert!(ended.out.contains(" 0 reused"), "every file is read again: {}", ended.out);

    // A result with another output under the same key stands for a stage that is not deterministic.
    let action = walkdir::WalkDir::new(place.path().join(".sga/actions"))
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .find(|entry| {
            let result: Value = serde_json::from_reader(File::open(entry.path()).unwrap()).unwrap();
            result["stage"] == "ingest"
        })
        .unwrap();
    let mut result: Value = serde_json::from_reader(File::open(action.path()).unwrap()).unwrap();
    let outputs = result["outputs"].as_object_mut().unwrap();
    let other = outputs["quarantine.parquet"].clone();
    outputs["manifest.json"] = other;
    fs_err::remove_file(action.path()).unwrap();
    fs_err::write(action.path(), result.to_string()).unwrap();
    let ended = place.run("ingest", &[INGEST, &["again=true"]].concat());
    assert!(ended.err.contains("not deterministic"), "{}", ended.err);
    assert!(ended.err.contains("manifest.json"), "{}", ended.err);
}

//! A stage that is stopped, or runs out of disk, loses nothing that was finished, and the next run ends as if nothing
//! had happened.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command},
    sync::LazyLock,
};

use cohort::Dataset;
use end_to_end::{Workplace, dicom_of};
use store::{Digest, Store};
use walkdir::WalkDir;

const TRAIN: &[&str] =
    &["method=sga", "init=scratch", "size=32", "epochs=2", "batch=22", "lr=0.001", "device=cpu", "seed=5"];

const INGEST: &[&str] =
    &["dataset=folder", "path=h", "name=hospital-c", "role=iid", "size=native", "buckets=4"];
const IMAGES: u64 = 40;

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

/// The digest of the weights of the only model.
fn weights(place: &Workplace) -> Digest {
    let store = Store::open(place.path().join(".sga")).unwrap();
    let names = store.refs_of("train").unwrap();
    assert_eq!(names.len(), 1, "{names:?}");
    let (_, result) = store.resolve("train", &names[0]).unwrap().unwrap();
    *result.output("model.safetensors").unwrap()
}

/// The weights of an undisturbed run.
static UNDISTURBED: LazyLock<Digest> = LazyLock::new(|| {
    let place = Workplace::with_data();
    place.ok("train", TRAIN);
    weights(&place)
});

#[test]
fn a_training_stopped_at_any_signal_ends_with_the_same_weights() {
    for signal in ["INT", "TERM", "KILL"] {
        let place = Workplace::with_data();
        let mut child = place.start("train", TRAIN);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("epoch   1/2")));
        send(signal, &child);
        child.wait().unwrap();
        drop(lines);

        place.ok("store", &["do=verify"]);
        let said = place.ok("train", TRAIN);
        // Epochs of a few seconds are not saved on the way, but on leaving.
        assert_eq!(said.contains("goes on after"), signal != "KILL", "{signal}: {said}");
        assert_eq!(weights(&place), *UNDISTURBED, "after {signal}");
        let curve = fs_err::read_dir(place.path().join("results/curves")).unwrap().next().unwrap().unwrap();
        let lines = fs_err::read_to_string(curve.path().join("curve.jsonl")).unwrap();
        let epochs: Vec<&str> = lines.lines().filter(|line| line.contains(r#""event":"epoch""#)).collect();
        assert_eq!(epochs.len(), 2, "each epoch once, after {signal}: {lines}");
        assert!(place.ok("watch", &[]).contains("epoch 2/2"), "after {signal}");
        let left = fs_err::read_dir(place.path().join(".sga/tmp")).unwrap().count();
        assert_eq!(left, 0, "what {signal} left behind is swept away");
    }
}

#[test]
fn a_full_disk_while_training_is_told_and_costs_nothing() {
    let place = Workplace::with_data();
    // Files may hold 4 MB at most: the 45 MB of a checkpoint do not fit, as on a full disk.
    let ended = place.run_where_files_are_small("train", TRAIN, 4 << 20);
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(ended.err.contains("no space left") && ended.err.contains("make room"), "{}", ended.err);
    place.ok("store", &["do=verify"]);
    assert_eq!(place.ingest().matches("unchanged").count(), 2, "the data are still there");
    place.ok("train", TRAIN);
    assert_eq!(weights(&place), *UNDISTURBED);
}

/// A hospital of forty patients, and a store that keeps the secret of `same` if there is one.
fn hospital(same: Option<&Workplace>) -> Workplace {
    let place = Workplace::new();
    for index in 0..IMAGES {
        let class = if index % 2 == 0 { "negative" } else { "covid" };
        place.put(&format!("h/{class}/{index}.dcm"), dicom_of(&format!("p{index}"), 256, index));
    }
    let root = place.path().join(".sga");
    Store::open(&root).unwrap();
    if let Some(same) = same {
        fs_err::copy(same.path().join(".sga/secret"), root.join("secret")).unwrap();
    }
    place
}

/// A hospital whose ingest nothing disturbed.
fn ingested() -> Workplace {
    let place = hospital(None);
    place.ok("ingest", INGEST);
    place
}

/// The digests of everything that the ingest made.
fn outputs(place: &Workplace) -> BTreeMap<String, Digest> {
    let store = Store::open(place.path().join(".sga")).unwrap();
    Dataset::open(&store, "hospital-c").unwrap().result.outputs
}

/// Objects that are whole in the store.
fn objects(place: &Path) -> usize {
    let entries = WalkDir::new(place.join(".sga/objects")).into_iter().filter_map(Result::ok);
    entries.filter(|entry| entry.file_type().is_file()).count()
}

/// Checks that the store is whole, finishes the ingest, and compares with the one that nothing disturbed.
fn finishes_as(undisturbed: &Workplace, place: &Workplace, what: &str) {
    let store = Store::open(place.path().join(".sga")).unwrap();
    assert_eq!(store.verify(|_| {}).unwrap().damage, [], "{what}");
    place.ok("ingest", INGEST);
    assert_eq!(outputs(place), outputs(undisturbed), "{what}");
    assert_eq!(store.verify(|_| {}).unwrap().damage, [], "{what}");
}

#[test]
fn an_ingest_stopped_at_any_signal_ends_with_the_same_data() {
    let undisturbed = ingested();
    let all = objects(undisturbed.path());
    let mut halfway = 0;
    for (signal, after) in [("KILL", 0), ("KILL", 1), ("INT", 4), ("KILL", 7), ("TERM", all - 1)] {
        let place = hospital(Some(&undisturbed));
        let mut child = place.start("ingest", INGEST);
        while objects(place.path()) < after && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        if child.try_wait().unwrap().is_none() {
            send(signal, &child);
            child.wait().unwrap();
        }
        halfway += usize::from((1..all).contains(&objects(place.path())));
        finishes_as(&undisturbed, &place, &format!("{signal} after {after} of {all} objects"));
    }
    assert!(halfway > 0, "every ingest was stopped before or after its work");
}

#[test]
fn an_ingest_takes_up_the_buckets_that_were_finished() {
    let undisturbed = ingested();
    let place = hospital(Some(&undisturbed));
    place.ok("ingest", INGEST);
    // As if the last steps had never happened: the ref and the result of the whole.
    let root = place.path().join(".sga");
    let (key, _) = Store::open(&root).unwrap().resolve("ingest", "hospital-c").unwrap().unwrap();
    fs_err::remove_dir_all(root.join("refs/ingest")).unwrap();
    let hex = key.hex();
    fs_err::remove_dir_all(root.join("actions/sha256").join(&hex[..2]).join(&hex[2..])).unwrap();
    let said = place.ok("ingest", INGEST);
    assert!(said.contains(&format!("0 read, {IMAGES} reused")), "{said}");
    assert_eq!(outputs(&place), outputs(&undisturbed));
}

#[test]
fn a_full_disk_while_ingesting_is_told_and_costs_nothing() {
    let undisturbed = ingested();
    // The largest shard has hundreds of kilobytes.
    for kilobytes in [1, 16, 128] {
        let place = hospital(Some(&undisturbed));
        let ended = place.run_where_files_are_small("ingest", INGEST, kilobytes << 10);
        assert_eq!(ended.code, 1, "{kilobytes} kB: {}{}", ended.out, ended.err);
        assert!(ended.err.contains("no space left"), "{kilobytes} kB: {}", ended.err);
        assert!(ended.err.contains("what was finished is kept"), "{kilobytes} kB: {}", ended.err);
        finishes_as(&undisturbed, &place, &format!("{kilobytes} kB"));
    }
}

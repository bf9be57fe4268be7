//! A training that is stopped loses nothing that was finished, and the next one ends as if nothing had happened.

use std::io::{BufRead, BufReader};

use end_to_end::Workplace;
use store::{Digest, Store};

const TRAIN: &[&str] =
    &["method=sga", "init=scratch", "size=32", "epochs=4", "batch=8", "device=cpu", "seed=5"];

/// The digest of the weights of the only model.
fn weights(place: &Workplace) -> Digest {
    let store = Store::open(place.path().join(".sga")).unwrap();
    let names = store.refs_of("train").unwrap();
    assert_eq!(names.len(), 1, "{names:?}");
    let (_, result) = store.resolve("train", &names[0]).unwrap().unwrap();
    *result.output("model.safetensors").unwrap()
}

/// The weights of an undisturbed run.
fn undisturbed() -> Digest {
    let place = Workplace::with_data();
    place.ok("train", TRAIN);
    weights(&place)
}

#[test]
fn stopped_at_any_signal_it_trains_again_to_the_same_weights() {
    let expected = undisturbed();
    for signal in ["INT", "TERM", "KILL"] {
        let place = Workplace::with_data();
        let mut child = place.start("train", TRAIN);
        // After the first epoch there is half a result: a checkpoint in the temporary folder.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("epoch   1/4")));
        let killed =
            std::process::Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
        assert!(killed.unwrap().success());
        drop(lines);
        child.wait().unwrap();

        place.ok("store", &["do=verify"]);
        place.ok("train", TRAIN);
        assert_eq!(weights(&place), expected, "after {signal}");
        let left = fs_err::read_dir(place.path().join(".sga/tmp")).unwrap().count();
        assert_eq!(left, 0, "what {signal} left behind is swept away");
    }
}

#[test]
fn a_full_disk_is_told_and_costs_nothing() {
    let place = Workplace::with_data();
    // Files may hold 4 MB at most: the 45 MB of a checkpoint do not fit, as on a full disk.
    let ended = place.run_where_files_are_small("train", TRAIN, 4 << 20);
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(ended.err.contains("no space left") && ended.err.contains("make room"), "{}", ended.err);
    place.ok("store", &["do=verify"]);
    assert_eq!(place.ingest().matches("unchanged").count(), 2, "the data are still there");
    place.ok("train", TRAIN);
    assert_eq!(weights(&place), undisturbed());
}

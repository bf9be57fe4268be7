//! Training on images that are read from their shards meanwhile.

use std::io::{BufRead, BufReader};

use end_to_end::Workplace;

const TRAIN: &[&str] = &[
    "method=sga",
    "init=scratch",
    "size=32",
    "epochs=2",
    "batch=22",
    "lr=0.001",
    "device=cpu",
    "stream=24",
    "accumulate=2",
];

#[test]
fn a_stream_gives_the_same_model_every_time_also_when_interrupted() {
    let place = Workplace::with_data();
    let mut child = place.start("train", TRAIN);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("epoch   1/2")));
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-s", "INT", &id]).status().unwrap().success());
    child.wait().unwrap();
    drop(lines);
    let said = place.ok("train", TRAIN);
    assert!(said.contains("goes on after 1 epochs"), "{said}");

    let again = place.run("train", &[TRAIN, &["again=true"]].concat());
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.err.contains("the same came out"), "{}", again.err);

    let why = place.ok("train", &[TRAIN, &["stream=0", "dry_run=true"]].concat());
    assert!(why.contains("stream"), "in memory the images come in another order: {why}");
    let ended = place.run("train", &[TRAIN, &["method=free"]].concat());
    assert_eq!(ended.code, 2, "{}", ended.err);
}

//! Many trainings by one command.

use std::{
    io::{BufRead, BufReader},
    process::Command,
};

use end_to_end::Workplace;
use store::Store;

const TRAIN: &[&str] = &["init=scratch", "size=32", "epochs=1", "batch=32", "lr=0.001", "device=cpu"];

fn models(place: &Workplace) -> usize {
    Store::open(place.path().join(".sga")).unwrap().refs_of("train").unwrap().len()
}

#[test]
fn a_run_that_fails_leaves_the_others_alone() {
    let place = Workplace::with_data();
    // With a weight decay beyond all measure the weights are soon no numbers.
    let words = [TRAIN, &["method=nt", "epochs=2", "weight_decay=0.0001,1e12,0.001", "parallel=2"]].concat();
    let ended = place.run("train", &words);
    assert_eq!(ended.code, 1, "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("1 of 3 runs failed; the first: the loss is NaN"), "{}", ended.err);
    assert!(ended.err.contains("its images: "), "{}", ended.err);
    assert!(ended.out.contains("[2/3] failed"), "{}", ended.out);
    assert_eq!(models(&place), 2);
    let again = place.run("train", &words);
    assert_eq!(again.out.matches("unchanged").count(), 2, "{}", again.out);
    let titles = again.out.lines().find(|line| line.contains("best epoch") && line.contains("model"));
    let titles: Vec<&str> = titles.unwrap_or_default().split_whitespace().collect();
    assert_eq!(titles, ["model", "weight_decay", "best", "epoch", "validation", "AUROC"]);

    let shown = place.ok("watch", &["name=nt-"]);
    assert_eq!(shown.lines().filter(|line| line.contains("epoch 2/2")).count(), 2, "{shown}");
    assert_eq!(shown.lines().filter(|line| line.ends_with("failed")).count(), 1, "{shown}");
}

#[test]
fn a_step_is_recorded_for_one_run_at_a_time() {
    let ended = Workplace::new().run("train", &["seed=0,1", "cuda_graphs=true", "parallel=2"]);
    assert_eq!(ended.code, 2, "{}", ended.err);
    assert!(ended.err.contains("cuda_graphs=true is for one run at a time: parallel=1"), "{}", ended.err);
}

#[test]
fn an_interrupted_sweep_says_so_and_goes_on() {
    let place = Workplace::with_data();
    let words = [TRAIN, &["method=nt", "seed=0..2"]].concat();
    let mut child = place.start("train", &words);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("best epoch")), "the first run has ended");
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let ended = child.wait_with_output().unwrap();
    let errors = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{rest:?} {errors}");
    assert!(errors.contains("interrupted") && errors.contains("goes on from there"), "{errors}");
    assert!(models(&place) < 3);
    let said = place.ok("train", &words);
    assert!(said.contains("unchanged"), "{said}");
    assert_eq!(models(&place), 3);
    assert!(place.ok("watch", &[]).contains("finished"));
}

#[test]
fn the_projects_experiments_are_understood_by_every_stage() {
    let place = Workplace::with_data();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../pipelines");
    let files = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let experiments: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    assert!(experiments.len() > 3, "{experiments:?}");
    for path in experiments {
        let word = format!("experiment={}", path.display());
        for stage in ["curate", "train", "eval", "explain", "report"] {
            let dry = (stage != "curate").then_some("dry_run=true");
            let store = "store=.sga"; // the demos name their own
            let words: Vec<&str> = [word.as_str(), store].into_iter().chain(dry).collect();
            // Words are read before weights are fetched, which must not happen here.
            let ended = place.run_offline(stage, &words);
            assert_ne!(ended.code, 2, "{} {stage}: {}", path.display(), ended.err);
        }
    }
}

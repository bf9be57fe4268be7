//! One training by several processes: the result is that of one, and what ends one ends all, but not the work done.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command},
};

use end_to_end::Workplace;
use serde_json::Value;
use store::{Digest, Store};

const TRAIN: &[&str] =
    &["init=scratch", "size=32", "epochs=1", "batch=66", "lr=0.001", "device=cpu", "seed=5"];
/// Every minibatch is saved.
const LONGER: &[&str] = &["method=nt", "epochs=2", "batch=33", "checkpoint=0"];

/// The figures and the weights of the only model.
fn model(store: &Path) -> (Value, Digest) {
    let store = Store::open(store).unwrap();
    let names = store.refs_of("train").unwrap();
    assert_eq!(names.len(), 1, "{names:?}");
    let (_, result) = store.resolve("train", &names[0]).unwrap().unwrap();
    let training = store.read(result.output("training.json").unwrap()).unwrap();
    (serde_json::from_slice(&training).unwrap(), *result.output("model.safetensors").unwrap())
}

/// The only copy that a training has started.
fn copy(of: &Child) -> String {
    let id = of.id();
    let copies = fs_err::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    copies.trim().to_owned()
}

fn send(signal: &str, id: &str) {
    assert!(Command::new("kill").args(["-s", signal, id]).status().unwrap().success());
}

/// Two processes sum in another order than one, and numbers differ as they do between one thread and two: in f32 a pixel whose
/// gradient is next to nothing is attacked the other way. In double precision methods are compared by their own tests.
#[test]
fn two_processes_come_to_the_losses_of_one_and_answer_the_same_question() {
    let place = Workplace::with_data();
    for method in ["nt", "sga"] {
        let method_word = format!("method={method}");
        let words = [TRAIN, &[&method_word]].concat();
        let trained = |world: &str| {
            let store = format!("{method}-{world}");
            let copied = Command::new("cp").args(["-r", ".sga", &store]).current_dir(place.path()).status();
            assert!(copied.unwrap().success());
            let also = [format!("world={world}"), format!("store={store}")];
            let said = place.ok("train", &[&words[..], &[&also[0], &also[1]]].concat());
            assert_eq!(said.matches("epoch   1/1").count(), 1, "one process tells: {said}");
            (place.path().join(&store), also)
        };
        let ((alone, _), (joint, also)) = (trained("1"), trained("2"));
        let [(alone, _), (joint, _)] = [alone, joint].map(|store| model(&store));
        for (figure, tolerance) in [("ce", 1e-4), ("loss", 1e-2)] {
            let [alone, joint] = [&alone, &joint].map(|model| model["best"][figure].as_f64().unwrap());
            assert!((alone - joint).abs() < tolerance, "{method}, {figure}: {joint}, alone {alone}");
        }
        assert_eq!(alone["parameters"], joint["parameters"]);
        let again = place.ok("train", &[&words[..], &["world=1", &also[1]]].concat());
        assert!(again.contains("unchanged"), "{again}");
        let why = [&words[..], &["world=2", "sync_bn=false", "dry_run=true", &also[1]]].concat();
        assert!(
            place.ok("train", &why).contains("world"),
            "without synchronised BatchNorm it is another question"
        );
    }
}

#[test]
fn what_ends_one_process_ends_all_and_the_run_goes_on_from_the_last_checkpoint() {
    let words = [TRAIN, LONGER, &["world=2"]].concat();
    let place = Workplace::with_data();
    place.ok("train", &words);
    let (_, expected) = model(&place.path().join(".sga"));
    for (signal, to_copy) in [("KILL", true), ("INT", false)] {
        let place = Workplace::with_data();
        let mut child = place.start("train", &words);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("epoch   1/2")));
        let copy = copy(&child);
        let own = child.id().to_string();
        send(signal, if to_copy { &copy } else { &own });
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{told}");
        let says = if to_copy { "rank 1 of 2 is gone" } else { "interrupted" };
        assert!(told.contains(says) && told.contains("the same command goes on from"), "{told}");
        assert!(!Path::new(&format!("/proc/{copy}")).exists(), "no process is left behind");
        let said = place.ok("train", &words);
        assert!(said.contains("goes on after"), "{said}");
        assert_eq!(model(&place.path().join(".sga")).1, expected, "after {signal}");
    }
}

#[test]
fn words_and_variables_that_do_not_go_together_are_told() {
    let place = Workplace::new();
    for (words, says) in [
        (&["world=2", "parallel=2"][..], "world=2 trains one run at a time"),
        (&["world=4", "batch=3"], "batch=3 has no image for each of 4 processes"),
        (&["world=2,3"], "world= has several values"),
    ] {
        let ended = place.run("train", words);
        assert_eq!(ended.code, 2, "{words:?}: {}", ended.err);
        assert!(ended.err.contains(says), "{words:?}: {}", ended.err);
    }
    let variables = [("RANK", "2"), ("WORLD_SIZE", "2"), ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", "1")];
    let place = Workplace::with_variables(variables.map(|(name, value)| (name, value.to_owned())));
    let ended = place.run("train", &["method=nt"]);
    assert!(ended.code == 2 && ended.err.contains("RANK=2: with WORLD_SIZE=2"), "{}", ended.err);
}

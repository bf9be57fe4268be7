//! From folders of images to the page.

use std::os::unix::process::ExitStatusExt;

use end_to_end::Workplace;
use store::Store;
use walkdir::WalkDir;

const TRAIN: &[&str] = &["method=nt,sga", "init=scratch", "size=32", "epochs=1", "batch=33", "device=cpu"];

#[test]
fn every_stage_runs_and_then_has_nothing_to_do() {
    let place = Workplace::with_data();
    let dry = |stage: &str, words: &[&str]| place.ok(stage, &[words, &["dry_run=true"]].concat());
    assert_eq!(dry("train", TRAIN).matches("for the first time").count(), 2);
    let trained = place.ok("train", TRAIN);
    assert!(trained.contains("epoch   1/1"), "{trained}");
    assert_eq!(dry("train", TRAIN).matches("up to date").count(), 2);
    let other = dry("train", &[TRAIN, &["method=sga", "k=0.2"]].concat());
    assert!(other.contains("compared with sga-") && other.contains("0.1 → 0.2"), "{other}");
    assert_eq!(other.lines().count(), 2, "one field differs:\n{other}");
    assert_eq!(dry("eval", &[]).matches("for the first time").count(), 2);
    place.ok("eval", &["device=cpu"]);
    place.ok("explain", &["device=cpu", "images=6", "shown=2"]);
    let sanity = ["do=sanity", "explainer=gradient", "images=4", "device=cpu"];
    let checked = place.ok("explain", &sanity);
    assert_eq!(checked.matches("Input gradient").count(), 2, "{checked}");
    assert_eq!(place.ok("explain", &sanity).lines().last(), checked.lines().last());
    place.ok("report", &["resamples=50"]);

    let page = fs_err::read_to_string(place.path().join("results/report.html")).unwrap();
    for model in [
        "nt-",
        "sga-",
        "phantom-a",
        "phantom-b",
        "to block 4",
        "Insertion",
        "mAP at 0.5",
        "data:image/png;base64,",
    ] {
        assert!(page.contains(model), "{model} is not on the page");
    }
    let maps = fs_err::read_dir(place.path().join("results/explain")).unwrap().count();
    assert_eq!(maps, 4, "two images of each test set");

    let status = place.ok("store", &["do=status"]);
    assert_eq!(
        status.matches("up to date").count(),
        10,
        "two of train, eval, explain, sanity; gallery, report:\n{status}"
    );
    assert_eq!(dry("explain", &["images=6", "shown=2"]).matches("up to date").count(), 3);
    assert!(dry("report", &["resamples=50"]).contains("up to date"));

    assert_eq!(place.ingest().matches("unchanged").count(), 2);
    assert_eq!(place.ok("train", TRAIN).matches("unchanged").count(), 2);
    assert_eq!(place.ok("eval", &["device=cpu"]).matches("unchanged").count(), 2);
    assert_eq!(place.ok("explain", &["images=6", "shown=2"]).matches("unchanged").count(), 2);
    assert!(place.ok("report", &["resamples=50"]).contains("unchanged"));
    assert!(
        place
            .ok("phantom", &["path=phantom", "patients_a=60", "patients_b=24", "side=48"])
            .contains("unchanged")
    );
    place.ok("store", &["do=verify"]);
    let kept = place.ok("store", &["do=gc", "lease=0", "dry_run=false"]);
    assert!(kept.contains("freed"), "{kept}");
    assert_eq!(
        place.ok("train", TRAIN).matches("unchanged").count(),
        2,
        "what has a name survives a collection"
    );
}

#[test]
fn one_model_can_be_explained_alone() {
    let place = Workplace::with_data();
    let trained = place.ok("train", TRAIN);
    let model =
        trained.split_whitespace().find(|word| word.starts_with("nt-") && !word.ends_with(':')).unwrap();
    place.ok("explain", &["device=cpu", "images=4", "shown=1"]);
    let named = format!("model={model}");
    let alone = ["device=cpu", "images=6", "shown=2", "out=alone", &named];
    let said = place.ok("explain", &alone);
    assert!(said.contains(&format!("{model}: explained")) && !said.contains("sga-"), "{said}");
    assert_eq!(place.ok("explain", &alone).matches("unchanged").count(), 1);
    assert_eq!(fs_err::read_dir(place.path().join("alone/explain")).unwrap().count(), 4);

    let status = place.ok("store", &["do=status"]);
    let line = |what: &str| status.lines().find(|line| line.split_whitespace().nth(1) == Some(what)).unwrap();
    let galleries =
        status.lines().filter(|line| line.trim_start().starts_with("gallery")).collect::<Vec<_>>();
    assert_eq!(galleries.len(), 2, "{status}");
    assert!(galleries.iter().any(|one| one.contains(model) && one.ends_with("up to date")), "{status}");
    assert!(line("all").contains(&format!("{model} changed")), "its maps are of more images now: {status}");

    let removed = place.ok("store", &["do=remove", &format!("ref=train/{model}"), "dry_run=true"]);
    assert!(removed.contains(&format!("gallery/{model}")) && !removed.contains("gallery/all"), "{removed}");
    place.ok("explain", &["device=cpu", "images=4", "shown=1", "target=label"]);
    place.ok("report", &[]);
    let page = fs_err::read_to_string(place.path().join("results/report.html")).unwrap();
    let rows = |kind: &str| page.matches(kind).count();
    assert!(rows("<td>FullGrad</td>") > 0);
    assert_eq!(rows("<td>FullGrad</td>"), rows("<td>FullGrad, each image’s own class</td>"));
    assert_eq!(page.matches("class=\"gallery\"").count(), 2);
    let refused = place.run("explain", &["model=nt-none"]);
    assert!(refused.code == 3 && refused.err.contains("nt-none"), "{}", refused.err);
}

#[test]
fn a_change_of_the_data_is_told_image_by_image() {
    let place = Workplace::with_data();
    place.ok("train", &[TRAIN, &["method=nt"]].concat());
    place.ok("eval", &["device=cpu"]);
    place.ok("phantom", &["path=phantom", "patients_a=62", "patients_b=24", "side=48"]);
    place.ingest();
    let said = place.ok("train", &[TRAIN, &["method=nt", "dry_run=true"]].concat());
    assert!(said.contains("would run"), "{said}");
    assert!(said.contains("phantom-a") && said.contains("added"), "{said}");
    let status = place.ok("store", &["do=status"]);
    let train = status.lines().find(|line| line.starts_with(" train")).unwrap();
    assert!(train.contains("changed"), "{status}");
}

#[test]
fn another_parameter_trains_again_and_the_old_model_stays() {
    let place = Workplace::with_data();
    let words = |k| ["method=sga", k, "init=scratch", "size=32", "epochs=1", "batch=33", "device=cpu"];
    for k in ["k=0.1", "k=0.2"] {
        assert!(!place.ok("train", &words(k)).contains("unchanged"));
    }
    assert!(place.ok("train", &words("k=0.10")).contains("unchanged"));
    assert_eq!(place.ok("store", &[]).matches("\n train").count(), 2);
}

#[test]
fn a_model_is_not_tested_on_patients_that_it_was_trained_on() {
    let place = Workplace::with_data();
    let said = place.ok("train", &[TRAIN, &["method=nt"]].concat());
    let model = said
        .split_whitespace()
        .find(|word| word.starts_with("nt-"))
        .unwrap()
        .trim_end_matches(':')
        .to_owned();
    let again = |words: &[&str]| {
        let data = ["dataset=phantom-a", "path=phantom/hospital-a", "size=48", "buckets=2"];
        place.ok("ingest", &[&data, words].concat())
    };
    let said = again(&["split_seed=7"]);
    assert!(said.contains("otherwise than at the last ingest: split_seed 0 → 7"), "{said}");
    let refused = place.run("eval", &["device=cpu", &format!("model={model}")]);
    assert_eq!(refused.code, 3, "{}", refused.err);
    assert!(refused.err.contains("patients of the tests are among those that nt-"), "{}", refused.err);
    for stage in ["eval", "explain"] {
        let ended = place.run(stage, &["device=cpu"]);
        assert!(ended.code == 3 && ended.out.contains("left out"), "nothing was measured: {}", ended.out);
        assert!(!ended.out.contains("explained"), "{}", ended.out);
    }
    let said = place.ok("eval", &["on=phantom-b", "device=cpu"]);
    assert!(said.contains("no threshold is chosen"), "{said}");
    let said = again(&[]);
    assert!(said.contains("otherwise than at the last ingest: split_seed 7 → 0"), "{said}");
    let said = place.ok("eval", &["device=cpu"]);
    assert!(!said.contains("no threshold is chosen"), "{said}");
    let page = || {
        place.ok("report", &["resamples=0"]);
        fs_err::read_to_string(place.path().join("results/report.html")).unwrap()
    };
    assert!(!page().contains("than the data sets hold now"));
    again(&["split_seed=7"]);
    let note = "IID: tests of other images than the data sets hold now";
    assert!(page().contains(note));
    again(&[]);

    // The same files under another name are other patients to a table, and the same images to a model.
    place
        .ok("ingest", &["dataset=phantom-a", "path=phantom/hospital-a", "name=again", "role=ood", "size=48"]);
    let refused = place.run("eval", &["on=again", "device=cpu", &format!("model={model}")]);
    assert_eq!(refused.code, 3, "{}", refused.err);
    assert!(refused.err.contains("files of the tests are among those that nt-"), "{}", refused.err);
}

#[test]
fn a_model_is_not_tested_on_what_its_first_weights_saw_nor_on_known_pictures_in_new_files() {
    let place = Workplace::with_data();
    place.ok("train", &[TRAIN, &["method=nt"]].concat());
    let store = Store::open(place.path().join(".sga")).unwrap();
    let first = store.refs_of("train").unwrap().remove(0);
    let weights = store.resolve("train", &first).unwrap().unwrap().1.outputs["model.safetensors"];
    let data = ["dataset=phantom-a", "path=phantom/hospital-a", "size=48", "buckets=2", "split_seed=7"];
    place.ok("ingest", &data);
    place.ok("train", &[TRAIN, &["method=nt", &format!("init={weights}")]].concat());
    let second = store.refs_of("train").unwrap().into_iter().find(|name| *name != first).unwrap();
    let refused = place.run("eval", &["device=cpu", &format!("model={second}")]);
    assert_eq!(refused.code, 3, "{}", refused.err);
    assert!(refused.err.contains("patients of the tests are among those"), "{}", refused.err);
    // What its first weights saw is told by their training: it stays as long as the model does.
    let swept = place.ok("store", &["do=gc", "keep=last:1", "lease=0", "dry_run=false"]);
    assert!(!swept.contains("train/"), "{swept}");
    store.remove_ref("train", &first).unwrap();
    assert_eq!(place.run("eval", &["device=cpu", &format!("model={second}")]).code, 3, "also without a name");

    // An archive that writes its images anew changes every file, and no picture.
    for file in WalkDir::new(place.path().join("phantom/hospital-b")) {
        let path = file.unwrap().into_path();
        if path.extension().is_some_and(|kind| ["png", "jpg", "jpeg"].contains(&kind.to_str().unwrap())) {
            let read = fs_err::read(&path).unwrap();
            fs_err::write(path, [&read[..], b"\n"].concat()).unwrap();
        }
    }
    let known = ["dataset=phantom-b", "path=phantom/hospital-b", "name=anew", "role=iid", "size=48"];
    place.ok("ingest", &known);
    place.ok("train", &[TRAIN, &["method=nt", "data=anew"]].concat());
    let third =
        store.refs_of("train").unwrap().into_iter().find(|name| *name != first && *name != second).unwrap();
    let refused = place.run("eval", &["on=phantom-b", "device=cpu", &format!("model={third}")]);
    assert_eq!(refused.code, 3, "{}", refused.err);
    assert!(refused.err.contains("images of the tests have the pixels of those that nt-"), "{}", refused.err);
}

#[test]
fn a_threshold_is_chosen_on_images_of_the_hospitals_that_a_model_was_trained_on() {
    let place = Workplace::with_data();
    place.ok("train", &[TRAIN, &["method=nt"]].concat());
    let evaluated = || place.ok("eval", &["on=phantom-a", "device=cpu"]);
    assert!(evaluated().contains(": evaluated"));
    let other = ["dataset=phantom-b", "path=phantom/hospital-b", "name=other", "role=iid", "size=48"];
    place.ok("ingest", &other);
    assert!(evaluated().contains(": unchanged"), "a hospital that the model does not know changes nothing");
    let status = place.ok("store", &["do=status"]);
    let eval = status.lines().find(|line| line.starts_with(" eval")).unwrap();
    assert!(eval.ends_with("up to date"), "{status}");
}

#[test]
fn words_that_make_no_difference_train_nothing_twice_and_a_norm_needs_its_own_eps() {
    let place = Workplace::with_data();
    let said = place.ok("train", &[TRAIN, &["method=nt", "bn_stats=clean,both", "norm=inf,2"]].concat());
    assert!(said.contains("3 of 4 runs are others again"), "{said}");
    let refused = place.run("train", &[TRAIN, &["method=at", "norm=2"]].concat());
    assert!(refused.code == 2 && refused.err.contains("give eps="), "{}", refused.err);
}

#[test]
fn a_reader_that_leaves_is_no_fault() {
    let place = Workplace::with_data();
    let mut child = place.start("store", &["do=list"]);
    drop(child.stdout.take());
    let ended = child.wait().unwrap();
    assert!(ended.success() || ended.signal() == Some(13), "SIGPIPE at most, no panic: {ended}");
}

#[test]
fn without_a_network_the_error_names_two_ways_on() {
    let place = Workplace::with_data();
    let words = ["init=imagenet", "size=32", "epochs=1", "device=cpu"];
    let ended = place.run_offline("train", &[&words[..], &["dry_run=true"]].concat());
    assert!(ended.code == 0 && ended.out.contains("would run"), "{}{}", ended.out, ended.err);
    let ended = place.run_offline("train", &words);
    assert_eq!(ended.code, 1, "{}", ended.err);
    for says in ["ImageNet weights cannot be had", "init=scratch", "init=model.safetensors"] {
        assert!(ended.err.contains(says), "{says}: {}", ended.err);
    }
}

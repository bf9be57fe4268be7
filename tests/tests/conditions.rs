//! Evaluations under attack and on corrupted images stand beside the clean one.

use end_to_end::Workplace;
use serde_json::Value;

const TRAIN: &[&str] = &["method=nt", "init=scratch", "size=32", "epochs=2", "batch=33", "device=cpu"];

#[test]
fn conditions_are_results_of_their_own_and_leave_the_clean_one_alone() {
    let place = Workplace::with_data();
    place.ok("train", TRAIN);
    let clean = place.ok("eval", &["device=cpu"]);
    assert_eq!(clean.matches(": evaluated").count(), 1, "{clean}");
    let with_attacks = ["under=clean,attacks,blur-0.02,borders", "device=cpu", "batch=16"];
    let said = place.ok("eval", &with_attacks);
    assert_eq!((said.matches(": unchanged").count(), said.matches(": evaluated").count()), (1, 9), "{said}");
    let other_batch = ["under=pgd,borders,clean,blur-0.020", "device=cpu", "batch=7"];
    let said = place.ok("eval", &other_batch);
    assert_eq!((said.matches(": unchanged").count(), said.matches(": evaluated").count()), (7, 0), "{said}");
    let said = place.ok("eval", &["under=fgsm-0.01", "eps_space=normalised", "device=cpu"]);
    assert_eq!(
        said.matches(".fgsm-0.01-normalised: evaluated").count(),
        1,
        "another unit, another question: {said}"
    );

    let status = place.ok("store", &["do=status"]);
    assert_eq!(status.matches(" eval ").count(), 11, "{status}");
    assert_eq!(status.matches("up to date").count(), 12, "the model and its evaluations: {status}");

    let mut areas = Vec::new();
    let store = store::Store::open(place.path().join(".sga")).unwrap();
    for name in store.refs_of("eval").unwrap() {
        let (_, result) = store.resolve("eval", &name).unwrap().unwrap();
        let figures: Value =
            serde_json::from_slice(&store.read(result.output("evaluation.json").unwrap()).unwrap()).unwrap();
        let condition = figures["condition"]["title"].as_str().unwrap_or("clean").to_owned();
        let area = |split: &str| figures[split]["value"].as_f64().unwrap();
        areas.push((condition, area("test"), area("ood")));
    }
    let of = |title: &str| areas.iter().find(|(condition, ..)| condition == title).unwrap();
    let clean = of("clean");
    for title in ["FGSM, ε = 0.05", "PGD-10, ε = 0.05"] {
        let attacked = of(title);
        assert!(attacked.1 <= clean.1 && attacked.2 <= clean.2, "{attacked:?} against {clean:?}");
    }
}

#[test]
fn one_data_set_is_a_test_of_its_own_and_every_figure_has_an_interval() {
    let place = Workplace::with_data();
    place.ok("train", TRAIN);
    place.ok("eval", &["device=cpu"]);
    let said = place.ok("eval", &["on=phantom-b", "under=clean,fgsm-0.01", "device=cpu"]);
    assert_eq!(said.matches(": evaluated").count(), 2, "{said}");
    assert!(said.contains("AUROC on phantom-b alone"), "{said}");
    let status = place.ok("store", &["do=status"]);
    assert_eq!(status.matches("up to date").count(), 4, "{status}");

    let store = store::Store::open(place.path().join(".sga")).unwrap();
    let figures = |name: &str| -> Value {
        let (_, result) = store.resolve("eval", name).unwrap().unwrap();
        serde_json::from_slice(&store.read(result.output("evaluation.json").unwrap()).unwrap()).unwrap()
    };
    let model = store.refs_of("train").unwrap().remove(0);
    let (all, alone) = (figures(&model), figures(&format!("{model}.on-phantom-b")));
    assert_eq!(all["ood"], alone["ood"], "there is no other unseen hospital");
    assert_eq!(alone["condition"]["title"], "phantom-b alone");
    assert!(alone["test"].is_null() && alone["threshold"]["probability"].is_f64());
    let performance = &all["test_figures"]["performance"];
    assert_eq!(performance["auroc"]["value"], all["test"]["value"]);
    for figure in ["average_precision", "sensitivity_at_95_specificity", "calibration_error"] {
        let of = |part: &str| performance[figure][part].as_f64().unwrap();
        assert!(of("low") < of("high") && (0.0..=1.0).contains(&of("value")), "{figure}: {performance}");
    }
    let decisions = &performance["decisions"];
    assert_eq!(decisions["threshold"], all["threshold"]["score"]);
    let images: u64 = decisions["confusion"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert!(images > 0 && decisions["f1"]["low"].is_f64(), "{decisions}");

    let ended = place.run("eval", &["on=phantom-c"]);
    assert_eq!(ended.code, 2, "{}", ended.err);
}

#[test]
fn a_word_that_is_no_condition_is_refused_with_those_that_are() {
    let place = Workplace::new();
    for (word, says) in [("blurr-1", "no corruption"), ("fgsm-x", "ε"), ("jpeg-1", "from 0 to 0.99")] {
        let ended = place.run("eval", &[&format!("under={word}")]);
        assert_eq!(ended.code, 2, "{word}");
        assert!(ended.err.contains(says), "{word}: {}", ended.err);
    }
}

#[test]
fn seeds_are_summed_up_and_the_papers_tables_are_written() {
    let place = Workplace::with_data();
    let words = ["method=nt,at", "seed=0,1", "init=scratch", "size=32", "epochs=1", "batch=33", "device=cpu"];
    place.ok("train", &words);
    let said = place.ok("eval", &["under=clean,fgsm-0.03", "device=cpu"]);
    let line = |table: &str| {
        let rest = &said[said.find(table).unwrap_or_else(|| panic!("{table} in {said}"))..];
        rest.lines().find(|line| line.starts_with(" at ")).unwrap().to_owned()
    };
    let seeds = line("less nt");
    assert!(seeds.split_whitespace().nth(1) == Some("2") && seeds.matches('±').count() == 4, "{seeds}");
    assert_eq!(seeds.matches("] p ").count(), 2, "{seeds}");
    assert_eq!(line("AUROC, FGSM").matches('±').count(), 4, "IID and OOD, clean and attacked: {said}");
    let compared = place.ok("compare", &["json=true"]);
    let areas: Vec<f64> = compared
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["ood"]["auroc"]["value"].as_f64().unwrap())
        .collect();
    assert_eq!(areas.len(), 4, "{compared}");
    assert!(areas.is_sorted_by(|a, b| a >= b), "{compared}");
    let last: Value = serde_json::from_str(compared.lines().last().unwrap()).unwrap();
    let against = format!("against={}", last["model"].as_str().unwrap());
    let others = place.ok("compare", &["json=true", &against]);
    let best: Value = serde_json::from_str(others.lines().next().unwrap()).unwrap();
    let less = &best["ood"]["less_first"];
    let [difference, low, high] =
        [&less["difference"], &less["by_patient"]["low"], &less["by_patient"]["high"]]
            .map(|number| number.as_f64().unwrap());
    assert!((difference - (areas[0] - areas[3])).abs() < 1e-9, "{others}");
    assert!(low <= difference && difference <= high && low < high, "{others}");
    let table = place.ok("compare", &["by=iid", "under=fgsm-0.03"]);
    assert_eq!(table.lines().filter(|line| line.contains("t-") && line.contains('[')).count(), 4, "{table}");
    let chosen = place.ok("compare", &["by=validation"]);
    let settings: Vec<&str> = chosen.lines().filter(|line| line.contains(['█', '·'])).collect();
    assert_eq!(settings.len(), 2, "{chosen}");
    assert!(settings.iter().all(|line| line.matches('±').count() == 1 && !line.contains('[')), "{chosen}");
    let refused = place.run("compare", &["by=validation", "under=fgsm-0.03"]);
    assert!(refused.code == 2 && refused.err.contains("looks at no test"), "{}", refused.err);
    place.ok("report", &["resamples=100"]);
    let results = place.path().join("results");
    let page = fs_err::read_to_string(results.join("report.html")).unwrap();
    for says in ["Methods over their seeds", "Beside the paper", "OOD, FGSM, ε = 0.03"] {
        assert!(page.contains(says), "{says}");
    }
    for table in ["figure-3", "table-1", "table-2"] {
        for form in ["md", "csv", "tex"] {
            assert!(results.join(format!("{table}.{form}")).is_file(), "{table}.{form}");
        }
    }
    let table = fs_err::read_to_string(results.join("table-1.md")).unwrap();
    assert!(table.contains("| 0 (AT) | 2 |"), "{table}");
}

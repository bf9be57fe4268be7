//! Models that tell several classes or findings apart, through every stage that meets them.

use cohort::{Evaluation, Model};
use end_to_end::Workplace;
use metrics::FindingFigures;
use schema::read_answers;
use store::Store;

const SMALL: [&str; 6] = ["method=nt", "init=scratch", "size=32", "epochs=1", "batch=32", "device=cpu"];

fn train(place: &Workplace, words: &[&str]) -> String {
    place.ok("train", &[&SMALL[..], words].concat())
}

fn figures(evaluation: &Evaluation, set: &str) -> Option<FindingFigures> {
    evaluation.figure(&format!("{set}_findings")).unwrap()
}

#[test]
fn four_classes_are_told_apart_and_answer_the_question_of_covid_too() {
    let place = Workplace::with_data();
    train(&place, &["task=classes"]);
    let said = place.ok("eval", &["device=cpu"]);
    assert!(said.contains("Typical Appearance") && said.contains("mean"), "{said}");
    let store = Store::open(place.path().join(".sga")).unwrap();
    let [model] = &Model::all(&store).unwrap()[..] else { panic!("one model") };
    assert_eq!(model.findings.of_logits.len(), 4);
    let evaluation = Evaluation::open(&store, &model.name).unwrap().unwrap();
    let found = figures(&evaluation, "test").unwrap();
    assert_eq!(found.each.len(), 4);
    let answered: u64 = found.answered.unwrap().iter().flatten().sum();
    let predictions = evaluation.predictions(&store).unwrap();
    let tests = predictions.iter().filter(|row| row.split == schema::Split::Test).count();
    assert_eq!(answered, tests as u64, "every test image is of one class and taken for one");
    assert!(figures(&evaluation, "ood").is_none(), "the unseen hospital names none of these classes");
    let covid: metrics::Auroc = evaluation.figure("ood").unwrap().expect("but it can be asked of COVID-19");
    assert!((0.0..=1.0).contains(&covid.value));

    // The probability of COVID-19 is that of the three classes together.
    let (_, result) = store.resolve("eval", &model.name).unwrap().unwrap();
    let answers = read_answers(&store.object(result.output(Evaluation::ANSWERS).unwrap()).unwrap()).unwrap();
    assert_eq!(answers.len(), 4 * predictions.len());
    for (prediction, answers) in predictions.iter().zip(answers.chunks(4)) {
        let of_covid = answers.iter().filter(|answer| answer.finding != "Negative for Pneumonia");
        let together: f64 = of_covid.map(|answer| f64::from(answer.probability)).sum();
        assert!((together - prediction.probability()).abs() < 1e-5, "{together} {prediction:?}");
    }

    let said = place.ok("explain", &["images=4", "shown=1", "device=cpu"]);
    assert!(said.contains("left out") && said.contains("class=NAME"), "{said}");
    let said = place.ok("explain", &["class=Typical Appearance", "images=4", "shown=1", "device=cpu"]);
    assert!(said.contains(": explained"), "{said}");
    assert!(
        store.resolve("explain", &format!("{}.fullgrad.typical-appearance", model.name)).unwrap().is_some()
    );
    let refused = place.run("explain", &["class=Scoliosis", "images=4", "device=cpu"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(
        refused.out.contains("knows no `Scoliosis`; it tells apart Atypical Appearance"),
        "{}",
        refused.out
    );
    place.ok("export", &[]);
    place.ok("report", &[]);
    let page = fs_err::read_to_string(place.path().join("results/report.html")).unwrap();
    assert!(page.contains("Several findings") && page.contains("<th scope=\"row\">Typical Appearance</th>"));
}

#[test]
fn several_findings_at_once_are_each_a_question_of_their_own() {
    let place = Workplace::new();
    place.ok("phantom", &["path=phantom", "patients_a=10", "patients_b=200", "side=48"]);
    let table = place.path().join("phantom/hospital-b/chestx-ray14/Data_Entry_2017_v2020.csv");
    let mut negatives = 0;
    let findings = ["No Finding", "Effusion", "Effusion|Mass", "Mass"];
    let edited: Vec<String> = fs_err::read_to_string(&table)
        .unwrap()
        .lines()
        .map(|line| {
            negatives += usize::from(line.contains(",No Finding,"));
            line.replacen("No Finding", findings[negatives % findings.len()], 1)
        })
        .collect();
    fs_err::write(&table, edited.join("\n")).unwrap();
    let read =
        ["dataset=chestx-ray14-findings", "path=phantom/hospital-b/chestx-ray14", "size=48", "buckets=2"];
    place.ok("ingest", &read);
    train(&place, &["task=labels", "method=nt,sga", "stream=0,16"]);
    let said = place.ok("eval", &["device=cpu", "under=clean,fgsm-0.01"]);
    assert!(said.contains("Effusion") && said.contains("Mass") && !said.contains("OOD - IID"), "{said}");
    let store = Store::open(place.path().join(".sga")).unwrap();
    let models = Model::all(&store).unwrap();
    assert_eq!(models.len(), 4);
    for model in &models {
        let evaluation = Evaluation::open(&store, &model.name).unwrap().unwrap();
        let found = figures(&evaluation, "test").unwrap();
        let names: Vec<&str> = found.each.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["Effusion", "Mass"]);
        assert!(found.answered.is_none() && evaluation.predictions(&store).unwrap().is_empty());
        let attacked = Evaluation::open(&store, &format!("{}.fgsm-0.01", model.name)).unwrap().unwrap();
        assert!(figures(&attacked, "test").unwrap().mean.value < found.mean.value, "{}", model.name);
    }
    place.ok("explain", &["class=Mass", "images=2", "shown=1", "device=cpu"]);
    place.ok("report", &[]);
    let page = fs_err::read_to_string(place.path().join("results/report.html")).unwrap();
    assert!(page.contains("Several findings") && page.contains("Effusion"));
    assert_eq!(page.matches("<td>FullGrad, Mass</td>").count(), models.len(), "where each model looks");
    assert!(page.contains("aria-label=\"Which heat maps of Mass are shown\""), "and its maps");
    assert!(place.path().join("results/heat-maps-iid.mass.svg").exists());
}

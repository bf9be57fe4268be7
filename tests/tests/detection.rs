//! Models that find boxes, through every stage that meets them.

use cohort::{Evaluation, Model};
use end_to_end::Workplace;
use metrics::BoxFigures;
use report::BoxGallery;
use schema::{FoundBox, Label, Split, read_found_boxes};
use store::Store;

const SMALL: [&str; 7] =
    ["task=detect", "init=scratch", "size=32", "epochs=1", "batch=33", "lr=0.005", "device=cpu"];

#[test]
fn a_detector_is_trained_measured_and_left_out_where_it_has_nothing_to_say() {
    let place = Workplace::with_data();
    let said = place.ok("train", &[&SMALL[..], &["method=nt,sga", "augment=light", "flip=0.5"]].concat());
    assert!(said.contains("validation mAP@0.5") && !said.contains("AUROC"), "{said}");
    assert!(place.ok("explain", &["do=boxes"]).contains("left out: `just eval` finds its boxes first"));
    let words = ["device=cpu", "under=clean,fgsm-0.01,rotation-5"];
    let said = place.ok("eval", &words);
    assert!(said.contains("mAP@0.5") && said.contains("rotation-5 is left out"), "{said}");
    assert_eq!(place.ok("eval", &words).matches("unchanged").count(), 4);

    let store = Store::open(place.path().join(".sga")).unwrap();
    let models = Model::all(&store).unwrap();
    assert_eq!(models.len(), 2);
    for model in &models {
        let best = model.training["best"].as_object().unwrap();
        assert!(best.contains_key("validation_average_precision") && !best.contains_key("validation_auroc"));
        let (_, result) = store.resolve("eval", &model.name).unwrap().unwrap();
        let evaluation = Evaluation::of(&store, &result).unwrap();
        let found: BoxFigures = evaluation.figure("test_boxes").unwrap().expect("the hospital drew boxes");
        assert!(found.boxes > 0 && found.with_boxes < found.images, "{found:?}");
        assert!(found.precision_at_half.low <= found.precision_at_half.value, "{found:?}");
        assert!(evaluation.figure::<BoxFigures>("ood_boxes").unwrap().is_none(), "the unseen one drew none");
        let boxes = store.object(result.output(Evaluation::BOXES).unwrap()).unwrap();
        for one in read_found_boxes(&boxes).unwrap() {
            assert!(one.score > 0.0 && one.score <= 1.0 && one.split != Split::Train, "{one:?}");
            assert!(one.area.x >= 0.0 && one.area.x + one.area.width <= 1.0 + 1e-6, "{one:?}");
        }
        assert!(Evaluation::open(&store, &format!("{}.fgsm-0.01", model.name)).unwrap().is_some());
    }

    let said = place.ok("explain", &["do=sanity", "images=4", "device=cpu"]);
    assert!(said.contains("it finds boxes"), "{said}");
    let words = ["images=4", "shown=3", "score=0.06", "device=cpu"];
    let named = format!("model={}", models[0].name);
    let refused = place.run("explain", &["do=boxes", &named]);
    assert!(refused.code == 2 && refused.err.contains("model= is of maps"), "{}", refused.err);
    assert!(place.ok("explain", &words).contains("boxes of 2 detectors: drawn"));
    assert!(place.ok("explain", &words).contains("boxes of 2 detectors: unchanged"));
    drawn_boxes_are_those_of_the_table(&store, &models, 0.06);
    let status = place.ok("store", &["do=status"]);
    let current = |stage: &str| {
        let of_stage = status.lines().filter(|line| line.trim_start().starts_with(stage));
        of_stage.filter(|line| line.ends_with("up to date")).count()
    };
    assert_eq!((current("eval"), current("gallery")), (4, 1), "{status}");
    let refused = place.run("export", &[&named]);
    assert!(refused.code == 2 && refused.err.contains("it finds boxes"), "{}", refused.err);
    assert!(place.ok("export", &[]).contains("it finds boxes"));
    place.ok("report", &[]);
    let page = fs_err::read_to_string(place.path().join("results/report.html")).unwrap();
    assert!(page.contains("Boxes found") && page.contains(&models[0].name));
    for model in &models {
        assert!(page.contains(&format!("Boxes that {} found in ", model.name)));
    }
    for file in ["boxes-iid.svg", "boxes-iid.png", "boxes-ood.svg", "boxes-ood.png"] {
        assert!(place.path().join("results").join(file).exists(), "{file}");
    }
}

/// Three images of each test set, and on them of each detector every box that is sure enough.
fn drawn_boxes_are_those_of_the_table(store: &Store, models: &[Model], least: f64) {
    let (_, result) = store.resolve("gallery", "boxes").unwrap().unwrap();
    let gallery = store.read(result.output("boxes.json").unwrap()).unwrap();
    let gallery: BoxGallery = serde_json::from_slice(&gallery).unwrap();
    let images = || gallery.rows.iter().map(|row| &row.radiograph);
    let labels = |split| images().filter(move |image| image.split == split).map(|image| image.label);
    for split in [Split::Test, Split::Ood] {
        assert!(labels(split).eq([Label::Covid, Label::Negative, Label::Covid]), "{split:?}");
    }
    assert!(!gallery.rows[0].drawn.is_empty(), "the hospital's positive images have boxes");
    let mut drawn = 0;
    for (place, model) in models.iter().enumerate() {
        let (_, result) = store.resolve("eval", &model.name).unwrap().unwrap();
        let table = store.object(result.output(Evaluation::BOXES).unwrap()).unwrap();
        let table = read_found_boxes(&table).unwrap();
        for row in &gallery.rows {
            let sure = |one: &&FoundBox| {
                one.image_id.as_str() == row.radiograph.image && f64::from(one.score) >= least
            };
            let expected: Vec<_> =
                table.iter().filter(sure).map(|one| (one.area, f64::from(one.score))).collect();
            let found = row.found.iter().find(|found| found.model == model.name).unwrap();
            assert_eq!(found.boxes, expected, "{place}");
            drawn += expected.len();
        }
    }
    assert!(drawn > 0, "an untrained detector finds boxes everywhere");
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_trained() {
    let place = Workplace::new();
    for (words, why) in
        [(["arch=densenet121", "stream=0"], "resnet18"), (["arch=resnet18", "stream=8"], "stream=0")]
    {
        let refused = place.run("train", &[&SMALL[..], &words].concat());
        assert!(refused.code == 2 && refused.err.contains(why), "{}", refused.err);
    }
    place.ok("phantom", &["path=phantom", "patients_a=10", "patients_b=40", "side=48"]);
    let read = ["dataset=phantom-b", "path=phantom/hospital-b", "size=48", "buckets=2", "role=iid", "name=b"];
    place.ok("ingest", &read);
    let refused = place.run("train", &SMALL);
    assert!(refused.code == 3 && refused.err.contains("has a radiologist's box"), "{}", refused.err);
}

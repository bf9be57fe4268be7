//! A page of made-up numbers and pictures.

use image::{GrayImage, Luma};
use metrics::{
    Answers, Bootstrap, BoxFigures, Difference, Estimate, FindingFigure, FindingFigures, Interval, Less,
    OneSource, SaliencyMap, SetFigures, SourceConfound, clustered_auroc, delong, delong_paired, performance,
    roc_band, roc_curve,
};
use report::{
    BoxGallery, BoxRow, Comparison, Contest, DataSet, Detector, DetectorBoxes, Epoch, FurtherTest, Gallery,
    GalleryOverlay, GalleryRow, Model, ModelFindings, Objective, Page, Png, Probe, ProbeFigure, Quarantined,
    Radiograph, Sanity, SplitCount, TestResult, Trail, overlay,
};
use schema::{FractionBox, Label, Role, Split};

/// Name, and how well it tells classes apart, IID and OOD.
pub const METHODS: [(&str, f64, f64); 4] =
    [("nt", 1.65, 1.0), ("sg", 1.6, 1.05), ("at", 1.2, 1.25), ("sga", 1.3, 1.35)];

/// Every section filled; `seeds` models per method.
pub fn page(seeds: u64) -> Page {
    let models: Vec<Model> = METHODS
        .iter()
        .flat_map(|&(method, iid, ood)| (0..seeds).map(move |seed| model(method, seed, iid, ood)))
        .collect();
    let probes = METHODS
        .iter()
        .flat_map(|&(method, iid, ood)| (0..seeds).map(move |seed| (method, seed, iid, ood)))
        .flat_map(|(method, seed, iid, ood)| {
            let shift = shift(seed);
            let of = |lead, split| {
                ["FullGrad", "Grad-CAM"]
                    .map(|explainer| probe(name(method, seed, iid), explainer, lead + shift, split))
            };
            [of(iid, Split::Test), of(ood, Split::Ood)].into_iter().flatten()
        })
        .collect();
    let sanity = models
        .iter()
        .flat_map(|model| {
            [("FullGrad", 0.31), ("Input gradient", 0.02)].map(|(explainer, end)| {
                let correlations = [("head", 0.6), ("block 4", 0.2), ("block 1", 0.05), ("stem", 0.0)]
                    .map(|(part, more)| (part.to_owned(), end + more * (1.0 - end)));
                let sanity = Sanity {
                    explainer: explainer.to_owned(),
                    images: 64,
                    correlations: correlations.to_vec(),
                };
                (model.name.clone(), sanity)
            })
        })
        .collect();
    Page {
        title: "COVID-19 on chest X-rays: does saliency guided adversarial training generalise?".to_owned(),
        made: "3 March 2026".to_owned(),
        provenance: vec![
            "sga 0.1.0: just train method=sga k=0.1 seed=0".to_owned(),
            "data sha256:5d41402abc4b2a76b9719d911017c592ae2f5c1d, torch 2.11.0, CPU, float32".to_owned(),
        ],
        trails: models.iter().map(trail).collect(),
        data: data(),
        elsewhere: Vec::new(),
        outdated: Vec::new(),
        models,
        findings: vec![findings()],
        detectors: vec![detector()],
        boxes: BoxGallery { least: 0.3, seed: 0, rows: (0..3).map(box_row).collect() },
        contests: (seeds > 1).then(|| contest("sga")).into_iter().collect(),
        probes,
        untold: Vec::new(),
        explained_elsewhere: Vec::new(),
        sanity,
        galleries: [
            (String::new(), gallery(None, 3)),
            (".effusion".to_owned(), gallery(Some("Effusion"), 2)),
        ]
        .into(),
    }
}

fn findings() -> ModelFindings {
    let estimate = |value: f64| Estimate { value, low: value - 0.041, high: value + 0.037 };
    let one = |name: &str, images, auroc| FindingFigure { name: name.to_owned(), images, auroc };
    let figures = FindingFigures {
        each: vec![
            one("Typical Appearance", 611, Some(estimate(0.8127))),
            one("Atypical Appearance", 97, None),
        ],
        mean: estimate(0.7461),
        answered: Some(vec![vec![523, 88], vec![64, 33]]),
    };
    ModelFindings { model: "sga-0f1e2d3c".to_owned(), iid: Some(figures), ood: None }
}

fn detector() -> Detector {
    let figures = BoxFigures {
        images: 1200,
        with_boxes: 800,
        boxes: 1563,
        precision_at_half: Estimate { value: 0.317, low: 0.291, high: 0.344 },
        precision: Estimate { value: 0.112, low: 0.101, high: 0.124 },
        recall_at_half: 0.704,
    };
    let (name, method) = ("sga-0a1b2c3d".to_owned(), "sga".to_owned());
    Detector { name, method, iid: Some(figures), ood: None }
}

fn trail(model: &Model) -> Trail {
    Trail {
        model: model.name.clone(),
        command: format!("just train k=0.1 method={} seed={}", model.method, model.seed),
        data: [("train".to_owned(), "2f7c40d95b81e6a3-1182".to_owned())].into(),
        weights: "9e107d9d372bb682-44757576".to_owned(),
        evaluation: Some("e4d909c290d0fb1c-2071".to_owned()),
    }
}

fn data() -> Vec<DataSet> {
    let count = |split, patients, negative, positive| SplitCount { split, patients, negative, positive };
    vec![
        DataSet {
            name: "made-up-hospital".to_owned(),
            role: Role::Iid,
            source: "Nobody et al. 2026, Journal of Invented Radiology".to_owned(),
            licence: "CC0".to_owned(),
            confounded: false,
            splits: vec![
                count(Split::Train, 2_931, 1_021, 2_544),
                count(Split::Validation, 981, 336, 857),
                count(Split::Test, 977, 341, 839),
            ],
            quarantined: vec![
                Quarantined { reason: "no pixels".to_owned(), images: 4 },
                Quarantined { reason: "same image as another patient's".to_owned(), images: 17 },
            ],
        },
        DataSet {
            name: "made-up-elsewhere".to_owned(),
            role: Role::Ood,
            source: "Somebody's <collection> & friends".to_owned(),
            licence: "CC BY 4.0".to_owned(),
            confounded: true,
            splits: vec![count(Split::Ood, 640, 310, 402)],
            quarantined: Vec::new(),
        },
    ]
}

fn name(method: &str, seed: u64, iid: f64) -> String {
    format!("{method}-{:08x}", 0x1a2b_3c4d_u64 * (seed + 3) * (iid * 100.0) as u64 % 0xffff_ffff)
}

fn model(method: &str, seed: u64, iid: f64, ood: f64) -> Model {
    let shift = shift(seed);
    let guided = method != "nt";
    let epochs = (0..12)
        .map(|epoch| {
            let t = f64::from(epoch);
            Epoch {
                cross_entropy: 0.25 + 0.5 * (-t / (4.0 + iid)).exp() + 0.01 * (t * 2.1 + shift).sin(),
                divergence: guided.then(|| 0.04 + 0.12 * (-t / 3.0).exp()),
                validation: 0.86 - 0.25 * (-t / 2.5).exp() - 0.002 * t + 0.01 * (t * 1.7 + iid).sin(),
            }
        })
        .collect();
    let attacked = |steps: f64| delong(&scores(method, seed, iid - steps, 700), &classes(700)).unwrap();
    Model {
        name: name(method, seed, iid),
        method: method.to_owned(),
        parameters: String::new(),
        objective: Some(Objective {
            k: if method.starts_with("sg") { 0.1 } else { 0.0 },
            lambda: if guided { 1.0 } else { 0.0 },
            attacked: guided && method != "sg",
            rest: [("epochs".to_owned(), "12".to_owned())].into(),
        }),
        seed,
        validation: 0.851 + 0.003 * iid,
        best_epoch: 7 + seed as usize,
        epochs,
        iid: Some(result(method, seed, [iid, METHODS[0].1].map(|lead| lead + shift), 1180, 1.0)),
        ood: Some(result(method, seed, [ood, METHODS[0].2].map(|lead| lead + shift), 712, 1.3)),
        further: [
            ("IID, FGSM ε = 0.01", "FGSM", Some(0.01), 0.5),
            ("IID, FGSM ε = 0.03", "FGSM", Some(0.03), 1.1),
            ("IID, border blanked", "border", None, 0.1),
        ]
        .map(|(name, family, strength, steps)| FurtherTest {
            name: name.to_owned(),
            split: Split::Test,
            family: family.to_owned(),
            strength,
            images: 700,
            auroc: attacked(steps),
        })
        .to_vec(),
    }
}

/// How far a seed moves what a method reaches.
fn shift(seed: u64) -> f64 {
    seed as f64 * 0.08 - 0.08
}

fn contest(method: &str) -> Contest {
    let difference =
        |value| Difference { value, interval: Interval { low: value - 0.04, high: value + 0.05 }, p: 0.217 };
    Contest {
        method: method.to_owned(),
        parameters: String::new(),
        natural: String::new(),
        iid: Some(difference(-0.031)),
        ood: Some(difference(0.027)),
    }
}

fn classes(images: usize) -> Vec<bool> {
    (0..images).map(|image| image * 7 % 10 < 6).collect()
}

/// Noise that the models share, noise of their own, and a lead of the positives.
fn scores(method: &str, seed: u64, lead: f64, images: usize) -> Vec<f64> {
    let own = method.bytes().map(u64::from).sum::<u64>() + seed * 31;
    let noise = |image: usize, salt: u64| {
        let mut state =
            (image as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt.wrapping_mul(0x2545_f491_4f6c_dd1d);
        (0..6)
            .map(|_| {
                state = (state ^ (state >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                (state >> 40) as f64 / f64::from(1 << 24) - 0.5
            })
            .sum::<f64>()
            * 1.4
    };
    classes(images)
        .iter()
        .enumerate()
        .map(|(image, &positive)| {
            let logit =
                lead * if positive { 0.5 } else { -0.5 } + 0.8 * noise(image, 1) + 0.6 * noise(image, own);
            1.0 / (1.0 + (-logit).exp())
        })
        .collect()
}

/// `leads`: of this model and of the naturally trained one.
fn result(method: &str, seed: u64, leads: [f64; 2], images: usize, border: f64) -> TestResult {
    let [lead, natural_lead] = leads;
    let (own, positive) = (scores(method, seed, lead, images), classes(images));
    let natural = scores("nt", seed, natural_lead, images);
    let patients: Vec<usize> = (0..images).map(|image| image * 4 / 5).collect();
    let draws = Bootstrap { draws: 200, seed: 0 };
    let clustered = clustered_auroc(&[&natural, &own], &positive, &patients, draws).unwrap();
    let answers = Answers { scores: &own, probabilities: &own, positive: &positive, patients: &patients };
    TestResult {
        images,
        patients: images * 4 / 5,
        auroc: delong(&own, &positive).unwrap(),
        by_patient: Some(clustered[1].interval),
        roc: roc_curve(&own, &positive).unwrap(),
        roc_band: roc_band(&own, &positive, &patients, 20, draws).unwrap(),
        versus_natural: (method != "nt").then(|| Comparison {
            natural: "nt-0".to_owned(),
            less: Less {
                test: delong_paired(&own, &natural, &positive).unwrap(),
                by_patient: Some(clustered[1].difference.interval),
                p_by_patient: Some(clustered[1].difference.p),
            },
        }),
        figures: SetFigures {
            performance: Some(performance(&answers, Some(0.55), draws).unwrap()),
            sources: vec![OneSource {
                source: "clinic A".to_owned(),
                negative: 120,
                positive: 130,
                auroc: delong(&own[..250], &positive[..250]).unwrap(),
            }],
            source_confound: (border > 1.0).then(|| SourceConfound {
                sources: vec!["clinic A".to_owned(), "clinic B".to_owned()],
                source_accuracy: 0.914,
                auroc: delong(&natural, &positive).unwrap(),
            }),
        },
    }
}

fn probe(model: String, explainer: &str, lead: f64, split: Split) -> Probe {
    let boxed = split == Split::Test;
    let (images, border) = if boxed { (1180, 1.0) } else { (712, 1.3) };
    let natural = model.starts_with("nt");
    let figure = |value: f64| {
        let around = |value: f64| Interval { low: value - 0.05, high: value + 0.04 };
        let less = 0.02 * lead;
        let less = Difference { value: less, interval: around(less), p: 0.04 * lead };
        Some(ProbeFigure { value, interval: Some(around(value)), less: (!natural).then_some(less) })
    };
    let of_boxes = |value: f64| figure(value).filter(|_| boxed);
    Probe {
        model,
        split,
        explainer: explainer.to_owned(),
        images,
        boxed_images: if boxed { 411 } else { 0 },
        marked_images: if boxed { 203 } else { 0 },
        border_area: 0.36,
        border: figure(0.31 * border),
        marker_lift: of_boxes(3.3 - lead),
        energy: of_boxes(0.1 + lead / 12.0),
        box_lift: of_boxes(1.2 + lead / 3.0),
        box_lift_above_another: of_boxes(0.06 + lead / 9.0),
        hits: of_boxes(0.2 + lead / 10.0),
        hits_above_another: of_boxes(0.04 + lead / 20.0),
        overlap: of_boxes(0.11 + lead / 20.0),
        box_overlap: of_boxes(0.14 + lead / 25.0),
        box_precision: of_boxes(0.07 + lead / 30.0),
        deletion: figure(0.42 - lead / 15.0),
        insertion: figure(0.58 + lead / 18.0),
    }
}

const SIDE: u32 = 224;

/// Two dark lungs on grey.
fn chest(row: u32) -> GrayImage {
    GrayImage::from_fn(SIDE, SIDE, |x, y| {
        let lung = |centre: f64| {
            let (dx, dy) = ((f64::from(x) - centre) / 40.0, (f64::from(y) - 115.0) / 75.0);
            (1.0 - dx * dx - dy * dy).max(0.0).sqrt()
        };
        let rib = 10.0 * (f64::from(y) / 8.0 + f64::from(row)).sin();
        Luma([(170.0 - 120.0 * lung(68.0) - 120.0 * lung(158.0) + rib) as u8])
    })
}

fn blob(x0: f64, y0: f64, spread: f64) -> Vec<f32> {
    (0..56 * 56)
        .map(|pixel| {
            let (x, y) = (f64::from(pixel % 56) / 56.0 - x0, f64::from(pixel / 56) / 56.0 - y0);
            (0.05 + (-(x * x + y * y) / spread).exp()) as f32
        })
        .collect()
}

/// The last of three is of the unseen hospital.
fn radiograph(row: u32, label: Label, picture: Png) -> Radiograph {
    Radiograph {
        image: format!("{:016x}", 0x0123_4567_89ab_cdef_u64.rotate_left(row * 8)),
        split: if row < 2 { Split::Test } else { Split::Ood },
        label,
        picture,
    }
}

fn gallery(finding: Option<&str>, rows: u32) -> Gallery {
    let rows = (0..rows).map(|row| GalleryRow { shows: finding.map(|_| row == 1), ..gallery_row(row) });
    let maps = format!(
        "FullGrad{}: what the input and every bias add to the logit",
        finding.map_or(String::new(), |name| format!(", {name}"))
    );
    Gallery { maps, finding: finding.map(str::to_owned), own: false, rows: rows.collect() }
}

fn gallery_row(row: u32) -> GalleryRow {
    let image = chest(row);
    let boxes: Vec<FractionBox> =
        FractionBox::from_edges(0.2, 0.5, 0.42, 0.8).filter(|_| row < 2).into_iter().collect();
    let picture = |map: Option<Vec<f32>>| {
        let mut picture = match map {
            Some(map) => {
                assert!(SaliencyMap::new(&map, 56, 56).is_ok());
                overlay::overlay(&image, &map, 56, 56).unwrap()
            }
            None => image::DynamicImage::from(image.clone()).to_rgb8(),
        };
        overlay::draw_boxes(&mut picture, &boxes);
        overlay::png(&picture).unwrap()
    };
    GalleryRow {
        radiograph: radiograph(row, if row == 1 { Label::Negative } else { Label::Covid }, picture(None)),
        boxed: !boxes.is_empty(),
        shows: None,
        overlays: METHODS
            .iter()
            .zip([(0.08, 0.1), (0.5, 0.4), (0.7, 0.6), (0.31, 0.65)])
            .map(|(&(method, lead, _), (x, y))| GalleryOverlay {
                model: name(method, 0, lead),
                score: 0.6 + (lead - 1.4) * 0.3 * f64::from(row + 1),
                picture: picture(Some(blob(x, y, 0.02 + 0.005 * f64::from(row)))),
            })
            .collect(),
    }
}

/// A positive image with a box, a positive one and a negative one without, the last at the unseen hospital.
fn box_row(row: u32) -> BoxRow {
    let area = |x: f64, y: f64, side: f64| FractionBox::from_edges(x, y, x + side, y + side).unwrap();
    let drawn = if row == 0 { vec![area(0.18, 0.45, 0.3), area(0.6, 0.1, 0.2)] } else { Vec::new() };
    let found = match row {
        0 => vec![(area(0.2, 0.48, 0.3), 0.87), (area(0.62, 0.6, 0.25), 0.412), (area(0.9, 0.0, 0.3), 0.33)],
        1 => vec![(area(0.6, 0.5, 0.2), 0.55)],
        _ => Vec::new(),
    };
    let picture = overlay::png(&chest(row)).unwrap();
    BoxRow {
        radiograph: radiograph(row, if row < 2 { Label::Covid } else { Label::Negative }, picture),
        drawn,
        found: vec![DetectorBoxes { model: "sga-0a1b2c3d".to_owned(), boxes: found }],
    }
}

//! Prints the figures of the scores or of the saliency map in the JSON document on standard input, for other programs to
//! check: `{"scores": […], "positive": […], "other": […]}`, `{"map": […], "width": …, "height": …, "box": [x, y, w, h]}`, or
//! `{"images": [{"found": [[x, y, w, h, score], …], "truth": [[x, y, w, h], …]}, …]}`.

use std::time::Instant;

use metrics::{
    Answers, Bootstrap, ImageBoxes, SaliencyMap, auroc, average_precision, box_figures, delong,
    delong_paired, performance, youden,
};
use schema::FractionBox;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(untagged)]
enum Question {
    Scores { scores: Vec<f64>, positive: Vec<bool>, other: Vec<f64> },
    Map { map: Vec<f32>, width: usize, height: usize, r#box: [f32; 4] },
    Images { images: Vec<Boxes> },
}

#[derive(Deserialize)]
struct Boxes {
    found: Vec<[f32; 5]>,
    truth: Vec<[f32; 4]>,
}

fn main() {
    let question = serde_json::from_reader(std::io::stdin().lock()).expect("a question in JSON");
    let answer = match question {
        Question::Scores { scores, positive, other } => of_scores(&scores, &positive, &other),
        Question::Map { map, width, height, r#box: [x, y, w, h] } => {
            let map = SaliencyMap::new(&map, width, height).expect("a map");
            json!(map.localise(&[FractionBox { x, y, width: w, height: h }]))
        }
        Question::Images { images } => of_boxes(&images),
    };
    println!("{answer}");
}

fn of_boxes(images: &[Boxes]) -> Value {
    let at = |[x, y, width, height]: [f32; 4]| FractionBox { x, y, width, height };
    let boxes = |image: &Boxes| ImageBoxes {
        found: image.found.iter().map(|&[x, y, w, h, score]| (at([x, y, w, h]), f64::from(score))).collect(),
        truth: image.truth.iter().copied().map(at).collect(),
    };
    let images: Vec<ImageBoxes> = images.iter().map(boxes).collect();
    let patients: Vec<usize> = (0..images.len()).collect();
    json!(box_figures(&images, &patients, Bootstrap { draws: 20, seed: 0 }).expect("boxes"))
}

fn of_scores(scores: &[f64], positive: &[bool], other: &[f64]) -> Value {
    let began = Instant::now();
    let (area, delong) = (auroc(scores, positive), delong(scores, positive));
    let seconds = began.elapsed().as_secs_f64();
    if let Err(error) = area {
        return json!({"error": error.to_string()});
    }
    let highest = scores.iter().copied().fold(0.0, f64::max) + 1.0;
    let probabilities: Vec<f64> = scores.iter().map(|score| score / highest).collect();
    let patients: Vec<usize> = (0..scores.len()).collect();
    let answers = Answers { scores, probabilities: &probabilities, positive, patients: &patients };
    let threshold = youden(scores, positive).expect("both classes").threshold;
    let few = Bootstrap { draws: 4, seed: 0 };
    json!({
        "seconds": seconds,
        "auroc": area.ok(),
        "delong": delong.ok(),
        "paired": delong_paired(scores, other, positive).ok(),
        "average_precision": average_precision(scores, positive).ok(),
        "performance": performance(&answers, Some(threshold), few).ok(),
    })
}

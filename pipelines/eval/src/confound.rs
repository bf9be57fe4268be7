//! How far a test set can be solved by telling its sources apart.

use std::collections::BTreeSet;

use cohort::Cohort;
use metrics::{OneSource, SourceConfound, delong};
use nn::guarded;
use schema::Label;
use stage::{Fallible, Result};
use tch::{Device, Kind, Tensor};

/// Patients are left out in this many parts, one after another.
const FOLDS: usize = 5;
/// Squares in a row of the coarse image.
const SQUARES: i64 = 12;
/// Bins of the histogram.
const BINS: i64 = 16;
/// Steps of the fit.
const STEPS: usize = 200;

/// Fits a softmax regression to the sources, from the coarse image and the histogram alone, and asks it for the patients
/// that it was not fitted to. An image's score is the share of positive images that the sources then promise; the shares
/// are facts of the set: taken from the fitted patients alone they would run against those left out. Nothing where there is
/// one source, or a class is missing.
pub(crate) fn confound(cohort: &Cohort) -> Result<Option<SourceConfound>> {
    let names: BTreeSet<&str> = cohort.rows.iter().map(|row| row.source.as_str()).collect();
    let sources: Vec<&str> = names.into_iter().collect();
    let positive = cohort.positive();
    if sources.len() < 2 || delong(&vec![0.0; positive.len()], &positive).is_err() {
        return Ok(None);
    }
    let patients: BTreeSet<&str> = cohort.rows.iter().map(|row| row.patient_key.as_str()).collect();
    let patients: Vec<&str> = patients.into_iter().collect();
    let of_row: Vec<i64> = cohort
        .rows
        .iter()
        .map(|row| sources.binary_search(&row.source.as_str()).expect("it is one of them") as i64)
        .collect();
    let fold =
        |row: &schema::ImageRow| patients.partition_point(|known| *known < row.patient_key.as_str()) % FOLDS;
    let folds: Vec<usize> = cohort.rows.iter().map(fold).collect();
    let (mut guesses, mut right) = (vec![0.0; cohort.len()], 0);
    let features = guarded(|| features(cohort)).or_other()?;
    let share = shares(cohort, &of_row, sources.len());
    for fold in 0..FOLDS {
        let (held, fitted): (Vec<usize>, Vec<usize>) = (0..cohort.len()).partition(|row| folds[*row] == fold);
        if held.is_empty() || fitted.len() < 2 {
            continue; // of one image nothing is known of how images vary
        }
        let classes = sources.len();
        let beliefs = guarded(|| beliefs(&features, &of_row, classes, &fitted, &held)).or_other()?;
        for (row, beliefs) in held.iter().zip(beliefs.chunks(classes)) {
            let guess: f64 = beliefs.iter().zip(&share).map(|(belief, share)| belief * share).sum();
            guesses[*row] = (guess * 1e12).round(); // equal shares promise the same of all: rounding must not rank them
            let best = (0..classes).max_by(|a, b| beliefs[*a].total_cmp(&beliefs[*b]));
            right += usize::from(best == Some(of_row[*row] as usize));
        }
    }
    Ok(Some(SourceConfound {
        sources: sources.into_iter().map(str::to_owned).collect(),
        source_accuracy: right as f64 / cohort.len() as f64,
        auroc: delong(&guesses, &positive).or_other()?,
    }))
}

/// A model on each source that holds at least two images of each class, where there are several sources.
pub(crate) fn one_by_one(cohort: &Cohort, scores: &[f64]) -> Vec<OneSource> {
    let sources: BTreeSet<&str> = cohort.rows.iter().map(|row| row.source.as_str()).collect();
    if sources.len() < 2 {
        return Vec::new();
    }
    let test = |source: &str| {
        let rows = cohort.rows.iter().zip(scores).filter(|(row, _)| row.source == source);
        let (positive, scores): (Vec<bool>, Vec<f64>) =
            rows.map(|(row, score)| (row.label == Label::Covid, *score)).unzip();
        let count = positive.iter().filter(|positive| **positive).count();
        let auroc = delong(&scores, &positive).ok()?; // of one class there is none
        let negative = positive.len() - count;
        Some(OneSource { source: source.to_owned(), negative, positive: count, auroc })
    };
    sources.into_iter().filter_map(test).collect()
}

/// What the regression sees of each image, N×(squares + bins).
fn features(cohort: &Cohort) -> Tensor {
    let side = i64::from(cohort.side);
    let pixels = Tensor::from_slice(&cohort.pixels).reshape([cohort.len() as i64, 1, side, side]);
    let parts: Vec<Tensor> = (0..cohort.len() as i64)
        .map(|index| {
            let image = pixels.narrow(0, index, 1).to_kind(Kind::Double) / 255.0;
            let squares = image.adaptive_avg_pool2d([SQUARES, SQUARES]).flatten(0, -1);
            let places = (&image * BINS as f64).clamp_max(BINS as f64 - 1.0).to_kind(Kind::Int64);
            let histogram = places.flatten(0, -1).bincount(None::<&Tensor>, BINS).to_kind(Kind::Double);
            Tensor::cat(&[squares, histogram / (side * side) as f64], 0)
        })
        .collect();
    Tensor::stack(&parts, 0)
}

/// The probability of each source for the rows held back, row after row.
fn beliefs(features: &Tensor, sources: &[i64], classes: usize, fitted: &[usize], held: &[usize]) -> Vec<f64> {
    let of = |rows: &[usize]| Tensor::from_slice(&rows.iter().map(|row| *row as i64).collect::<Vec<_>>());
    let (seen, unseen) = (features.index_select(0, &of(fitted)), features.index_select(0, &of(held)));
    let (mean, spread) = (seen.mean_dim(0, true, Kind::Double), seen.std_dim(0, true, true) + 1e-6);
    let scaled = |x: Tensor| (x - &mean) / &spread;
    let (seen, unseen) = (scaled(seen), scaled(unseen));
    let truth = Tensor::from_slice(sources).index_select(0, &of(fitted)).one_hot(classes as i64);
    let truth = truth.to_kind(Kind::Double);
    let options = (Kind::Double, Device::Cpu);
    let mut weight = Tensor::zeros([features.size()[1], classes as i64], options);
    let mut bias = Tensor::zeros([classes as i64], options);
    let (mut weight_speed, mut bias_speed) = (weight.zeros_like(), bias.zeros_like());
    for _ in 0..STEPS {
        // Momentum on the convex loss, with a little decay: it ends near the same point wherever it starts.
        let error = (seen.matmul(&weight) + &bias).softmax(1, Kind::Double) - &truth;
        let count = fitted.len() as f64;
        weight_speed = weight_speed * 0.9 + seen.transpose(0, 1).matmul(&error) / count + &weight * 1e-3;
        bias_speed = bias_speed * 0.9 + error.sum_dim_intlist([0].as_slice(), false, Kind::Double) / count;
        weight -= &weight_speed * 0.05;
        bias -= &bias_speed * 0.05;
    }
    let beliefs = (unseen.matmul(&weight) + bias).softmax(1, Kind::Double).flatten(0, -1);
    Vec::try_from(beliefs).expect("beliefs are f64")
}

/// The share of positive images in each source.
fn shares(cohort: &Cohort, sources: &[i64], classes: usize) -> Vec<f64> {
    let mut counts = vec![(0.0, 0.0); classes];
    for (row, source) in cohort.rows.iter().zip(sources) {
        let (positives, images) = &mut counts[*source as usize];
        *positives += if row.label == Label::Covid { 1.0 } else { 0.0 };
        *images += 1.0;
    }
    counts.into_iter().map(|(positives, images)| positives / images).collect()
}

#[cfg(test)]
mod tests {
    use schema::ImageRow;
    use testkit::image_row;

    use super::*;

    /// 80 images of two sources, one brighter; `class` says who is ill.
    fn cohort(class: impl Fn(usize) -> bool) -> Cohort {
        let noise = nn::uniform(1, &[80 * 256], Device::Cpu);
        let noise: Vec<f32> = noise.try_into().unwrap();
        let pixels = noise
            .iter()
            .enumerate()
            .map(|(place, noise)| (noise * 150.0 + if place / 256 % 2 == 0 { 60.0 } else { 0.0 }) as u8);
        let row = |index: usize| row(index, class(index));
        Cohort { rows: (0..80).map(row).collect(), side: 16, pixels: pixels.collect() }
    }

    fn row(index: usize, ill: bool) -> ImageRow {
        ImageRow {
            source: if index.is_multiple_of(2) { "east" } else { "west" }.to_owned(),
            label: if ill { Label::Covid } else { Label::Negative },
            ..image_row(&format!("{index:02}"))
        }
    }

    #[test]
    fn a_handful_of_images_is_no_fault() {
        let mut few = cohort(|index| index % 3 != 0);
        few.rows.truncate(4);
        few.pixels.truncate(4 * 256);
        for row in &mut few.rows[1..] {
            row.patient_key = schema::PatientKey::from_stored("the other".to_owned());
        }
        assert!(confound(&few).unwrap().unwrap().auroc.value.is_finite());
    }

    #[test]
    fn sources_that_hold_one_class_each_are_found_out_and_balanced_ones_are_not() {
        let confounded = confound(&cohort(|index| index % 2 == 0)).unwrap().unwrap();
        assert!(confounded.source_accuracy > 0.9 && confounded.auroc.value > 0.9, "{confounded:?}");
        let balanced = confound(&cohort(|index| index % 4 < 2)).unwrap().unwrap();
        assert!(balanced.source_accuracy > 0.9, "{balanced:?}");
        assert!((balanced.auroc.value - 0.5).abs() < 1e-9, "{balanced:?}");
        // 24 of 40 ill in the east, 16 of 40 in the west: to know the source is worth 0.6 of each class.
        let leaning =
            confound(&cohort(|index| index % 10 % 2 == usize::from(index % 10 > 5))).unwrap().unwrap();
        assert!((0.52..0.68).contains(&leaning.auroc.value), "{leaning:?}");
    }
}

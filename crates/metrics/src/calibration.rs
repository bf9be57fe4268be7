//! Whether predicted probabilities come true.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::same_length;

/// Expected calibration error and the bins behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Expected calibration error: the mean over images of |mean probability − share of positives| in the image's bin.
    /// In `[0, 1]`; 0 is perfect.
    pub expected_error: f64,
    /// The bins that hold images, ascending: the reliability curve.
    pub bins: Vec<ReliabilityBin>,
}

/// The images whose predicted probability lies in one bin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Lower edge, part of the bin.
    pub low: f64,
    /// Upper edge, part of the next bin; of the last bin, part of it.
    pub high: f64,
    /// Number of images.
    pub images: usize,
    /// Mean predicted probability of the positive class.
    pub mean_probability: f64,
    /// Share of positive images.
    pub positive_share: f64,
}

/// Calibration of the probability of the positive class in `bins` bins of equal width (Naeini et al. 2015, for the
/// positive class; torchmetrics' `BinaryCalibrationError` with norm l1).
///
/// Fails when there are no images or no bins, when the columns differ in length or a number is no probability.
pub fn calibration(probabilities: &[f64], positive: &[bool], bins: usize) -> Result<Calibration, Error> {
    same_length("probabilities", probabilities.len(), "classes", positive.len())?;
    if let Some(index) = probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
        return Err(Error::NotAProbability { index, value: probabilities[index] });
    }
    if bins == 0 {
        return Err(Error::Setting { name: "bins", value: 0.0, allowed: "1 or more" });
    }
    if positive.is_empty() {
        return Err(Error::TooFew { positives: 0, negatives: 0, needed: 1 });
    }
    let edge = |index: usize| index as f64 / bins as f64;
    let mut sums = vec![(0_usize, 0.0, 0_usize); bins];
    for (&probability, &positive) in probabilities.iter().zip(positive) {
        let (images, total, positives) = &mut sums[bin_of(probability, bins)];
        *images += 1;
        *total += probability;
        *positives += usize::from(positive);
    }
    let bins: Vec<ReliabilityBin> = sums
        .into_iter()
        .enumerate()
        .filter(|(_, (images, ..))| *images > 0)
        .map(|(index, (images, total, positives))| ReliabilityBin {
            low: edge(index),
            high: edge(index + 1),
            images,
            mean_probability: total / images as f64,
            positive_share: positives as f64 / images as f64,
        })
        .collect();
    let gaps = bins.iter().map(|bin| bin.images as f64 * (bin.mean_probability - bin.positive_share).abs());
    Ok(Calibration { expected_error: gaps.sum::<f64>() / positive.len() as f64, bins })
}

/// The bin of a probability, of `bins` of equal width.
pub(crate) fn bin_of(probability: f64, bins: usize) -> usize {
    ((probability * bins as f64) as usize).min(bins - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_that_comes_true_has_no_error() {
        let probabilities: Vec<f64> = (0..40).map(|i| if i < 20 { 0.25 } else { 0.75 }).collect();
        let positive: Vec<bool> = (0..40).map(|i| if i < 20 { i % 4 == 0 } else { i % 4 != 0 }).collect();
        assert!(calibration(&probabilities, &positive, 10).unwrap().expected_error.abs() < 1e-12);
        let wrong: Vec<bool> = positive.iter().map(|p| !p).collect();
        assert!((calibration(&probabilities, &wrong, 10).unwrap().expected_error - 0.5).abs() < 1e-12);
    }

    #[test]
    fn both_ends_of_the_range_have_a_bin() {
        let found = calibration(&[0.0, 1.0], &[false, true], 15).unwrap();
        assert_eq!(found.bins.iter().map(|bin| bin.images).collect::<Vec<_>>(), [1, 1]);
        assert!((found.bins[1].high - 1.0).abs() < 1e-15);
    }

    #[test]
    fn refuses_what_is_no_probability() {
        assert_eq!(
            calibration(&[0.5, 1.5], &[true, false], 10),
            Err(Error::NotAProbability { index: 1, value: 1.5 })
        );
        assert!(calibration(&[f64::NAN], &[true], 10).is_err());
        assert!(calibration(&[], &[], 10).is_err());
    }
}

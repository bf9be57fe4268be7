//! What a model does on a test set, every figure with a 95 % interval over the choice of patients.

use serde::{Deserialize, Serialize};

use crate::auroc::Ranking;
use crate::bootstrap::resampled;
use crate::calibration::bin_of;
use crate::error::{check, same_length};
use crate::{Bootstrap, Error, Interval, calibration};

/// A figure with its patient-clustered 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// On all images.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// What a model says of the images of a set, one row an image.
#[derive(Clone, Copy, Debug)]
pub struct Answers<'a, P> {
    /// Higher is more likely positive.
    pub scores: &'a [f64],
    /// Of the positive class, in `[0, 1]`; ranked as the scores.
    pub probabilities: &'a [f64],
    /// The class.
    pub positive: &'a [bool],
    /// The patient.
    pub patients: &'a [P],
}

/// A model on a set. Every figure is in `[0, 1]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// Area under the ROC curve.
    pub auroc: Estimate,
    /// As [`average_precision`](crate::average_precision).
    pub average_precision: Estimate,
    /// As [`sensitivity_at_specificity`](crate::sensitivity_at_specificity).
    pub sensitivity_at_95_specificity: Estimate,
    /// As [`specificity_at_sensitivity`](crate::specificity_at_sensitivity).
    pub specificity_at_95_sensitivity: Estimate,
    /// Expected calibration error in 15 bins. Resamples scatter more than the images, so its interval lies high.
    pub calibration_error: Estimate,
    /// The reliability curve.
    pub reliability: Vec<Reliability>,
    /// At the threshold that was given.
    pub decisions: Option<Decisions>,
}

/// A bin of the reliability curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// Images in the bin.
    pub images: usize,
    /// Mean predicted probability of the positive class.
    pub mean_probability: f64,
    /// Share of positive images; without an interval where most resamples leave the bin empty.
    pub positive_share: f64,
    /// 95 % interval of the share.
    pub interval: Option<Interval>,
}

/// What a threshold makes of a model's scores: an image at or above it is called positive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decisions {
    /// The threshold, on the scale of the scores.
    pub threshold: f64,
    /// How many images are called what.
    pub confusion: Confusion,
    /// Share of the positive images that are called positive.
    pub sensitivity: Estimate,
    /// Share of the negative images that are called negative.
    pub specificity: Estimate,
    /// Share of positive images among those called positive; `None` where too few are called so. It depends on the share
    /// of positive images in the set, as the next two.
    pub positive_predictive_value: Option<Estimate>,
    /// Share of negative images among those called negative; `None` where too few are called so.
    pub negative_predictive_value: Option<Estimate>,
    /// Harmonic mean of sensitivity and positive predictive value.
    pub f1: Estimate,
}

/// The confusion matrix, in images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Positive, called positive.
    pub true_positives: u64,
    /// Negative, called positive.
    pub false_positives: u64,
    /// Positive, called negative.
    pub false_negatives: u64,
    /// Negative, called negative.
    pub true_negatives: u64,
}

/// Bins of the reliability curve.
const BINS: usize = 15;

/// Sensitivity or specificity that is asked for.
const WANTED: f64 = 0.95;

/// All figures of a model on a set, with the same resampled patients behind every interval. `threshold` is chosen
/// elsewhere, on validation images. Fails like [`auroc`](crate::auroc()), [`calibration`](crate::calibration()) and
/// [`clustered_bootstrap`](crate::clustered_bootstrap).
pub fn performance<P: Ord>(
    answers: &Answers<'_, P>,
    threshold: Option<f64>,
    bootstrap: Bootstrap,
) -> Result<Performance, Error> {
    let &Answers { scores, probabilities, positive, patients } = answers;
    check(scores, positive, 1)?;
    same_length("patients", patients.len(), "classes", positive.len())?;
    let bins = calibration(probabilities, positive, BINS)?.bins;
    let sweep = Sweep {
        ranking: Ranking::new(scores),
        scores,
        probabilities,
        positive,
        bins: probabilities.iter().map(|probability| bin_of(*probability, BINS)).collect(),
        threshold,
    };
    let on_all = sweep.figures(&vec![1; positive.len()]).expect("both classes are present");
    let mut resampled = resampled(patients, bootstrap, |counts| sweep.figures(counts))?.into_iter();
    let mut values = on_all.into_iter();
    let mut next = || {
        let (value, drawn) = (values.next()?, resampled.next()?);
        let defined: Vec<f64> = drawn.iter().copied().filter(|value| !value.is_nan()).collect();
        let interval = (2 * defined.len() > drawn.len()).then(|| Interval::percentile(defined))?;
        (!value.is_nan()).then_some(Estimate { value, low: interval.low, high: interval.high })
    };
    let mut figure = || next().expect("defined with both classes");
    let (auroc, average_precision) = (figure(), figure());
    let (sensitivity_at_95_specificity, specificity_at_95_sensitivity) = (figure(), figure());
    let calibration_error = figure();
    let decisions = threshold.map(|threshold| {
        let (sensitivity, specificity, f1) = (next(), next(), next());
        let always = "defined with both classes";
        Decisions {
            threshold,
            confusion: sweep.confusion(&vec![1; positive.len()], threshold),
            sensitivity: sensitivity.expect(always),
            specificity: specificity.expect(always),
            f1: f1.expect(always),
            positive_predictive_value: next(),
            negative_predictive_value: next(),
        }
    });
    let shares: Vec<Option<Estimate>> = (0..BINS).map(|_| next()).collect();
    let reliability = bins
        .into_iter()
        .map(|bin| Reliability {
            images: bin.images,
            mean_probability: bin.mean_probability,
            positive_share: bin.positive_share,
            interval: shares[(bin.low * BINS as f64).round() as usize]
                .map(|share| Interval { low: share.low, high: share.high }),
        })
        .collect();
    Ok(Performance {
        auroc,
        average_precision,
        sensitivity_at_95_specificity,
        specificity_at_95_sensitivity,
        calibration_error,
        reliability,
        decisions,
    })
}

/// A set ranked once, for every resample.
struct Sweep<'a> {
    ranking: Ranking,
    scores: &'a [f64],
    probabilities: &'a [f64],
    positive: &'a [bool],
    /// The bin of the reliability curve of each row.
    bins: Vec<usize>,
    threshold: Option<f64>,
}

impl Sweep<'_> {
    /// The figures in the order in which [`performance`] takes them, with row i standing `counts[i]` times; NaN where one
    /// is undefined, `None` where a class is missing.
    fn figures(&self, counts: &[u32]) -> Option<Vec<f64>> {
        let mut figures = vec![self.ranking.auroc(self.positive, counts)?];
        figures.extend(self.along_the_curve(counts));
        let (error, shares) = self.calibration(counts);
        figures.push(error);
        if let Some(threshold) = self.threshold {
            let confusion = self.confusion(counts, threshold);
            let Confusion { true_positives, false_positives, false_negatives, true_negatives } = confusion;
            figures.extend([
                share(true_positives, false_negatives),
                share(true_negatives, false_positives),
                share(2 * true_positives, false_positives + false_negatives),
                share(true_positives, false_positives),
                share(true_negatives, false_negatives),
            ]);
        }
        figures.extend(shares);
        Some(figures)
    }

    /// Average precision, sensitivity at 95 % specificity, specificity at 95 % sensitivity.
    fn along_the_curve(&self, counts: &[u32]) -> [f64; 3] {
        let Confusion { true_positives: positives, false_positives: negatives, .. } =
            self.confusion(counts, f64::NEG_INFINITY);
        let (mut up, mut down, mut precision, mut sensitivity) = (0, 0, 0.0, 0.0);
        let mut specificity = None;
        for group in self.ranking.groups().rev() {
            let before = up;
            for &row in group {
                *(if self.positive[row] { &mut up } else { &mut down }) += u64::from(counts[row]);
            }
            if up > before {
                precision += (up - before) as f64 / positives as f64 * up as f64 / (up + down) as f64;
            }
            let specific = (negatives - down) as f64 / negatives as f64;
            let sensitive = up as f64 / positives as f64;
            if specific >= WANTED {
                sensitivity = sensitive;
            }
            if sensitive >= WANTED {
                specificity.get_or_insert(specific);
            }
        }
        [precision, sensitivity, specificity.unwrap_or(0.0)]
    }

    /// Expected calibration error, and the share of positives in each bin.
    fn calibration(&self, counts: &[u32]) -> (f64, Vec<f64>) {
        let mut sums = [(0_u64, 0_u64, 0.0); BINS];
        for (row, &count) in counts.iter().enumerate() {
            let (images, positives, total) = &mut sums[self.bins[row]];
            *images += u64::from(count);
            *positives += if self.positive[row] { u64::from(count) } else { 0 };
            *total += self.probabilities[row] * f64::from(count);
        }
        let images: u64 = sums.iter().map(|(images, ..)| images).sum();
        let gaps: f64 = sums.iter().map(|(_, positives, total)| (total - *positives as f64).abs()).sum();
        let shares = sums.iter().map(|&(images, positives, _)| positives as f64 / images as f64);
        (gaps / images as f64, shares.collect())
    }

    fn confusion(&self, counts: &[u32], threshold: f64) -> Confusion {
        let mut confusion = Confusion::default();
        for (row, &count) in counts.iter().enumerate() {
            let cell = match (self.positive[row], self.scores[row] >= threshold) {
                (true, true) => &mut confusion.true_positives,
                (false, true) => &mut confusion.false_positives,
                (true, false) => &mut confusion.false_negatives,
                (false, false) => &mut confusion.true_negatives,
            };
            *cell += u64::from(count);
        }
        confusion
    }
}

/// `part` of `part` and `rest`; NaN of nothing.
fn share(part: u64, rest: u64) -> f64 {
    part as f64 / (part + rest) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::auroc::tests::scored;
    use crate::{
        at_threshold, auroc, average_precision, sensitivity_at_specificity, specificity_at_sensitivity,
    };

    const FEW: Bootstrap = Bootstrap { draws: 60, seed: 3 };

    fn measured(scores: &[f64], positive: &[bool], threshold: f64) -> Performance {
        let probabilities: Vec<f64> = scores.iter().map(|score| score / 12.0).collect();
        let patients: Vec<usize> = (0..scores.len()).collect();
        let answers = Answers { scores, probabilities: &probabilities, positive, patients: &patients };
        performance(&answers, Some(threshold), FEW).unwrap()
    }

    proptest! {
        #[test]
        fn every_figure_is_the_one_that_stands_alone((scores, positive) in scored(), threshold in 0..13_u8) {
            let threshold = f64::from(threshold);
            let found = measured(&scores, &positive, threshold);
            let probabilities: Vec<f64> = scores.iter().map(|score| score / 12.0).collect();
            let at = at_threshold(&scores, &positive, threshold)?;
            let decisions = found.decisions.unwrap();
            let pairs = [
                (found.auroc, auroc(&scores, &positive)?),
                (found.average_precision, average_precision(&scores, &positive)?),
                (
                    found.sensitivity_at_95_specificity,
                    sensitivity_at_specificity(&scores, &positive, 0.95)?.sensitivity,
                ),
                (
                    found.specificity_at_95_sensitivity,
                    specificity_at_sensitivity(&scores, &positive, 0.95)?.specificity,
                ),
                (found.calibration_error, calibration(&probabilities, &positive, BINS)?.expected_error),
                (decisions.sensitivity, at.sensitivity),
                (decisions.specificity, at.specificity),
            ];
            for (index, (estimate, wanted)) in pairs.into_iter().enumerate() {
                prop_assert!((estimate.value - wanted).abs() < 1e-12, "{index}: {estimate:?} {wanted}");
                prop_assert!(estimate.low <= estimate.high);
            }
            let images: usize = found.reliability.iter().map(|bin| bin.images).sum();
            prop_assert_eq!(images, scores.len());
        }
    }

    #[test]
    fn a_threshold_that_calls_nothing_positive_has_no_precision() {
        let positive: Vec<bool> = (0..40).map(|row| row % 2 == 0).collect();
        let scores: Vec<f64> = (0..40).map(|row| f64::from(row % 7)).collect();
        let decisions = measured(&scores, &positive, 7.0).decisions.unwrap();
        assert_eq!(decisions.positive_predictive_value, None);
        assert_eq!(decisions.negative_predictive_value.map(|found| found.value), Some(0.5));
        assert_eq!(
            (decisions.sensitivity.high, decisions.specificity.low, decisions.f1.value),
            (0.0, 1.0, 0.0)
        );
        let confusion = Confusion { false_negatives: 20, true_negatives: 20, ..Confusion::default() };
        assert_eq!(decisions.confusion, confusion);
    }
}

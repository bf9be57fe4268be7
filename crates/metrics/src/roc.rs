//! The ROC curve and what is read off it: average precision, operating points, the choice of a threshold.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::auroc::Ranking;
use crate::error::{check, check_fraction};

/// A corner of the ROC curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RocPoint {
    /// 1 − specificity.
    pub false_positive_rate: f64,
    /// Sensitivity.
    pub true_positive_rate: f64,
}

/// What a threshold gives: an image counts as positive when its score is at least the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperatingPoint {
    /// One of the scores, or the next number above the highest: then no image counts as positive.
    pub threshold: f64,
    /// Share of the positive images at or above the threshold.
    pub sensitivity: f64,
    /// Share of the negative images below the threshold.
    pub specificity: f64,
}

/// The ROC curve from (0, 0) to (1, 1), points on a straight line left out. The area below it by trapezoids is the
/// AUROC. Fails like [`auroc`](crate::auroc()).
pub fn roc_curve(scores: &[f64], positive: &[bool]) -> Result<Vec<RocPoint>, Error> {
    let mut corners: Vec<Cut> = Vec::new();
    for cut in Cuts::new(scores, positive)?.descending {
        while let [.., a, b] = corners[..]
            && on_a_line(a, b, cut)
        {
            corners.pop();
        }
        corners.push(cut);
    }
    let last = corners[corners.len() - 1];
    Ok(corners
        .into_iter()
        .map(|cut| RocPoint {
            false_positive_rate: cut.false_positives as f64 / last.false_positives as f64,
            true_positive_rate: cut.true_positives as f64 / last.true_positives as f64,
        })
        .collect())
}

/// Average precision: Σ (recall step) × precision over descending thresholds, without interpolation, as scikit-learn
/// gives it. In `[0, 1]`; chance is the share of positives. Fails like [`auroc`](crate::auroc()).
pub fn average_precision(scores: &[f64], positive: &[bool]) -> Result<f64, Error> {
    let cuts = Cuts::new(scores, positive)?;
    let steps = cuts.descending.windows(2).map(|pair| {
        let step = (pair[1].true_positives - pair[0].true_positives) as f64 / cuts.positives as f64;
        step * pair[1].true_positives as f64 / (pair[1].true_positives + pair[1].false_positives) as f64
    });
    Ok(steps.sum())
}

/// The point of highest sensitivity among those whose specificity is at least `specificity`.
/// Fails like [`auroc`](crate::auroc()), and when `specificity` is outside `[0, 1]`.
pub fn sensitivity_at_specificity(
    scores: &[f64],
    positive: &[bool],
    specificity: f64,
) -> Result<OperatingPoint, Error> {
    check_fraction("specificity", specificity)?;
    let points = Cuts::new(scores, positive)?.points();
    // Specificity falls and sensitivity rises along the points.
    Ok(points
        .into_iter()
        .take_while(|point| point.specificity >= specificity)
        .last()
        .expect("the first is 1"))
}

/// The point of highest specificity among those whose sensitivity is at least `sensitivity`.
/// Fails like [`auroc`](crate::auroc()), and when `sensitivity` is outside `[0, 1]`.
pub fn specificity_at_sensitivity(
    scores: &[f64],
    positive: &[bool],
    sensitivity: f64,
) -> Result<OperatingPoint, Error> {
    check_fraction("sensitivity", sensitivity)?;
    let points = Cuts::new(scores, positive)?.points();
    Ok(points.into_iter().find(|point| point.sensitivity >= sensitivity).expect("the last is 1"))
}

/// The point with the largest sensitivity + specificity − 1 (Youden 1950); of equal points, the most specific. Choose
/// it on the validation set and apply its threshold elsewhere with [`at_threshold`].
/// Fails like [`auroc`](crate::auroc()).
pub fn youden(scores: &[f64], positive: &[bool]) -> Result<OperatingPoint, Error> {
    let Cuts { descending, positives, negatives } = &Cuts::new(scores, positive)?;
    // TP/P − FP/N, times P·N: compared in integers, so that equal points are equal.
    let index =
        |cut: &Cut| (cut.true_positives * negatives) as i64 - (cut.false_positives * positives) as i64;
    let best = descending.iter().rev().max_by_key(|cut| index(cut)).expect("there are cuts");
    Ok(best.point(*positives, *negatives))
}

/// Sensitivity and specificity at a threshold chosen elsewhere. Fails like [`auroc`](crate::auroc()).
pub fn at_threshold(scores: &[f64], positive: &[bool], threshold: f64) -> Result<OperatingPoint, Error> {
    let (positives, negatives) = check(scores, positive, 1)?;
    let called = |class: bool| {
        scores.iter().zip(positive).filter(|&(&score, &p)| p == class && score >= threshold).count()
    };
    let cut = Cut { threshold, true_positives: called(true), false_positives: called(false) };
    Ok(cut.point(positives, negatives))
}

/// The images at or above a threshold.
#[derive(Clone, Copy)]
struct Cut {
    threshold: f64,
    true_positives: usize,
    false_positives: usize,
}

impl Cut {
    fn point(&self, positives: usize, negatives: usize) -> OperatingPoint {
        OperatingPoint {
            threshold: self.threshold,
            sensitivity: self.true_positives as f64 / positives as f64,
            specificity: (negatives - self.false_positives) as f64 / negatives as f64,
        }
    }
}

/// The cuts by descending threshold, from "no image" to "all images".
struct Cuts {
    descending: Vec<Cut>,
    positives: usize,
    negatives: usize,
}

impl Cuts {
    fn new(scores: &[f64], positive: &[bool]) -> Result<Self, Error> {
        let (positives, negatives) = check(scores, positive, 1)?;
        let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut cut = Cut { threshold: highest.next_up(), true_positives: 0, false_positives: 0 };
        let mut cuts = vec![cut];
        for group in Ranking::new(scores).groups().rev() {
            let up = group.iter().filter(|&&row| positive[row]).count();
            cut.threshold = scores[group[0]];
            cut.true_positives += up;
            cut.false_positives += group.len() - up;
            cuts.push(cut);
        }
        Ok(Self { descending: cuts, positives, negatives })
    }

    fn points(&self) -> Vec<OperatingPoint> {
        self.descending.iter().map(|cut| cut.point(self.positives, self.negatives)).collect()
    }
}

fn on_a_line(a: Cut, b: Cut, c: Cut) -> bool {
    let step = |from: Cut, to: Cut| {
        (to.false_positives - from.false_positives, to.true_positives - from.true_positives)
    };
    let ((x0, y0), (x1, y1)) = (step(a, b), step(b, c));
    x0 * y1 == x1 * y0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::auroc::auroc;
    use crate::auroc::tests::scored;

    proptest! {
        #[test]
        fn the_area_under_the_curve_is_the_auroc((scores, positive) in scored()) {
            let area: f64 = roc_curve(&scores, &positive)?
                .windows(2)
                .map(|p| {
                    (p[1].false_positive_rate - p[0].false_positive_rate)
                        * (p[0].true_positive_rate + p[1].true_positive_rate) / 2.0
                })
                .sum();
            prop_assert!((area - auroc(&scores, &positive)?).abs() < 1e-12);
        }

        #[test]
        fn operating_points_hold_what_they_promise(
            (scores, positive) in scored(), wanted in 0.0..=1.0_f64,
        ) {
            let by_specificity = sensitivity_at_specificity(&scores, &positive, wanted)?;
            let by_sensitivity = specificity_at_sensitivity(&scores, &positive, wanted)?;
            let youden = youden(&scores, &positive)?;
            prop_assert!(by_specificity.specificity >= wanted);
            prop_assert!(by_sensitivity.sensitivity >= wanted);
            for point in [by_specificity, by_sensitivity, youden] {
                prop_assert_eq!(point, at_threshold(&scores, &positive, point.threshold)?);
            }
            let thresholds = scores.iter().copied().chain([f64::INFINITY]);
            for other in thresholds.map(|threshold| at_threshold(&scores, &positive, threshold).unwrap()) {
                prop_assert!(other.specificity < wanted || other.sensitivity <= by_specificity.sensitivity);
                prop_assert!(other.sensitivity < wanted || other.specificity <= by_sensitivity.specificity);
                prop_assert!(
                    other.sensitivity + other.specificity <= youden.sensitivity + youden.specificity + 1e-12
                );
            }
        }
    }

    #[test]
    fn straight_runs_keep_only_their_ends() {
        let scores = [6.0, 5.0, 4.0, 3.0, 2.0, 1.0];
        let positive = [true, true, true, false, false, false];
        let corners: Vec<(f64, f64)> = roc_curve(&scores, &positive)
            .unwrap()
            .iter()
            .map(|point| (point.false_positive_rate, point.true_positive_rate))
            .collect();
        assert_eq!(corners, [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)]);
    }

    #[test]
    fn of_equal_youden_points_the_most_specific_is_taken() {
        let point = youden(&[4.0, 3.0, 2.0, 1.0], &[true, false, true, false]).unwrap();
        assert_eq!(point, OperatingPoint { threshold: 4.0, sensitivity: 0.5, specificity: 1.0 });
    }
}

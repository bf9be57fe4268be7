//! How far the choice of patients moves a ROC curve.

use serde::{Deserialize, Serialize};

use crate::auroc::Ranking;
use crate::bootstrap::resampled;
use crate::error::{check, same_length};
use crate::{Bootstrap, Error, Interval};

/// A place on a band around a ROC curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RocBandPoint {
    /// Share of the negative images called positive.
    pub false_positive_rate: f64,
    /// 95 % interval of the share of the positive images called positive.
    pub true_positive_rate: Interval,
}

/// The pointwise 95 % band of a ROC curve at false positive rates 0, 1/`steps`, …, 1, patients resampled whole. Curves
/// run straight between their points, as [`roc_curve`](crate::roc_curve)'s. Each place has its own interval: the band
/// does not hold the whole curve with 95 %.
///
/// Fails like [`auroc`](crate::auroc()) and [`clustered_bootstrap`](crate::clustered_bootstrap).
pub fn roc_band<P: Ord>(
    scores: &[f64],
    positive: &[bool],
    patients: &[P],
    steps: usize,
    bootstrap: Bootstrap,
) -> Result<Vec<RocBandPoint>, Error> {
    check(scores, positive, 1)?;
    same_length("patients", patients.len(), "classes", positive.len())?;
    let ranking = Ranking::new(scores);
    let drawn = resampled(patients, bootstrap, |counts| heights(&ranking, positive, counts, steps))?;
    let places = (0..=steps).map(|step| step as f64 / steps as f64);
    Ok(places
        .zip(drawn)
        .map(|(false_positive_rate, heights)| RocBandPoint {
            false_positive_rate,
            true_positive_rate: Interval::percentile(heights),
        })
        .collect())
}

/// The curve's height at each place, with row i standing `counts[i]` times; `None` when a class is missing. Where the
/// curve rises straight up, its upper end.
fn heights(ranking: &Ranking, positive: &[bool], counts: &[u32], steps: usize) -> Option<Vec<f64>> {
    let total = |class: bool| -> u64 {
        positive
            .iter()
            .zip(counts)
            .filter(|(own, _)| **own == class)
            .map(|(_, &count)| u64::from(count))
            .sum()
    };
    let (positives, negatives) = (total(true), total(false));
    if positives == 0 || negatives == 0 {
        return None;
    }
    let mut heights = Vec::with_capacity(steps + 1);
    let (mut up, mut down) = (0_u64, 0_u64);
    for group in ranking.groups().rev() {
        let (up_before, down_before) = (up, down);
        for &row in group {
            *(if positive[row] { &mut up } else { &mut down }) += u64::from(counts[row]);
        }
        // Places that the curve has passed: only then is the upper end at a place known. In whole numbers, which no rounding
        // puts on the other side of a place.
        let place = |heights: &[f64]| heights.len() as u64 * negatives;
        while heights.len() < steps && down * steps as u64 > place(&heights) {
            let beyond = place(&heights) - down_before * steps as u64;
            let part = beyond as f64 / ((down - down_before) * steps as u64) as f64;
            let height = up_before as f64 + part * (up - up_before) as f64;
            heights.push(height / positives as f64);
        }
    }
    heights.resize(steps + 1, 1.0);
    Some(heights)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::auroc::tests::scored;
    use crate::roc_curve;

    proptest! {
        #[test]
        fn without_resampling_it_is_the_curve((scores, positive) in scored(), steps in 1..40_usize) {
            let ranking = Ranking::new(&scores);
            let found = heights(&ranking, &positive, &vec![1; scores.len()], steps).unwrap();
            let curve = roc_curve(&scores, &positive)?;
            for (step, height) in found.into_iter().enumerate() {
                let place = step as f64 / steps as f64;
                let near = |rate: f64| (rate - place).abs() < 1e-12;
                let highest = curve.iter().filter(|p| near(p.false_positive_rate)).map(|p| p.true_positive_rate);
                let between = curve.windows(2).filter_map(|p| {
                    let (a, b) = (p[0], p[1]);
                    let inside = a.false_positive_rate < place && place < b.false_positive_rate;
                    let part = (place - a.false_positive_rate) / (b.false_positive_rate - a.false_positive_rate);
                    inside.then_some(a.true_positive_rate + part * (b.true_positive_rate - a.true_positive_rate))
                });
                let expected = highest.chain(between).fold(0.0, f64::max);
                prop_assert!((height - expected).abs() < 1e-9, "{height} {expected} at {place}");
            }
        }
    }

    #[test]
    fn a_place_where_the_curve_stands_upright_has_its_upper_end() {
        // 15 of 22 negatives above all positives: 15/22 · 22 is not 15 in floating point for every pair of such numbers.
        for negatives in 1..60_usize {
            for above in 0..negatives {
                let scores: Vec<f64> =
                    (0..negatives).map(|image| if image < above { 2.0 } else { 0.0 }).chain([1.0]).collect();
                let positive: Vec<bool> = (0..=negatives).map(|image| image == negatives).collect();
                let found = heights(&Ranking::new(&scores), &positive, &vec![1; negatives + 1], negatives);
                let expected: Vec<f64> =
                    (0..=negatives).map(|place| f64::from(u8::from(place >= above))).collect();
                assert_eq!(found.unwrap(), expected, "{above} of {negatives}");
            }
        }
    }

    #[test]
    fn it_narrows_with_more_patients_and_rises() {
        let of = |images: usize| {
            let positive: Vec<bool> = (0..images).map(|image| image % 2 == 0).collect();
            let scores: Vec<f64> = (0..images)
                .map(|image| (image * 7919 % 101) as f64 + if image % 2 == 0 { 40.0 } else { 0.0 })
                .collect();
            let patients: Vec<usize> = (0..images).collect();
            roc_band(&scores, &positive, &patients, 10, Bootstrap { draws: 200, seed: 1 }).unwrap()
        };
        let (few, many) = (of(60), of(1200));
        let width = |band: &[RocBandPoint]| -> f64 {
            band.iter().map(|p| p.true_positive_rate.high - p.true_positive_rate.low).sum()
        };
        assert!(width(&many) < width(&few) / 2.0 && width(&many) > 0.0);
        assert!(many.windows(2).all(|p| p[0].true_positive_rate.low <= p[1].true_positive_rate.low));
        assert_eq!(many[10].true_positive_rate, Interval { low: 1.0, high: 1.0 });
    }
}

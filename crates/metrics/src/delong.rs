//! `DeLong`'s variance of the AUROC and the paired test (`DeLong` et al. 1988), in the fast form of Sun & Xu 2014.

use serde::{Deserialize, Serialize};

use crate::auroc::Ranking;
use crate::error::{check, same_length};
use crate::{Error, Interval};

/// An AUROC with `DeLong`'s variance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Auroc {
    /// The area, in `[0, 1]`.
    pub value: f64,
    /// `DeLong`'s variance of the area, images taken as independent.
    pub variance: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
}

impl Auroc {
    /// The 95 % interval.
    pub fn interval(&self) -> Interval {
        Interval { low: self.low, high: self.high }
    }
}

/// Two models on the same images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedTest {
    /// AUROC of the first less AUROC of the second.
    pub difference: f64,
    /// Lower end of the 95 % interval of the difference.
    pub low: f64,
    /// Upper end of the 95 % interval of the difference.
    pub high: f64,
    /// The difference over its standard error.
    pub z: f64,
    /// Two-sided p value of "no difference".
    pub p: f64,
}

impl PairedTest {
    /// The 95 % interval of the difference.
    pub fn interval(&self) -> Interval {
        Interval { low: self.low, high: self.high }
    }
}

/// AUROC with `DeLong`'s variance and the plain 95 % interval `value ± 1.96 √variance`, cut to `[0, 1]`, as R's pROC
/// gives it. At an AUROC of 0 or 1 the variance is 0 and the interval a point: do not read it as certainty.
///
/// Fails like [`auroc`](crate::auroc()), and with fewer than two images of a class.
pub fn delong(scores: &[f64], positive: &[bool]) -> Result<Auroc, Error> {
    check(scores, positive, 2)?;
    let placements = Placements::new(scores, positive);
    let (value, variance) = (placements.mean(), placements.variance());
    let Interval { low, high } = Interval::normal(value, variance).cut(0.0, 1.0);
    Ok(Auroc { value, variance, low, high })
}

/// `DeLong`'s test of two correlated AUROCs: model `a` less model `b` on the same images. Models that rank all images
/// alike give difference 0, z = 0, p = 1.
///
/// Fails like [`delong`], and with [`Error::NoVariance`] when the AUROCs differ but the difference has no variance.
pub fn delong_paired(scores_a: &[f64], scores_b: &[f64], positive: &[bool]) -> Result<PairedTest, Error> {
    same_length("scores of one model", scores_a.len(), "scores of the other", scores_b.len())?;
    check(scores_a, positive, 2)?;
    check(scores_b, positive, 2)?;
    let change = Placements::new(scores_a, positive).less(&Placements::new(scores_b, positive));
    let (difference, variance) = (change.mean(), change.variance());
    let z = match (difference == 0.0, variance > 0.0) {
        (_, true) => difference / variance.sqrt(),
        (true, false) => 0.0,
        (false, false) => return Err(Error::NoVariance),
    };
    let p = libm::erfc(z.abs() / std::f64::consts::SQRT_2);
    let Interval { low, high } = Interval::normal(difference, variance).cut(-1.0, 1.0);
    Ok(PairedTest { difference, low, high, z, p })
}

/// Placement values, before they are divided by the size of the other class: how many images of the other class each
/// image is ranked rightly against, ties counting one half. Kept undivided so that equal values stay exactly equal.
struct Placements {
    positive: Vec<f64>,
    negative: Vec<f64>,
}

impl Placements {
    /// From midranks among all images and midranks within the class: Sun & Xu 2014, equations 5–8.
    fn new(scores: &[f64], positive: &[bool]) -> Self {
        let of_class = |class: bool| -> Vec<f64> {
            scores.iter().zip(positive).filter(|&(_, &p)| p == class).map(|(&score, _)| score).collect()
        };
        let mut within_positive = Ranking::new(&of_class(true)).midranks().into_iter();
        let mut within_negative = Ranking::new(&of_class(false)).midranks().into_iter();
        let positives = within_positive.len() as f64;
        let mut placements = Self { positive: Vec::new(), negative: Vec::new() };
        for (rank, &is_positive) in Ranking::new(scores).midranks().into_iter().zip(positive) {
            if is_positive {
                placements.positive.extend(within_positive.next().map(|within| rank - within));
            } else {
                placements.negative.extend(within_negative.next().map(|within| positives - (rank - within)));
            }
        }
        placements
    }

    fn less(&self, other: &Self) -> Self {
        let less = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        Self {
            positive: less(&self.positive, &other.positive),
            negative: less(&self.negative, &other.negative),
        }
    }

    /// The AUROC, or the difference of two.
    fn mean(&self) -> f64 {
        mean(&self.positive) / self.negative.len() as f64
    }

    /// `DeLong`'s variance of the mean.
    fn variance(&self) -> f64 {
        let (positives, negatives) = (self.positive.len() as f64, self.negative.len() as f64);
        variance(&self.positive) / (positives * negatives.powi(2))
            + variance(&self.negative) / (negatives * positives.powi(2))
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64
}

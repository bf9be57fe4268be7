//! Methods that were trained several times: what the seed alone changes, and what is left between two methods.

use serde::{Deserialize, Serialize};

use crate::auroc::Ranking;
use crate::error::{check, same_length};
use crate::{Bootstrap, Compared, Error, Figure, Interval, compared};

/// Mean and standard deviation over seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// Sample standard deviation (n − 1), not the error of the mean; `None` for a single value.
    pub deviation: Option<f64>,
    /// How many there are.
    pub seeds: usize,
}

impl Spread {
    /// Of these values, one for each seed; `None` without any.
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
        (!values.is_empty()).then_some(Self { mean, deviation, seeds: values.len() })
    }
}

/// A method less the first one: the difference of their means over seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// On all images.
    pub value: f64,
    /// Its 95 % interval, patients resampled.
    pub interval: Interval,
    /// Two-sided p value of "no difference": twice the smaller share of resamples at or beyond 0, one added to each count
    /// (Davison & Hinkley 1997, section 4.2), at most 1.
    pub p: f64,
}

/// The AUROC of a method over its seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeededAuroc {
    /// Over seeds, on all images.
    pub spread: Spread,
    /// 95 % interval of the mean over seeds, patients resampled.
    pub interval: Interval,
    /// Less the first method, on the same resamples; for the first method 0 to 0, p = 1.
    pub difference: Difference,
}

/// Compares methods that were trained with several seeds each, on the same images: every model of every method is
/// measured on the same resampled patients, and the areas of a method are averaged over its seeds within each resample.
///
/// `methods` holds for each method one column of scores per seed. The intervals answer for the choice of patients, the
/// models being what they are; [`Spread`] tells what another seed changes. Fails like
/// [`clustered_auroc`](crate::clustered_auroc), and for a method without seeds.
pub fn seeded_auroc<P: Ord>(
    methods: &[Vec<&[f64]>],
    positive: &[bool],
    patients: &[P],
    bootstrap: Bootstrap,
) -> Result<Vec<SeededAuroc>, Error> {
    same_length("patients", patients.len(), "classes", positive.len())?;
    for method in methods {
        if method.is_empty() {
            return Err(Error::Setting { name: "seeds of a method", value: 0.0, allowed: "1 or more" });
        }
        for scores in method {
            check(scores, positive, 1)?;
        }
    }
    let rankings: Vec<Vec<Ranking>> =
        methods.iter().map(|method| method.iter().map(|scores| Ranking::new(scores)).collect()).collect();
    let areas = |method: &[Ranking], counts: &[u32]| -> Option<Vec<f64>> {
        method.iter().map(|ranking| ranking.auroc(positive, counts)).collect()
    };
    let means = rankings.iter().map(|method| {
        |counts: &[u32]| areas(method, counts).map(|areas| areas.iter().sum::<f64>() / areas.len() as f64)
    });
    let means: Vec<_> = means.collect();
    let means: Vec<Figure> = means.iter().map(|mean| mean as Figure).collect();
    let compared = compared(&means, patients, bootstrap)?.expect("both classes are present");
    let ones = vec![1; positive.len()];
    let spread = |method: &[Ranking]| Spread::of(&areas(method, &ones)?);
    Ok(rankings
        .iter()
        .zip(compared)
        .map(|(method, Compared { interval, difference, .. })| SeededAuroc {
            spread: spread(method).expect("both classes are present, and a method has seeds"),
            interval,
            difference,
        })
        .collect())
}

/// The two-sided p value of 0 among resampled differences.
pub(crate) fn two_sided(differences: &[f64]) -> f64 {
    let share = |beyond: fn(&f64) -> bool| {
        (1 + differences.iter().filter(|difference| beyond(difference)).count()) as f64
            / (1 + differences.len()) as f64
    };
    (2.0 * share(|difference| *difference <= 0.0).min(share(|difference| *difference >= 0.0))).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{auroc, clustered_auroc};

    const POSITIVE: [bool; 10] = [true, false, true, false, true, false, true, false, true, false];
    /// Five patients with an image of each class.
    const PATIENTS: [u8; 10] = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4];
    const FIRST: [[f64; 10]; 2] =
        [[5., 4., 2., 3., 7., 6., 1., 8., 9., 2.], [3., 4., 5., 1., 6., 7., 2., 9., 8., 2.]];
    const SECOND: [[f64; 10]; 3] = [
        [5., 1., 6., 3., 7., 2., 3., 8., 9., 2.],
        [6., 4., 5., 1., 6., 2., 8., 9., 8., 2.],
        [3., 1., 4., 1., 5., 6., 2., 6., 5., 3.],
    ];

    fn methods() -> [Vec<&'static [f64]>; 2] {
        [
            FIRST.iter().map(<[f64; 10]>::as_slice).collect(),
            SECOND.iter().map(<[f64; 10]>::as_slice).collect(),
        ]
    }

    fn mean_of(method: &[&[f64]], rows: &[usize]) -> f64 {
        let positive: Vec<bool> = rows.iter().map(|row| POSITIVE[*row]).collect();
        let area = |scores: &&[f64]| {
            auroc(&rows.iter().map(|row| scores[*row]).collect::<Vec<_>>(), &positive).unwrap()
        };
        method.iter().map(area).sum::<f64>() / method.len() as f64
    }

    /// Every way to draw five patients out of five, each as likely as any other.
    fn every_resample() -> Vec<Vec<usize>> {
        (0..5_usize.pow(5))
            .map(|number| {
                let drawn = (0..5).map(|digit| number / 5_usize.pow(digit) % 5);
                drawn.flat_map(|patient| [2 * patient, 2 * patient + 1]).collect()
            })
            .collect()
    }

    #[test]
    fn agrees_with_every_resample_there_is() {
        let methods = methods();
        let found =
            seeded_auroc(&methods, &POSITIVE, &PATIENTS, Bootstrap { draws: 40_000, seed: 3 }).unwrap();
        let all: Vec<usize> = (0..10).collect();
        let mut differences: Vec<f64> = every_resample()
            .iter()
            .map(|rows| mean_of(&methods[1], rows) - mean_of(&methods[0], rows))
            .collect();
        differences.sort_unstable_by(f64::total_cmp);
        let share = |beyond: fn(f64) -> bool| {
            differences.iter().filter(|value| beyond(**value)).count() as f64 / differences.len() as f64
        };
        let p = 2.0 * share(|value| value <= 0.0).min(share(|value| value >= 0.0));
        let Difference { value, interval, p: estimated } = found[1].difference;
        assert!((value - (mean_of(&methods[1], &all) - mean_of(&methods[0], &all))).abs() < 1e-12);
        // Two standard errors of the estimate from 40,000 draws are 0.005 at most.
        assert!((estimated - p).abs() < 0.01 && (0.005..0.5).contains(&p), "{estimated} for {p}");
        let exact = Interval::percentile(differences);
        let close = |a: f64, b: f64| (a - b).abs() < 0.02;
        assert!(close(interval.low, exact.low) && close(interval.high, exact.high), "{interval:?} {exact:?}");
    }

    #[test]
    fn the_mean_and_the_deviation_are_over_seeds() {
        let found = seeded_auroc(&methods(), &POSITIVE, &PATIENTS, Bootstrap { draws: 50, seed: 0 }).unwrap();
        let areas = SECOND.map(|scores| auroc(&scores, &POSITIVE).unwrap());
        let mean = areas.iter().sum::<f64>() / 3.0;
        let variance = areas.iter().map(|area| (area - mean).powi(2)).sum::<f64>() / 2.0;
        let Spread { mean: found_mean, deviation, seeds } = found[1].spread;
        assert!((found_mean - mean).abs() < 1e-12 && (deviation.unwrap() - variance.sqrt()).abs() < 1e-12);
        assert_eq!(seeds, 3);
        assert_eq!(found[0].difference.interval, Interval { low: 0.0, high: 0.0 });
        assert!((found[0].difference.p - 1.0).abs() < 1e-12);
    }

    #[test]
    fn one_seed_is_the_plain_comparison() {
        let bootstrap = Bootstrap { draws: 300, seed: 5 };
        let (a, b): (&[f64], &[f64]) = (&FIRST[0], &SECOND[0]);
        let seeded = seeded_auroc(&[vec![a], vec![b]], &POSITIVE, &PATIENTS, bootstrap).unwrap();
        let plain = clustered_auroc(&[a, b], &POSITIVE, &PATIENTS, bootstrap).unwrap();
        for (seeded, plain) in seeded.iter().zip(plain) {
            assert_eq!(
                (seeded.interval, seeded.difference.interval),
                (plain.interval, plain.difference.interval)
            );
            assert_eq!((seeded.spread.mean, seeded.spread.deviation), (plain.value, None));
        }
    }

    #[test]
    fn a_method_without_seeds_is_refused() {
        let found = seeded_auroc(&[vec![]], &POSITIVE, &PATIENTS, Bootstrap::default());
        assert!(matches!(found, Err(Error::Setting { .. })), "{found:?}");
    }

    #[test]
    fn the_spread_is_the_standard_deviation_not_the_error() {
        let spread = Spread::of(&[0.7, 0.8, 0.9, 0.8]).unwrap();
        assert!((spread.mean - 0.8).abs() < 1e-12);
        assert!((spread.deviation.unwrap() - (0.02_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(Spread::of(&[0.7]).unwrap().deviation, None);
        assert_eq!(Spread::of(&[]), None);
    }
}

//! Intervals that respect patients: the images of one patient resemble each other, so patients are resampled whole.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::auroc::Ranking;
use crate::error::{check, same_length};
use crate::{Compared, Error, Figure, Interval, compared};

/// How to resample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// Number of resamples.
    pub draws: usize,
    /// Seed of the random numbers.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { draws: 2000, seed: 0 }
    }
}

/// Percentile 95 % intervals of any statistics, with patients resampled with replacement (Efron & Tibshirani 1993,
/// chapter 13; Obuchowski 1997 for clustered ROC data).
///
/// `patients` names the patient of every row. `statistics` is given how often each row stands in the resample and
/// returns the numbers of interest, always equally many: every model is thus measured on the same resamples. `None`
/// means that the resample leaves them undefined; such resamples are left out. The same seed gives the same intervals,
/// whatever the order of the rows and the number of threads.
///
/// Fails when there are no draws or no rows, or when more than half of the resamples are undefined.
pub fn clustered_bootstrap<P: Ord>(
    patients: &[P],
    bootstrap: Bootstrap,
    statistics: impl Fn(&[u32]) -> Option<Vec<f64>> + Sync,
) -> Result<Vec<Interval>, Error> {
    let resampled = resampled(patients, bootstrap, statistics)?;
    Ok(resampled.into_iter().map(Interval::percentile).collect())
}

/// The values of each statistic in the resamples that define it, as [`clustered_bootstrap`] draws them.
pub(crate) fn resampled<P: Ord>(
    patients: &[P],
    bootstrap: Bootstrap,
    statistics: impl Fn(&[u32]) -> Option<Vec<f64>> + Sync,
) -> Result<Vec<Vec<f64>>, Error> {
    let Bootstrap { draws, seed } = bootstrap;
    if draws == 0 {
        return Err(Error::Setting { name: "draws", value: 0.0, allowed: "1 or more" });
    }
    let patient_of_row = number_patients(patients);
    let number_of_patients = patient_of_row.iter().max().map_or(0, |last| last + 1);
    if number_of_patients == 0 {
        return Err(Error::Undefined { undefined: draws, draws });
    }
    let resamples = (0..draws as u64).into_par_iter().map(|draw| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(draw);
        let mut drawn = vec![0_u32; number_of_patients];
        for _ in 0..number_of_patients {
            drawn[rng.random_range(0..number_of_patients)] += 1;
        }
        let counts: Vec<u32> = patient_of_row.iter().map(|&patient| drawn[patient]).collect();
        statistics(&counts)
    });
    let defined: Vec<Vec<f64>> = resamples.collect::<Vec<_>>().into_iter().flatten().collect();
    let undefined = draws - defined.len();
    if 2 * undefined > draws {
        return Err(Error::Undefined { undefined, draws });
    }
    let number = defined.first().map_or(0, Vec::len);
    Ok((0..number).map(|statistic| defined.iter().map(|values| values[statistic]).collect()).collect())
}

/// Patient-clustered intervals of the AUROC of several models on the same images, and of each model's difference to
/// the first, all on the same resamples.
///
/// `models` holds one column of scores per model. Fails like [`auroc`](crate::auroc()) and [`clustered_bootstrap`].
pub fn clustered_auroc<P: Ord>(
    models: &[&[f64]],
    positive: &[bool],
    patients: &[P],
    bootstrap: Bootstrap,
) -> Result<Vec<Compared>, Error> {
    same_length("patients", patients.len(), "classes", positive.len())?;
    for scores in models {
        check(scores, positive, 1)?;
    }
    let rankings: Vec<Ranking> = models.iter().map(|scores| Ranking::new(scores)).collect();
    let areas = rankings.iter().map(|ranking| |counts: &[u32]| ranking.auroc(positive, counts));
    let areas: Vec<_> = areas.collect();
    let areas: Vec<Figure> = areas.iter().map(|area| area as Figure).collect();
    Ok(compared(&areas, patients, bootstrap)?.expect("both classes are present"))
}

/// The patient of every row as a number, in the order of the names.
fn number_patients<P: Ord>(patients: &[P]) -> Vec<usize> {
    let mut names: Vec<&P> = patients.iter().collect();
    names.sort_unstable();
    names.dedup();
    patients.iter().map(|patient| names.partition_point(|name| *name < patient)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delong;

    /// 400 images of overlapping classes, `repeats` images per patient, all alike.
    fn study(repeats: usize) -> (Vec<f64>, Vec<bool>, Vec<usize>) {
        let patients: Vec<usize> = (0..400).map(|row| row / repeats).collect();
        let positive: Vec<bool> = patients.iter().map(|patient| patient % 2 == 0).collect();
        let scores = patients
            .iter()
            .zip(&positive)
            .map(|(&patient, &positive)| ((patient * 37) % 101) as f64 + if positive { 30.0 } else { 0.0 })
            .collect();
        (scores, positive, patients)
    }

    #[test]
    fn agrees_with_delong_when_every_image_is_its_own_patient() {
        let (scores, positive, patients) = study(1);
        let delong = delong(&scores, &positive).unwrap();
        let clustered = clustered_auroc(&[&scores], &positive, &patients, Bootstrap::default()).unwrap()[0];
        let width = delong.high - delong.low;
        assert!((clustered.value - delong.value).abs() < 1e-12);
        assert!((clustered.interval.low - delong.low).abs() < 0.1 * width, "{clustered:?} {delong:?}");
        assert!((clustered.interval.high - delong.high).abs() < 0.1 * width, "{clustered:?} {delong:?}");
    }

    #[test]
    fn four_like_images_per_patient_double_the_width() {
        let (scores, positive, patients) = study(4);
        let by_image: Vec<usize> = (0..positive.len()).collect();
        let width = |patients: &[usize]| {
            let interval =
                clustered_auroc(&[&scores], &positive, patients, Bootstrap::default()).unwrap()[0].interval;
            interval.high - interval.low
        };
        let ratio = width(&patients) / width(&by_image);
        assert!((1.7..2.3).contains(&ratio), "{ratio}");
    }

    #[test]
    fn the_order_of_the_rows_does_not_matter_and_the_seed_does() {
        let (scores, positive, patients) = study(2);
        let run = |rows: &[usize], seed| {
            clustered_auroc(
                &[&rows.iter().map(|&row| scores[row]).collect::<Vec<_>>()],
                &rows.iter().map(|&row| positive[row]).collect::<Vec<_>>(),
                &rows.iter().map(|&row| patients[row]).collect::<Vec<_>>(),
                Bootstrap { draws: 200, seed },
            )
            .unwrap()
        };
        let (forward, backward): (Vec<usize>, Vec<usize>) = ((0..400).collect(), (0..400).rev().collect());
        assert_eq!(run(&forward, 1), run(&backward, 1));
        assert_ne!(run(&forward, 1), run(&forward, 2));
    }

    #[test]
    fn models_share_their_resamples() {
        let (scores, positive, patients) = study(2);
        let mapped: Vec<f64> = scores.iter().map(|score| score.powi(3)).collect();
        let both = clustered_auroc(&[&scores, &mapped], &positive, &patients, Bootstrap::default()).unwrap();
        assert_eq!(both[0].interval, both[1].interval);
        assert_eq!(both[1].difference.interval, Interval { low: 0.0, high: 0.0 });
    }

    #[test]
    fn refuses_when_most_resamples_lack_a_class() {
        let found = clustered_bootstrap(&[0, 1], Bootstrap { draws: 100, seed: 0 }, |counts| {
            (counts[0] == 2).then(|| vec![0.0])
        });
        assert!(matches!(found, Err(Error::Undefined { draws: 100, .. })), "{found:?}");
        let none = clustered_bootstrap::<u8>(&[], Bootstrap::default(), |_| Some(vec![]));
        assert!(none.is_err());
    }
}

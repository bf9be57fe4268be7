//! Any figure of several models on the same images, and what it is less the first model's.

use serde::{Deserialize, Serialize};

use crate::bootstrap::resampled;
use crate::seeds::two_sided;
use crate::{Bootstrap, Difference, Error, Estimate, Interval, defined};

/// A figure of one of several models.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// On all images.
    pub value: f64,
    /// Its 95 % interval, patients resampled.
    pub interval: Interval,
    /// Less the first model's, on the same resamples; for the first model 0 to 0, p = 1.
    pub difference: Difference,
}

/// A figure of images of which each stands so many times; `None` where it is undefined.
pub type Figure<'a> = &'a (dyn Fn(&[u32]) -> Option<f64> + Sync);

/// Each model's figure with its patient-clustered interval and its difference to the first, all on the same resamples.
/// `None` where a figure is undefined on the images themselves.
///
/// Fails like [`clustered_bootstrap`](crate::clustered_bootstrap).
pub fn compared<P: Ord>(
    models: &[Figure<'_>],
    patients: &[P],
    bootstrap: Bootstrap,
) -> Result<Option<Vec<Compared>>, Error> {
    let figures = |counts: &[u32]| models.iter().map(|model| model(counts)).collect::<Option<Vec<f64>>>();
    let Some(values) = figures(&vec![1; patients.len()]) else { return Ok(None) };
    let resampled = resampled(patients, bootstrap, figures)?;
    let compared = values.iter().zip(&resampled).map(|(value, drawn)| {
        let differences: Vec<f64> = drawn.iter().zip(&resampled[0]).map(|(own, first)| own - first).collect();
        Compared {
            value: *value,
            interval: Interval::percentile(drawn.clone()),
            difference: Difference {
                value: value - values[0],
                p: two_sided(&differences),
                interval: Interval::percentile(differences),
            },
        }
    });
    Ok(Some(compared.collect()))
}

/// A figure with its interval; `None` where it is undefined on the images themselves, or the patients are too few.
pub(crate) fn estimate<P: Ord>(
    figure: Figure<'_>,
    patients: &[P],
    bootstrap: Bootstrap,
) -> Result<Option<Estimate>, Error> {
    let found = defined(compared(&[figure], patients, bootstrap))?.flatten();
    Ok(found.map(|found| {
        let Compared { value, interval: Interval { low, high }, .. } = found[0];
        Estimate { value, low, high }
    }))
}

/// The mean of what each image gives, images that give nothing left out; `None` without any.
pub fn mean_of(values: &[Option<f64>], counts: &[u32]) -> Option<f64> {
    let given = values.iter().zip(counts).filter_map(|(value, count)| Some(((*value)?, f64::from(*count))));
    let (sum, weight) =
        given.fold((0.0, 0.0), |(sum, weight), (value, count)| (sum + value * count, weight + count));
    (weight > 0.0).then(|| sum / weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clustered_auroc;

    #[test]
    fn areas_compared_are_clustered_areas() {
        let positive: Vec<bool> = (0..60).map(|row| row % 3 == 0).collect();
        let patients: Vec<usize> = (0..60).map(|row| row / 2).collect();
        let scores = [7, 11].map(|step| (0..60).map(|row| f64::from(row * step % 31)).collect::<Vec<f64>>());
        let bootstrap = Bootstrap { draws: 200, seed: 4 };
        let known = clustered_auroc(&[&scores[0], &scores[1]], &positive, &patients, bootstrap).unwrap();
        let area = |scores: &[f64], counts: &[u32]| {
            let rows = || (0..60).flat_map(|row| std::iter::repeat_n(row, counts[row] as usize));
            let scores: Vec<f64> = rows().map(|row| scores[row]).collect();
            crate::auroc(&scores, &rows().map(|row| positive[row]).collect::<Vec<_>>()).ok()
        };
        let figures: [Figure; 2] = [&|counts| area(&scores[0], counts), &|counts| area(&scores[1], counts)];
        let found = compared(&figures, &patients, bootstrap).unwrap().unwrap();
        for (found, known) in found.iter().zip(known) {
            assert!((found.value - known.value).abs() < 1e-12);
            assert_eq!(
                (found.interval, found.difference.interval),
                (known.interval, known.difference.interval)
            );
        }
        assert!(found[1].difference.p < 1.0 && (found[0].difference.p - 1.0).abs() < 1e-12);
    }

    #[test]
    fn images_without_a_value_are_left_out() {
        let values = [Some(1.0), None, Some(4.0)];
        assert_eq!(mean_of(&values, &[1, 5, 2]), Some(3.0));
        assert_eq!(mean_of(&values, &[0, 5, 0]), None);
        let nothing: Figure = &|counts| mean_of(&[None, None], counts);
        assert_eq!(compared(&[nothing], &[1, 2], Bootstrap { draws: 5, seed: 0 }).unwrap(), None);
    }
}

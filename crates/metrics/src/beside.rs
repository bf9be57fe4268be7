//! A model's AUROC on a set, beside another model's on the same images.

use serde::{Deserialize, Serialize};

use crate::{Bootstrap, Error, Interval, PairedTest, clustered_auroc, defined, delong_paired};

/// What patients and another model say of a model's AUROC.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beside {
    /// The 95 % interval of the AUROC, patients resampled; `None` without resamples, or with too few patients for them.
    pub by_patient: Option<Interval>,
    /// Less the other model; `None` without one, or where there is nothing to test.
    pub less: Option<Less>,
}

/// A model less another on the same images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Less {
    /// `DeLong`'s paired test.
    #[serde(flatten)]
    pub test: PairedTest,
    /// The 95 % interval of the difference, patients resampled; `None` without resamples.
    pub by_patient: Option<Interval>,
    /// Two-sided p of the difference by the same resamples.
    pub p_by_patient: Option<f64>,
}

/// Holds a model against another, if there is one, on the same resampled patients; no draws, no resamples.
///
/// Fails like [`clustered_auroc`] and [`delong_paired`], but not for too few patients. Two models of different AUROC that
/// both rank almost perfectly leave no variance, and nothing to test: that is no failure.
pub fn beside<P: Ord>(
    scores: &[f64],
    other: Option<&[f64]>,
    positive: &[bool],
    patients: &[P],
    bootstrap: Bootstrap,
) -> Result<Beside, Error> {
    let columns: Vec<&[f64]> = other.into_iter().chain([scores]).collect(); // differences are from the first
    let clustered = (bootstrap.draws > 0).then(|| clustered_auroc(&columns, positive, patients, bootstrap));
    let clustered = clustered.map(defined).transpose()?.flatten();
    let own = clustered.and_then(|models| models.last().copied());
    let test = match other.map(|other| delong_paired(scores, other, positive)) {
        Some(Err(Error::NoVariance)) => None,
        test => test.transpose()?,
    };
    Ok(Beside {
        by_patient: own.map(|own| own.interval),
        less: test.map(|test| Less {
            test,
            by_patient: own.map(|own| own.difference.interval),
            p_by_patient: own.map(|own| own.difference.p),
        }),
    })
}

impl Less {
    /// The p that answers for patients where there is one: of several images of a patient `DeLong`'s test makes several
    /// patients.
    pub fn p(&self) -> f64 {
        self.p_by_patient.unwrap_or(self.test.p)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSITIVE: [bool; 6] = [true, false, true, false, true, false];
    const OWN: [f64; 6] = [3., 1., 2., 4., 5., 0.];
    const OTHER: [f64; 6] = [1., 2., 5., 3., 4., 0.];
    const PATIENTS: [u8; 6] = [0, 0, 1, 1, 2, 2];

    #[test]
    fn another_model_does_not_move_a_models_own_interval() {
        let of = |other| beside(&OWN, other, &POSITIVE, &PATIENTS, Bootstrap::default()).unwrap();
        let (alone, held) = (of(None), of(Some(&OTHER)));
        assert_eq!((alone.by_patient, alone.less), (held.by_patient, None));
        let less = held.less.unwrap();
        assert_eq!(less.test, delong_paired(&OWN, &OTHER, &POSITIVE).unwrap());
        assert!(less.by_patient.unwrap().low < less.test.difference);
    }

    #[test]
    fn without_draws_there_are_no_intervals_and_without_variance_no_test() {
        let none = Bootstrap { draws: 0, ..Bootstrap::default() };
        let found = beside(&OWN, Some(&OTHER), &POSITIVE, &PATIENTS, none).unwrap();
        assert_eq!((found.by_patient, found.less.unwrap().by_patient), (None, None));
        let perfect = POSITIVE.map(f64::from);
        let found = beside(&perfect, Some(&[0.0; 6]), &POSITIVE, &PATIENTS, none).unwrap();
        assert_eq!(found.less, None);
    }
}

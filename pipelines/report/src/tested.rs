//! A model's figures on one test set.

use metrics::{
    Bootstrap, average_precision, calibration, clustered_auroc, delong, delong_paired, roc_curve,
    sensitivity_at_specificity, specificity_at_sensitivity,
};
use report::{Comparison, Measures, Probe, TestResult};
use schema::{Prediction, same_images, scored};
use stage::{Fallible, Result};

/// How intervals are made by resampling patients; no draws, no such intervals.
pub(crate) struct Bootstrapped {
    pub(crate) draws: usize,
    pub(crate) seed: u64,
}

/// Bins of the reliability curve.
const BINS: usize = 15;

/// The figures of a model on a set, and against the naturally trained one on the same images.
pub(crate) fn test_result(
    rows: &[&Prediction],
    natural: Option<(&str, Vec<&Prediction>)>,
    bootstrap: &Bootstrapped,
    probe: Option<Probe>,
) -> Result<TestResult> {
    let (scores, positive) = scored(rows.iter().copied());
    let patients: Vec<&str> = rows.iter().map(|row| row.patient_key.as_str()).collect();
    let probabilities: Vec<f64> = rows.iter().map(|row| row.probability()).collect();
    let natural = natural.filter(|(_, others)| same_images(rows, others));
    let natural = natural.map(|(name, others)| (name, scored(others).0));

    // The natural model stands first: differences are taken against it, on the same resamples.
    let columns: Vec<&[f64]> =
        natural.iter().map(|(_, scores)| scores.as_slice()).chain([scores.as_slice()]).collect();
    let clustered = match bootstrap.draws {
        0 => None,
        draws => {
            let bootstrap = Bootstrap { draws, seed: bootstrap.seed };
            Some(clustered_auroc(&columns, &positive, &patients, bootstrap).or_other()?)
        }
    };
    let own = clustered.as_ref().and_then(|models| models.last());
    let versus_natural = match &natural {
        Some((name, others)) => match delong_paired(&scores, others, &positive) {
            Ok(test) => Some(Comparison {
                natural: (*name).to_owned(),
                test,
                by_patient: own.map(|own| own.difference),
            }),
            Err(metrics::Error::NoVariance) => None, // both rank almost perfectly: there is nothing to test
            Err(error) => return Err(error).or_other(),
        },
        None => None,
    };
    let calibration = calibration(&probabilities, &positive, BINS).or_other()?;
    let patient_count = patients.iter().collect::<std::collections::BTreeSet<_>>().len();
    Ok(TestResult {
        images: rows.len(),
        patients: patient_count,
        auroc: delong(&scores, &positive).or_other()?,
        by_patient: own.map(|own| own.interval),
        roc: roc_curve(&scores, &positive).or_other()?,
        reliability: calibration.bins,
        versus_natural,
        measures: Some(Measures {
            average_precision: average_precision(&scores, &positive).or_other()?,
            sensitivity_at_95_specificity: sensitivity_at_specificity(&scores, &positive, 0.95)
                .or_other()?
                .sensitivity,
            specificity_at_95_sensitivity: specificity_at_sensitivity(&scores, &positive, 0.95)
                .or_other()?
                .specificity,
            calibration_error: calibration.expected_error,
        }),
        probe,
    })
}

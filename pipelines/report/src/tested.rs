//! A model's figures on one test set.

use metrics::{Bootstrap, SetFigures, clustered_auroc, delong, delong_paired, roc_band, roc_curve};
use report::{Comparison, Probe, TestResult};
use schema::{Prediction, same_images, scored};
use stage::{Fallible, Result};

/// How intervals are made by resampling patients; no draws, no such intervals.
pub(crate) struct Bootstrapped {
    pub(crate) draws: usize,
    pub(crate) seed: u64,
}

/// Steps of the band around a ROC curve.
const STEPS: usize = 50;

/// The figures of a model on a set, and against the naturally trained one on the same images.
pub(crate) fn test_result(
    rows: &[&Prediction],
    natural: Option<(&str, Vec<&Prediction>)>,
    figures: SetFigures,
    bootstrap: &Bootstrapped,
    probes: Vec<Probe>,
) -> Result<TestResult> {
    let (scores, positive) = scored(rows.iter().copied());
    let patients: Vec<&str> = rows.iter().map(|row| row.patient_key.as_str()).collect();
    let natural = natural.filter(|(_, others)| same_images(rows, others));
    let natural = natural.map(|(name, others)| (name, scored(others).0));

    // The natural model stands first: differences are taken against it, on the same resamples.
    let columns: Vec<&[f64]> =
        natural.iter().map(|(_, scores)| scores.as_slice()).chain([scores.as_slice()]).collect();
    let (clustered, roc_band) = match bootstrap.draws {
        0 => (None, Vec::new()),
        draws => {
            let bootstrap = Bootstrap { draws, seed: bootstrap.seed };
            let clustered = clustered_auroc(&columns, &positive, &patients, bootstrap).or_other()?;
            (Some(clustered), roc_band(&scores, &positive, &patients, STEPS, bootstrap).or_other()?)
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
    let patient_count = patients.iter().collect::<std::collections::BTreeSet<_>>().len();
    Ok(TestResult {
        images: rows.len(),
        patients: patient_count,
        auroc: delong(&scores, &positive).or_other()?,
        by_patient: own.map(|own| own.interval),
        roc: roc_curve(&scores, &positive).or_other()?,
        roc_band,
        versus_natural,
        figures,
        probes,
    })
}

//! A model's figures on one test set.

use metrics::{Beside, Bootstrap, SetFigures, beside, defined, delong, roc_band, roc_curve};
use report::{Comparison, TestResult};
use schema::{Prediction, same_images, scored};
use stage::{Fallible, Result};

/// Steps of the band around a ROC curve.
const STEPS: usize = 50;

/// The figures of a model on a set, and against the naturally trained one on the same images; no draws, no intervals over
/// patients.
pub(crate) fn test_result(
    rows: &[&Prediction],
    natural: Option<(&str, Vec<&Prediction>)>,
    figures: SetFigures,
    bootstrap: Bootstrap,
) -> Result<TestResult> {
    let (scores, positive) = scored(rows.iter().copied());
    let patients: Vec<&str> = rows.iter().map(|row| row.patient_key.as_str()).collect();
    let natural = natural.filter(|(_, others)| same_images(rows, others));
    let natural = natural.map(|(name, others)| (name, scored(others).0));

    let others = natural.as_ref().map(|(_, others)| others.as_slice());
    let Beside { by_patient, less } = beside(&scores, others, &positive, &patients, bootstrap).or_other()?;
    let versus_natural =
        natural.zip(less).map(|((name, _), less)| Comparison { natural: name.to_owned(), less });
    let roc_band = match bootstrap.draws {
        0 => Vec::new(),
        _ => {
            defined(roc_band(&scores, &positive, &patients, STEPS, bootstrap)).or_other()?.unwrap_or_default()
        }
    };
    let patient_count = patients.iter().collect::<std::collections::BTreeSet<_>>().len();
    Ok(TestResult {
        images: rows.len(),
        patients: patient_count,
        auroc: delong(&scores, &positive).or_other()?,
        by_patient,
        roc: roc_curve(&scores, &positive).or_other()?,
        roc_band,
        versus_natural,
        figures,
    })
}

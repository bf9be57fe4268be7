//! Models against others on the same images.

use metrics::{Bootstrap, Difference, defined, seeded_auroc};
use schema::{Prediction, same_images, scored};

/// The mean AUROC of some models less that of others, patients resampled; each model by its predictions on one test set.
/// `None` where there are no models or no images, or not the same ones, or too few patients.
pub fn mean_difference(
    models: &[Vec<&Prediction>],
    others: &[Vec<&Prediction>],
    bootstrap: Bootstrap,
) -> Result<Option<Difference>, metrics::Error> {
    let (Some(rows), false) = (others.first(), models.is_empty()) else { return Ok(None) };
    if rows.is_empty() || !others.iter().chain(models).all(|other| same_images(rows, other)) {
        return Ok(None);
    }
    let scores = [others, models].map(|models| {
        let column = |rows: &Vec<&Prediction>| scored(rows.iter().copied()).0;
        models.iter().map(column).collect::<Vec<_>>()
    });
    let methods = scores.each_ref().map(|models| models.iter().map(Vec::as_slice).collect());
    let (_, positive) = scored(rows.iter().copied());
    let patients: Vec<&str> = rows.iter().map(|row| row.patient_key.as_str()).collect();
    let seeded = defined(seeded_auroc(&methods, &positive, &patients, bootstrap))?;
    Ok(seeded.map(|methods| methods[1].difference))
}

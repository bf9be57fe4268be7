//! How alike two columns of numbers are.

use crate::Error;
use crate::auroc::Ranking;
use crate::error::same_length;

/// Spearman's rank correlation, ties by midranks: in `[-1, 1]`; `None` where one column has a single value throughout.
///
/// Fails when the columns differ in length, or one has a NaN.
pub fn rank_correlation(a: &[f64], b: &[f64]) -> Result<Option<f64>, Error> {
    same_length("the first column", a.len(), "the second", b.len())?;
    for column in [a, b] {
        if let Some(index) = column.iter().position(|value| value.is_nan()) {
            return Err(Error::NotANumber { index });
        }
    }
    let centred = |column: &[f64]| -> Vec<f64> {
        let middle = (column.len() + 1) as f64 / 2.0;
        Ranking::new(column).midranks().into_iter().map(|rank| rank - middle).collect()
    };
    let (a, b) = (centred(a), centred(b));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let scale = (product(&a, &a) * product(&b, &b)).sqrt();
    Ok((scale > 0.0).then(|| product(&a, &b) / scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_pearsons_of_the_ranks() {
        let of = |a: &[f64], b: &[f64]| rank_correlation(a, b).unwrap();
        assert_eq!(of(&[1.0, 5.0, 7.0], &[-2.0, 0.0, 100.0]), Some(1.0));
        assert_eq!(of(&[1.0, 5.0, 7.0], &[3.0, 2.0, 1.0]), Some(-1.0));
        assert_eq!(of(&[1.0, 1.0, 1.0], &[3.0, 2.0, 1.0]), None);
        // Pearson's correlation of 1, 2.5, 2.5, 4, 5 with 1, 2, 3.5, 5, 3.5.
        let tied = of(&[1.0, 2.0, 2.0, 4.0, 5.0], &[5.0, 6.0, 7.0, 8.0, 7.0]).unwrap();
        assert!((tied - 0.763_157_894_736_842_1).abs() < 1e-12, "{tied}");
        assert!(rank_correlation(&[1.0], &[1.0, 2.0]).is_err());
        assert!(rank_correlation(&[f64::NAN, 1.0], &[1.0, 2.0]).is_err());
    }
}

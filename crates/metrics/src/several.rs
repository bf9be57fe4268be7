//! Several classes or findings at once: one ROC curve each, one against all others, and their plain mean.

use serde::{Deserialize, Serialize};

use crate::auroc::Ranking;
use crate::compared::estimate;
use crate::error::{check, same_length};
use crate::{Bootstrap, Error, Estimate, Figure, auroc};

/// A class or finding on a set of images: one column of [`several_auroc`].
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Higher is more likely.
    pub scores: Vec<f64>,
    /// Whether it holds of each image.
    pub holds: Vec<bool>,
}

/// The columns at these `places`, of what each image's row of scores says and of what holds of it.
pub fn columns(
    scores: &[Vec<f64>],
    holds: &[Vec<bool>],
    places: impl IntoIterator<Item = usize>,
) -> Vec<Column> {
    let column = |place: usize| Column {
        scores: scores.iter().map(|scores| scores[place]).collect(),
        holds: holds.iter().map(|holds| holds[place]).collect(),
    };
    places.into_iter().map(column).collect()
}

/// The areas of several classes or findings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeveralAuroc {
    /// Each column's area with its interval; `None` where the images are all of one kind, or too few to be resampled.
    pub each: Vec<Option<Estimate>>,
    /// The mean of the areas that there are, and its interval.
    pub mean: Estimate,
}

/// The mean of the columns' areas; columns whose images are all of one kind have none and are left out.
///
/// Fails when a score is NaN, columns differ in length, or no column has an area.
pub fn mean_auroc(columns: &[Column]) -> Result<f64, Error> {
    let mut areas = Vec::new();
    for column in columns {
        match auroc(&column.scores, &column.holds) {
            Ok(area) => areas.push(area),
            Err(Error::TooFew { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    mean(&areas).ok_or(Error::TooFew { positives: 0, negatives: 0, needed: 1 })
}

/// Every column's area, one against all others (Provost & Domingos 2003 without their weights), and the mean, with 95 %
/// intervals over resampled patients.
///
/// A resample in which a column's images are all of one kind counts for nothing in that column, and the mean is then of the
/// others. Fails as [`mean_auroc`], and when most resamples leave the mean undefined.
pub fn several_auroc<P: Ord>(
    columns: &[Column],
    patients: &[P],
    bootstrap: Bootstrap,
) -> Result<SeveralAuroc, Error> {
    for column in columns {
        same_length("patients", patients.len(), "images", column.holds.len())?;
        check(&column.scores, &column.holds, 0)?;
    }
    mean_auroc(columns)?;
    let rankings: Vec<Ranking> = columns.iter().map(|column| Ranking::new(&column.scores)).collect();
    let area = |place: usize, counts: &[u32]| rankings[place].auroc(&columns[place].holds, counts);
    let estimate = |figure: Figure<'_>| estimate(figure, patients, bootstrap);
    let each = (0..columns.len()).map(|place| estimate(&|counts: &[u32]| area(place, counts)));
    let each = each.collect::<Result<Vec<_>, Error>>()?;
    let of_all = |counts: &[u32]| {
        mean(&(0..columns.len()).filter_map(|place| area(place, counts)).collect::<Vec<_>>())
    };
    let undefined = Error::Undefined { undefined: bootstrap.draws, draws: bootstrap.draws };
    Ok(SeveralAuroc { each, mean: estimate(&of_all)?.ok_or(undefined)? })
}

fn mean(areas: &[f64]) -> Option<f64> {
    (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(scores: &[f64], holds: &[bool]) -> Column {
        Column { scores: scores.to_vec(), holds: holds.to_vec() }
    }

    #[test]
    fn a_column_is_what_stands_at_its_place_in_every_row() {
        let (scores, holds) =
            ([vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0]], [vec![true, false, true], vec![false; 3]]);
        let expected = [column(&[3.0, 6.0], &[true, false]), column(&[2.0, 5.0], &[false, false])];
        assert_eq!(columns(&scores, &holds, [2, 1]), expected);
    }

    #[test]
    fn each_is_against_all_others_and_the_mean_is_plain() {
        let columns = [
            column(&[3.0, 1.0, 2.0, 0.0], &[true, true, false, false]), // .75
            column(&[1.0, 2.0, 3.0, 4.0], &[false, false, true, true]), // 1
            column(&[1.0, 2.0, 3.0, 4.0], &[false; 4]),                 // none
        ];
        assert_eq!(mean_auroc(&columns), Ok(0.875));
        let found = several_auroc(&columns, &[1, 2, 3, 4], Bootstrap::default()).unwrap();
        let values: Vec<Option<f64>> = found.each.iter().map(|one| one.map(|one| one.value)).collect();
        assert_eq!((values, found.mean.value), (vec![Some(0.75), Some(1.0), None], 0.875));
        let of_first = found.each[0].unwrap();
        assert!(of_first.low < 0.75 && of_first.high > 0.999, "{of_first:?}");
    }

    #[test]
    fn of_one_column_it_is_the_area_with_its_interval() {
        let scores: Vec<f64> = (0..60).map(|row| f64::from(row * 37 % 61)).collect();
        let holds: Vec<bool> = (0..60).map(|row| row % 3 == 0).collect();
        let patients: Vec<i32> = (0..60).map(|row| row / 2).collect();
        let one = several_auroc(&[column(&scores, &holds)], &patients, Bootstrap::default()).unwrap();
        let expected =
            crate::clustered_auroc(&[&scores], &holds, &patients, Bootstrap::default()).unwrap()[0];
        assert_eq!(one.each, vec![Some(one.mean)]);
        assert_eq!((one.mean.value, one.mean.low), (expected.value, expected.interval.low));
    }

    #[test]
    fn without_any_area_it_fails() {
        let none = [column(&[1.0, 2.0], &[true, true])];
        assert!(matches!(mean_auroc(&none), Err(Error::TooFew { .. })));
        assert!(several_auroc(&none, &[1, 2], Bootstrap::default()).is_err());
        let unequal = [column(&[1.0], &[true, false])];
        assert!(matches!(mean_auroc(&unequal), Err(Error::Lengths { .. })));
    }
}

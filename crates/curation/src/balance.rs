//! Whether the classes are shared out alike.

use schema::{Count, Split};
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Pearson's chi-square test that the share of positives is the same in every split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Balance {
    /// The statistic.
    pub chi_square: f64,
    /// Degrees of freedom: number of splits less one.
    pub freedom: u32,
    /// Probability of so large a statistic when the shares are the same. Images of one patient are not independent, so
    /// a small value may also come from few patients with many images.
    pub p: f64,
}

/// Tests one source's images over train, validation and test; `None` where there are fewer than two splits or only one
/// class.
pub fn label_balance(counts: &[&Count]) -> Option<Balance> {
    let splits: Vec<[f64; 2]> = counts
        .iter()
        .filter(|count| count.split != Split::Ood && count.images > 0)
        .map(|count| [count.negative as f64, count.covid as f64])
        .collect();
    let column = |label: usize| splits.iter().map(|split| split[label]).sum::<f64>();
    let totals = [column(0), column(1)];
    let all = totals[0] + totals[1];
    if splits.len() < 2 || totals.contains(&0.0) {
        return None;
    }
    let chi_square = splits
        .iter()
        .flat_map(|split| {
            let images = split[0] + split[1];
            (0..2).map(move |label| {
                let expected = images * totals[label] / all;
                (split[label] - expected).powi(2) / expected
            })
        })
        .sum();
    let freedom = splits.len() as u32 - 1;
    let p = ChiSquared::new(f64::from(freedom)).ok()?.sf(chi_square);
    Some(Balance { chi_square, freedom, p })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(split: Split, negative: u64, covid: u64) -> Count {
        let images = negative + covid;
        Count { split, source: "s".into(), images, patients: images, negative, covid }
    }

    #[test]
    fn agrees_with_the_sum_by_hand_and_the_closed_tail() {
        let counts =
            [count(Split::Train, 100, 200), count(Split::Validation, 40, 60), count(Split::Test, 30, 90)];
        let balance = label_balance(&counts.iter().collect::<Vec<_>>()).unwrap();
        let total = 520.0;
        let by_hand: f64 = [(100.0, 200.0), (40.0, 60.0), (30.0, 90.0)]
            .iter()
            .map(|(n, c)| {
                let (en, ec) = ((n + c) * 170.0 / total, (n + c) * 350.0 / total);
                (n - en) * (n - en) / en + (c - ec) * (c - ec) / ec
            })
            .sum();
        assert!((balance.chi_square - by_hand).abs() < 1e-12);
        // With two degrees of freedom the tail is exp(-x / 2).
        assert!((balance.p - (-by_hand / 2.0).exp()).abs() < 1e-9, "{balance:?}");
        assert_eq!(balance.freedom, 2);
    }

    #[test]
    fn one_split_or_one_class_has_no_test() {
        assert_eq!(label_balance(&[&count(Split::Ood, 3, 4)]), None);
        assert_eq!(label_balance(&[&count(Split::Train, 3, 0), &count(Split::Test, 4, 0)]), None);
    }
}

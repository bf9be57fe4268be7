//! Whether the greys of two sets of images differ.

use schema::IndexEntry;

/// How a number per image is distributed in two sets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// Its mean over the first set and over the second.
    pub means: [f64; 2],
    /// Kolmogorov–Smirnov statistic: the largest difference of the two distribution functions, `0..=1`.
    pub statistic: f64,
    /// Probability of so large a statistic when both sets come from one distribution (asymptotic).
    pub p: f64,
}

/// Compares a number per image; `None` where a set is empty.
pub fn drift(
    before: &[&IndexEntry],
    after: &[&IndexEntry],
    number: impl Fn(&IndexEntry) -> f32,
) -> Option<Drift> {
    let values = |entries: &[&IndexEntry]| -> Vec<f64> {
        entries.iter().map(|entry| f64::from(number(entry))).collect()
    };
    let (before, after) = (values(before), values(after));
    if before.is_empty() || after.is_empty() {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let means = [mean(&before), mean(&after)];
    let statistic = largest_gap(before.clone(), after.clone());
    let (n, m) = (before.len() as f64, after.len() as f64);
    Some(Drift { means, statistic, p: kolmogorov_tail(statistic * (n * m / (n + m)).sqrt()) })
}

/// The largest difference of the distribution functions of two samples. (statrs 0.19 does not end on samples with ties.)
fn largest_gap(mut one: Vec<f64>, mut other: Vec<f64>) -> f64 {
    one.sort_by(f64::total_cmp);
    other.sort_by(f64::total_cmp);
    let below = |values: &[f64], limit: f64| {
        values.partition_point(|value| *value <= limit) as f64 / values.len() as f64
    };
    one.iter().chain(&other).map(|&at| (below(&one, at) - below(&other, at)).abs()).fold(0.0, f64::max)
}

/// Probability that Kolmogorov's statistic exceeds `x` (Kolmogorov 1933).
fn kolmogorov_tail(x: f64) -> f64 {
    if x < 0.2 {
        return 1.0; // the series converges slowly here; the true value is above 1 - 1e-11
    }
    let term = |k: f64| (-2.0 * k * k * x * x).exp();
    let sum: f64 = (0..50).map(|k| term(f64::from(2 * k + 1)) - term(f64::from(2 * k + 2))).sum();
    (2.0 * sum).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::tests::entry;

    #[test]
    fn the_tail_has_its_tabulated_values() {
        // Critical values of the Kolmogorov distribution for 10 %, 5 % and 1 % (Smirnov 1948).
        for (x, p) in [(1.22385, 0.10), (1.35810, 0.05), (1.62762, 0.01)] {
            assert!((kolmogorov_tail(x) - p).abs() < 1e-5, "{x}: {}", kolmogorov_tail(x));
        }
        assert!((kolmogorov_tail(0.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_statistic_is_the_largest_gap_also_with_ties() {
        let set = |means: &[f32]| -> Vec<IndexEntry> {
            means
                .iter()
                .map(|mean| {
                    let mut one = entry("i", "p");
                    one.traits.mean = *mean;
                    one
                })
                .collect()
        };
        let gap = |a: &[f32], b: &[f32]| {
            let (a, b) = (set(a), set(b));
            let (a, b): (Vec<_>, Vec<_>) = (a.iter().collect(), b.iter().collect());
            drift(&a, &b, |entry| entry.traits.mean).unwrap()
        };
        assert!(gap(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]).statistic.abs() < 1e-12);
        assert!((gap(&[1.0, 2.0, 3.0, 4.0], &[3.0, 4.0, 5.0, 6.0]).statistic - 0.5).abs() < 1e-12);
        let apart = gap(&[1.0; 50], &[2.0; 50]);
        assert!((apart.statistic - 1.0).abs() < 1e-12 && apart.p < 1e-6, "{apart:?}");
        let near = |one: f64, other: f64| (one - other).abs() < 1e-12;
        assert!(near(apart.means[0], 1.0) && near(apart.means[1], 2.0), "{apart:?}");
    }
}

//! The area under the ROC curve.

use crate::Error;
use crate::error::check;

/// Area under the receiver operating characteristic: the probability that a positive image scores above a negative
/// one, ties counting one half (Mann–Whitney with midranks). In `[0, 1]`; 0.5 is chance.
///
/// Fails when the columns differ in length, a score is NaN, or a class is missing.
pub fn auroc(scores: &[f64], positive: &[bool]) -> Result<f64, Error> {
    check(scores, positive, 1)?;
    let ones = vec![1; scores.len()];
    Ok(Ranking::new(scores).auroc(positive, &ones).expect("both classes are present"))
}

/// Rows by ascending score, in groups of equal scores: sorted once, used by every resample.
pub(crate) struct Ranking {
    order: Vec<usize>,
    /// Where each group of equal scores ends in `order`.
    ends: Vec<usize>,
}

impl Ranking {
    pub(crate) fn new(scores: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_unstable_by(|&a, &b| order_of(scores[a], scores[b]));
        let mut end = 0;
        let ends = order
            .chunk_by(|&a, &b| order_of(scores[a], scores[b]).is_eq())
            .map(|group| {
                end += group.len();
                end
            })
            .collect();
        Self { order, ends }
    }

    /// The groups of rows with equal scores, ascending.
    pub(crate) fn groups(&self) -> impl DoubleEndedIterator<Item = &[usize]> {
        (0..self.ends.len()).map(|i| {
            let start = if i == 0 { 0 } else { self.ends[i - 1] };
            &self.order[start..self.ends[i]]
        })
    }

    /// AUROC with row i standing `counts[i]` times; `None` when a class is missing. Exact: it counts in integers.
    pub(crate) fn auroc(&self, positive: &[bool], counts: &[u32]) -> Option<f64> {
        let (mut positives, mut negatives, mut twice_won) = (0_u64, 0_u64, 0_u64);
        for group in self.groups() {
            let (mut up, mut down) = (0_u64, 0_u64);
            for &row in group {
                *(if positive[row] { &mut up } else { &mut down }) += u64::from(counts[row]);
            }
            twice_won += up * (2 * negatives + down);
            positives += up;
            negatives += down;
        }
        let pairs = positives * negatives;
        (pairs > 0).then(|| twice_won as f64 / (2 * pairs) as f64)
    }

    /// The midrank (1-based) of every row.
    pub(crate) fn midranks(&self) -> Vec<f64> {
        let mut ranks = vec![0.0; self.order.len()];
        let mut before = 0;
        for group in self.groups() {
            let rank = before as f64 + (group.len() + 1) as f64 / 2.0;
            for &row in group {
                ranks[row] = rank;
            }
            before += group.len();
        }
        ranks
    }
}

/// Total order of numbers that are not NaN, with −0 equal to 0.
fn order_of(a: f64, b: f64) -> std::cmp::Ordering {
    a.partial_cmp(&b).expect("NaN was refused")
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Scores with many ties, and both classes at least twice.
    pub(crate) fn scored() -> impl Strategy<Value = (Vec<f64>, Vec<bool>)> {
        prop::collection::vec((0_u8..12, any::<bool>()), 4..60)
            .prop_map(|rows| rows.into_iter().map(|(score, class)| (f64::from(score), class)).unzip())
            .prop_filter("two of each class", |(_, positive): &(Vec<f64>, Vec<bool>)| {
                let count = positive.iter().filter(|&&p| p).count();
                count >= 2 && positive.len() - count >= 2
            })
    }

    fn brute_force(scores: &[f64], positive: &[bool]) -> f64 {
        let side = |class| scores.iter().zip(positive).filter(move |(_, p)| **p == class).map(|(s, _)| *s);
        let (mut won, mut pairs) = (0.0, 0.0);
        for up in side(true) {
            for down in side(false) {
                won += if up > down { 1.0 } else { f64::from(u8::from(up >= down)) * 0.5 };
                pairs += 1.0;
            }
        }
        won / pairs
    }

    proptest! {
        #[test]
        fn equals_the_share_of_pairs_won((scores, positive) in scored()) {
            prop_assert!((auroc(&scores, &positive)? - brute_force(&scores, &positive)).abs() < 1e-12);
        }

        #[test]
        fn is_invariant_under_monotone_maps((scores, positive) in scored()) {
            let mapped: Vec<f64> = scores.iter().map(|s| (s / 3.0).exp() - 7.0).collect();
            prop_assert_eq!(auroc(&scores, &positive), auroc(&mapped, &positive));
        }

        #[test]
        fn turns_over_with_the_scores_and_with_the_classes((scores, positive) in scored()) {
            let value = auroc(&scores, &positive)?;
            let negated: Vec<f64> = scores.iter().map(|s| -s).collect();
            let swapped: Vec<bool> = positive.iter().map(|p| !p).collect();
            prop_assert!((auroc(&negated, &positive)? + value - 1.0).abs() < 1e-12);
            prop_assert!((auroc(&scores, &swapped)? + value - 1.0).abs() < 1e-12);
        }

        #[test]
        fn counting_a_row_twice_equals_repeating_it((scores, positive) in scored()) {
            let counts: Vec<u32> = (0..scores.len() as u32).map(|i| 1 + i % 3).collect();
            let rows = || counts.iter().enumerate().flat_map(|(row, &n)| std::iter::repeat_n(row, n as usize));
            let long_scores: Vec<f64> = rows().map(|row| scores[row]).collect();
            let long_positive: Vec<bool> = rows().map(|row| positive[row]).collect();
            let counted = Ranking::new(&scores).auroc(&positive, &counts);
            prop_assert_eq!(counted, auroc(&long_scores, &long_positive).ok());
        }
    }

    #[test]
    fn refuses_what_has_no_answer() {
        assert_eq!(
            auroc(&[0.1, 0.2], &[true, true]),
            Err(Error::TooFew { positives: 2, negatives: 0, needed: 1 })
        );
        assert_eq!(auroc(&[0.1, f64::NAN], &[true, false]), Err(Error::NotANumber { index: 1 }));
        assert!(matches!(auroc(&[0.1], &[true, false]), Err(Error::Lengths { .. })));
        assert_eq!(auroc(&[0.0, -0.0], &[true, false]), Ok(0.5), "negative zero ties with zero");
    }
}

//! Which images of a minibatch are whose.

/// A rank's part of every minibatch: rows in the order of ranks, as equal as they can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Its number, from 0.
    pub rank: usize,
    /// How many ranks there are.
    pub size: usize,
}

/// The rows of a minibatch that a rank passes through its network; there is always one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The first.
    pub first: usize,
    /// How many.
    pub count: usize,
    /// Rows of the minibatch.
    pub of: usize,
    /// Whether they count here. Where there are fewer rows than ranks, a rank without one takes another's, so that all
    /// ranks do the same, and it counts for nothing.
    pub counts: bool,
}

impl Share {
    /// Everything.
    pub const WHOLE: Self = Self { rank: 0, size: 1 };

    /// The part of a minibatch of so many rows.
    pub fn rows(self, of: usize) -> Rows {
        let bound = |rank: usize| of * rank / self.size;
        let (first, end) = (bound(self.rank), bound(self.rank + 1));
        let counts = end > first;
        Rows { first: first.min(of.saturating_sub(1)), count: (end - first).max(1), of, counts }
    }
}

impl Rows {
    /// The part of the minibatch that they are, in `[0, 1]`: what a mean over them counts in the mean over all.
    pub fn weight(self) -> f64 {
        if self.counts { self.count as f64 / self.of as f64 } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::Share;

    #[test]
    fn every_row_counts_once_and_every_rank_has_one() {
        for size in 1..6 {
            for of in 1..20 {
                let rows: Vec<_> = (0..size).map(|rank| Share { rank, size }.rows(of)).collect();
                let mut counted = vec![0; of];
                for rows in &rows {
                    assert!(rows.count > 0 && rows.first + rows.count <= of, "{rows:?}");
                    if rows.counts {
                        counted[rows.first..rows.first + rows.count].iter_mut().for_each(|row| *row += 1);
                    }
                }
                assert_eq!(counted, vec![1; of], "{of} rows, {size} ranks");
                let whole: f64 = rows.iter().map(|rows| rows.weight()).sum();
                assert!((whole - 1.0).abs() < 1e-12);
                let (most, least) = (rows.iter().map(|rows| rows.count), rows.iter().map(|rows| rows.count));
                assert!(most.max().unwrap() - least.min().unwrap() <= 1);
            }
        }
    }
}

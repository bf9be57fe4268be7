//! What came out of an epoch.

use serde::{Deserialize, Serialize};

/// One epoch's figures, each the mean over its images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Number of the epoch, from 1.
    pub epoch: u64,
    /// The loss.
    pub loss: f64,
    /// Cross-entropy on clean images, or on attacked ones where the method sees these alone.
    pub ce: f64,
    /// Divergence between clean and changed images, before its weight.
    pub kl: f64,
    /// The figure of the validation images after the epoch: AUROC, the mean over classes where there are several; of boxes
    /// the average precision at an overlap of one half.
    pub validation_auroc: f64,
    /// Accuracy on one minibatch of validation images under ten steps of PGD at the largest ε; `None` where the method
    /// attacks nothing.
    pub robust_accuracy: Option<f64>,
}

/// The epoch with the largest validation AUROC, the earlier of equals.
pub(crate) fn best(epochs: &[Epoch]) -> Epoch {
    let better = |best: Epoch, epoch: &Epoch| {
        if epoch.validation_auroc > best.validation_auroc { *epoch } else { best }
    };
    epochs[1..].iter().fold(epochs[0], better)
}

/// Whether accuracy under PGD has fallen to less than half of its best in the last epoch, and had not before.
pub(crate) fn collapsed(epochs: &[Epoch]) -> bool {
    let robust: Vec<f64> = epochs.iter().filter_map(|epoch| epoch.robust_accuracy).collect();
    let low = |count: usize| {
        let best = robust[..count].iter().copied().fold(0.0, f64::max);
        count > 0 && robust[count - 1] < best / 2.0
    };
    low(robust.len()) && !low(robust.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collapse_is_told_once_when_it_happens() {
        let epochs = |robust: &[f64]| -> Vec<Epoch> {
            let of = |(epoch, &robust)| Epoch {
                epoch,
                loss: 0.0,
                ce: 0.0,
                kl: 0.0,
                validation_auroc: 0.5,
                robust_accuracy: Some(robust),
            };
            (1..).zip(robust).map(of).collect()
        };
        assert!(!collapsed(&epochs(&[])));
        assert!(!collapsed(&epochs(&[0.6, 0.5, 0.31])));
        assert!(collapsed(&epochs(&[0.6, 0.5, 0.29])));
        assert!(!collapsed(&epochs(&[0.6, 0.29, 0.1])), "it was told before");
        assert!(collapsed(&epochs(&[0.6, 0.2, 0.5, 0.1])), "it had recovered");
    }
}

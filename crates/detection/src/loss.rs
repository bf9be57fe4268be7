//! The loss of a detecting network.

use tch::{Reduction, Tensor};

use crate::{Places, Taught};

/// Weight of findings against background (Lin et al. 2017).
const ALPHA: f64 = 0.25;
/// Keeps the divisions of overlaps finite, as torchvision.
const TINY: f64 = 1e-7;

/// The loss of images, summed: the focal loss of every place, the generalised overlap of boxes and the cross-entropy of
/// centre-ness of the places that tell of a finding; and the number of these places, by which it is to be divided, or by 1
/// where there is none. Output N×L×6, truth N×M×4; scalars of the output's kind.
pub fn loss(output: &Tensor, truth: &Tensor) -> (Tensor, Tensor) {
    let taught = Taught::of(&Places::of(output), truth);
    // Weights of 0 and 1 instead of a choice of rows, whose number a device would have to tell first.
    let weight = taught.finding.to_kind(output.kind());
    let class = focal(&output.select(2, 0), &weight).sum(output.kind());
    let reach = taught.reach.where_self(&taught.finding.unsqueeze(-1), &output.narrow(2, 1, 4).ones_like());
    let overlap = generalised_overlap_loss(&output.narrow(2, 1, 4), &reach) * &weight;
    let target = taught.centre.where_self(&taught.finding, &weight.zeros_like());
    let centre = output.select(2, 5).binary_cross_entropy_with_logits(
        &target,
        Some(&weight),
        None::<&Tensor>,
        Reduction::Sum,
    );
    (class + overlap.sum(output.kind()) + centre, taught.count().to_kind(output.kind()))
}

/// The focal loss of each logit, −α(1 − p)² log p of a finding and −(1 − α)p² log(1 − p) of background (Lin et al. 2017,
/// equation 5); `truth` is 1 or 0.
pub fn focal(logits: &Tensor, truth: &Tensor) -> Tensor {
    let signed = logits * (truth * 2.0 - 1.0); // the logit of what is true
    let weight = truth * (2.0 * ALPHA - 1.0) + (1.0 - ALPHA);
    -weight * signed.neg().sigmoid().square() * signed.log_sigmoid()
}

/// 1 less the generalised overlap (Rezatofighi et al. 2019) of boxes around the same places, whose edges are so far: …×4 and …×4, not negative.
pub fn generalised_overlap_loss(a: &Tensor, b: &Tensor) -> Tensor {
    let product = |extent: &Tensor| extent.select(-1, 0) * extent.select(-1, 1);
    let extent = |reach: &Tensor| reach.narrow(-1, 0, 2) + reach.narrow(-1, 2, 2);
    let area = |reach: &Tensor| product(&extent(reach));
    let common = area(&a.minimum(b));
    let union = area(a) + area(b) - &common;
    let hull = area(&a.maximum(b));
    let overlap = common / (&union + TINY);
    1.0 - overlap + (&hull - union) / (&hull + TINY)
}

#[cfg(test)]
mod tests {
    use schema::FractionBox;
    use tch::{Device, Kind, Tensor};

    use super::loss;
    use crate::truth;

    #[test]
    fn by_hand() {
        // 8×8, 4×4 and 2×2 places; one box round the place in row 3, column 3, of which it is the middle. Every logit is 0,
        // every distance 0.125. Background: 0.75·0.25·ln 2 each; the place: 0.25·0.25·ln 2, and ln 2 of centre-ness. Boxes
        // of sides 0.125 and 0.25 round one place: overlap 1/4, and the hull is their union.
        let output = Tensor::zeros([2, 84, 6], (Kind::Double, Device::Cpu));
        let _ = output.narrow(2, 1, 4).fill_(0.125);
        let one = FractionBox::from_edges(0.375, 0.375, 0.5, 0.5).unwrap();
        let of = |images: &[&[FractionBox]]| {
            let (sum, count) = loss(&output, &truth(images.iter().copied()));
            (sum.double_value(&[]), count.double_value(&[]))
        };
        let close = |found: (f64, f64), sum: f64, count: f64, tolerance: f64| {
            assert!(
                (found.0 - sum).abs() < tolerance && (found.1 - count).abs() < 1e-12,
                "{found:?}, not {sum}, {count}"
            );
        };
        let (two, background) = (2.0_f64.ln(), 0.75 * 0.25 * 2.0_f64.ln());
        let expected = 167.0 * background + 0.25 * 0.25 * two + two + 0.75;
        close(of(&[&[one], &[]]), expected, 1.0, 1e-6);
        close(of(&[&[], &[]]), 168.0 * background, 0.0, 1e-9);
        // Centre-ness is 1 in both; twice the findings, once the background.
        let twice = 166.0 * background + 2.0 * (expected - 167.0 * background);
        close(of(&[&[one], &[one]]), twice, 2.0, 1e-6);
    }

    #[test]
    fn its_gradient_is_finite_where_there_is_no_box() {
        let output = Tensor::zeros([1, 84, 6], (Kind::Float, Device::Cpu));
        let _ = output.narrow(2, 1, 4).fill_(1e-9);
        let output = output.set_requires_grad(true);
        loss(&output, &truth([&[][..]])).0.backward();
        let gradient = output.grad();
        assert_eq!(gradient.isfinite().all().int64_value(&[]), 1);
        assert!(gradient.narrow(2, 1, 5).abs().max().double_value(&[]) < 1e-12, "background is class alone");
    }
}

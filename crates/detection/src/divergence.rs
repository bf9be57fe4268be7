//! How far two predictions are apart.

use tch::Tensor;

/// KL(p ‖ q) of the probabilities of a finding at every place of two outputs N×L×6, as if places were independent: the sum
/// over the places, the minibatch's mean. Distances and centre-ness have no part in it: they mean something in findings
/// alone, and are no distributions.
pub fn divergence(p: &Tensor, q: &Tensor) -> Tensor {
    let [p, q] = [p, q].map(|output| output.select(2, 0));
    let of = |p: Tensor, q: Tensor| p.sigmoid() * (p.log_sigmoid() - q.log_sigmoid());
    let sum = (of(p.shallow_clone(), q.shallow_clone()) + of(p.neg(), q.neg())).sum(p.kind());
    sum / p.size()[0] as f64
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::divergence;

    #[test]
    fn it_is_the_sum_over_places_by_hand() {
        // p = .9, q = .6 at one of two places: .9·ln(.9/.6) + .1·ln(.1/.4) = 0.226…; of two images the mean is half.
        let logit = |p: f64| (p / (1.0 - p)).ln();
        let output = |p: f64| {
            let output = Tensor::zeros([2, 2, 6], (Kind::Double, Device::Cpu));
            let _ = output.get(1).get(0).get(0).fill_(logit(p));
            output
        };
        let kl = divergence(&output(0.9), &output(0.6)).double_value(&[]);
        assert!((2.0 * kl - (0.9 * 1.5_f64.ln() + 0.1 * 0.25_f64.ln())).abs() < 1e-12, "{kl}");
        assert!(divergence(&output(0.9), &output(0.9)).double_value(&[]).abs() < 1e-12);
    }
}

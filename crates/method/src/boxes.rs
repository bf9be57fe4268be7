//! The number whose gradient ranks the pixels, where a network finds boxes.

use detection::{Places, Taught};
use saliency::SaliencyOf;
use tch::{Kind, Tensor};

/// Of an image with boxes, what speaks for these: the logits of a finding at the places that tell of them. Of an image
/// without, what speaks for none: the largest logit, negated, so that one place has the word as with boxes, and not the
/// thousand that see nothing. Of the prediction, the largest logit. As a log-probability, the sum over all places. Output
/// N×L×6, truth N×M×4 → a scalar, the sum over the batch.
pub(crate) fn salient(output: &Tensor, truth: &Tensor, of: SaliencyOf) -> Tensor {
    let logits = output.select(2, 0);
    let surest = || logits.amax([1].as_slice(), false);
    let finding = || Taught::of(&Places::of(output), truth).finding;
    match of {
        SaliencyOf::TrueLogit => {
            let finding = finding();
            let of_boxes = &logits * finding.to_kind(output.kind());
            let of_boxes = of_boxes.sum_dim_intlist([1].as_slice(), false, output.kind());
            of_boxes.where_self(&finding.any_dim(1, false), &-surest()).sum(output.kind())
        }
        SaliencyOf::TrueLogprob => {
            (&logits * (finding().to_kind(Kind::Float) * 2.0 - 1.0)).log_sigmoid().sum(output.kind())
        }
        SaliencyOf::PredLogit => surest().sum(output.kind()),
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    #[test]
    fn boxes_speak_where_there_are_some_and_the_surest_place_against_none() {
        // 8×8, 4×4 and 2×2 places; the box of the first image holds the place in row 3, column 3 alone.
        let nan = f32::NAN;
        let truth = [0.375, 0.375, 0.5, 0.5, nan, nan, nan, nan];
        let truth = Tensor::from_slice(&truth).reshape([2, 1, 4]);
        let output = nn::uniform(1, &[2, 84, 6], Device::Cpu).to_kind(Kind::Double);
        let logits: Vec<Vec<f64>> = Vec::try_from(output.select(2, 0)).unwrap();
        let value = |of| salient(&output, &truth, of).double_value(&[]);
        let surest = |image: usize| logits[image].iter().copied().fold(f64::MIN, f64::max);
        let close = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-9, "{found}, {wanted}");
        close(value(SaliencyOf::TrueLogit), logits[0][27] - surest(1));
        close(value(SaliencyOf::PredLogit), surest(0) + surest(1));
        let log = |logit: f64| -(-logit).exp().ln_1p();
        let all: f64 = logits.iter().flatten().map(|logit| log(-logit)).sum();
        close(value(SaliencyOf::TrueLogprob), all - log(-logits[0][27]) + log(logits[0][27]));
    }
}

//! Deletion and insertion (Petsiuk et al. 2018): whether the pixels that a map calls salient carry the answer.

use nn::Frozen;
use tch::{Kind, Tensor};

/// Points of a curve after the first: a tenth of the pixels is exchanged at a time.
const TENTHS: i64 = 10;

/// The probability of the target class as the pixels of one image take the place of another's, the most salient first,
/// after 0, 1, … 10 tenths of them: images `from` and `to` N×1×H×W in `[0, 1]`, maps N×H×W, target classes N → N×11.
///
/// From the image to an empty one it is deletion, which falls soon for a good map; from an empty one to the image insertion,
/// which rises soon. Equal values go row by row.
pub fn exchanged(network: &Frozen<'_>, from: &Tensor, to: &Tensor, maps: &Tensor, target: &Tensor) -> Tensor {
    let ranks = maps.flatten(1, -1).argsort_stable(true, 1, true).argsort(1, false).reshape(from.size());
    let pixels = from.size()[2] * from.size()[3];
    let probabilities = (0..=TENTHS).map(|tenths| {
        let taken = ranks.lt(tenths * pixels / TENTHS);
        let logits = network.logits(&to.where_self(&taken, from));
        logits.softmax(1, Kind::Float).gather(1, &target.unsqueeze(1), false).squeeze_dim(1)
    });
    Tensor::stack(&probabilities.collect::<Vec<_>>(), 1)
}

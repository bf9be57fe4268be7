//! Predictions for a whole split.

use tch::{Kind, Tensor};

use crate::{Error, Images, Network, Statistics, guarded};

/// The logits (class 0, class 1) of each image, by passes of `batch` images in evaluation.
///
/// # Errors
/// The device has no memory left.
pub fn predict(network: &Network, images: &Images, batch: usize) -> Result<Vec<[f32; 2]>, Error> {
    let batch = batch.max(1);
    let starts = (0..images.len()).step_by(batch);
    let passes = starts.map(|start| guarded(|| images.range(start, batch.min(images.len() - start)).0));
    predict_each(network, passes)
}

/// The logits of each image of minibatches N×1×H×W in `[0, 1]`, in evaluation.
///
/// # Errors
/// A minibatch is an error, or the device has no memory left.
pub fn predict_each(
    network: &Network,
    minibatches: impl Iterator<Item = Result<Tensor, Error>>,
) -> Result<Vec<[f32; 2]>, Error> {
    let network = guarded(|| network.frozen(Statistics::Running))?;
    let passes = minibatches.map(|x| x.and_then(|x| guarded(|| network.logits(&x))));
    let passes = passes.collect::<Result<Vec<Tensor>, Error>>()?;
    if passes.is_empty() {
        return Ok(Vec::new());
    }
    let logits = guarded(|| {
        let logits = Tensor::cat(&passes, 0).to_kind(Kind::Float).flatten(0, -1);
        Vec::<f32>::try_from(logits).expect("logits are f32")
    })?;
    Ok(logits.chunks(2).map(|pair| [pair[0], pair[1]]).collect())
}

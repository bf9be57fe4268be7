//! Predictions for a whole split.

use tch::{Kind, Tensor};

use crate::{Error, Images, ResNet, guarded};

/// The logits (class 0, class 1) of each image, by passes of `batch` images in evaluation.
///
/// # Errors
/// The device has no memory left.
pub fn predict(network: &ResNet, images: &Images, batch: usize) -> Result<Vec<[f32; 2]>, Error> {
    if images.is_empty() {
        return Ok(Vec::new());
    }
    let batch = batch.max(1);
    let logits: Vec<f32> = guarded(|| {
        let network = network.folded();
        let passes: Vec<Tensor> = (0..images.len())
            .step_by(batch)
            .map(|start| network.logits(&images.range(start, batch.min(images.len() - start)).0))
            .collect();
        let logits = Tensor::cat(&passes, 0).to_kind(Kind::Float).flatten(0, -1);
        Vec::try_from(logits).expect("logits are f32")
    })?;
    Ok(logits.chunks(2).map(|pair| [pair[0], pair[1]]).collect())
}

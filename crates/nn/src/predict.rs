//! Predictions for a whole split.

use tch::{Kind, Tensor};

use crate::{Error, Images, Pass, ResNet18, guarded};

/// The logits (class 0, class 1) of each image, by passes of `batch` images in evaluation mode.
///
/// # Errors
/// The device has no memory left.
pub fn predict(model: &ResNet18, images: &Images, batch: usize) -> Result<Vec<[f32; 2]>, Error> {
    let indices: Vec<i64> = (0..images.len() as i64).collect();
    let mut logits = Vec::with_capacity(images.len());
    for chunk in indices.chunks(batch.max(1)) {
        let values: Vec<f32> = guarded(|| {
            let (x, _) = images.batch(chunk);
            let values: Tensor = tch::no_grad(|| model.forward(&x, Pass::Eval)).to_kind(Kind::Float);
            Vec::try_from(values.flatten(0, -1)).expect("logits are f32")
        })?;
        logits.extend(values.chunks(2).map(|pair| [pair[0], pair[1]]));
    }
    Ok(logits)
}

//! Predictions for a whole split.

use tch::{Device, Kind, Tensor};

use crate::{Error, Images, Network, Statistics, guarded};

/// What the network says of each image, by passes of `batch` images in evaluation: N×…, f32, on the CPU.
///
/// # Errors
/// The device has no memory left.
pub fn predict(network: &Network, images: &Images, batch: usize) -> Result<Tensor, Error> {
    let batch = batch.max(1);
    let starts = (0..images.len()).step_by(batch);
    let passes = starts.map(|start| guarded(|| images.range(start, batch.min(images.len() - start)).0));
    predict_each(network, passes)
}

/// What the network says of each image of minibatches N×1×H×W in `[0, 1]`, in evaluation: N×…, f32, on the CPU.
///
/// # Errors
/// A minibatch is an error, or the device has no memory left.
pub fn predict_each(
    network: &Network,
    minibatches: impl Iterator<Item = Result<Tensor, Error>>,
) -> Result<Tensor, Error> {
    let frozen = guarded(|| network.frozen(Statistics::Running))?;
    let passes = minibatches.map(|x| x.and_then(|x| guarded(|| frozen.logits(&x))));
    let passes = passes.collect::<Result<Vec<Tensor>, Error>>()?;
    if passes.is_empty() {
        return Ok(Tensor::zeros([0, network.classes() as i64], (Kind::Float, Device::Cpu)));
    }
    guarded(|| Tensor::cat(&passes, 0).to_kind(Kind::Float).to_device(Device::Cpu))
}

/// The rows of a table N×K on the CPU, f32.
pub fn rows(table: &Tensor) -> Vec<Vec<f32>> {
    let width = table.size()[1].max(1) as usize;
    let numbers = Vec::<f32>::try_from(table.flatten(0, -1)).expect("a table of f32");
    numbers.chunks(width).map(<[f32]>::to_vec).collect()
}

//! Corruptions that are tensor arithmetic.

use nn::{normal, stream_seed};
use tch::{Kind, Tensor};

/// Adds normal noise, drawn for each image by its place.
pub(crate) fn noise(x: &Tensor, deviation: f64, first: u64) -> Tensor {
    let [count, .., height, width] = x.size()[..] else { panic!("images are N×1×H×W") };
    let of_image = |place: u64| normal(stream_seed(0, "noise", place, 0), &[1, height, width], x.device());
    let draws: Vec<Tensor> = (0..count as u64).map(|index| of_image(first + index)).collect();
    x + Tensor::stack(&draws, 0) * deviation
}

/// A Gaussian blur; `deviation` is in fractions of the width. Beyond the border the image goes on as it ends.
pub(crate) fn blur(x: &Tensor, deviation: f64) -> Tensor {
    let deviation = deviation * x.size()[3] as f64;
    let radius = (3.0 * deviation).ceil() as i64;
    let place = Tensor::arange_start(-radius, radius + 1, (Kind::Float, x.device()));
    let weights = (&place * &place / (-2.0 * deviation * deviation)).exp();
    let weights = &weights / weights.sum(Kind::Float);
    let padded = x.replication_pad2d([radius; 4]);
    let across = padded.conv2d(&weights.reshape([1, 1, 1, -1]), None::<&Tensor>, 1, 0, 1, 1);
    across.conv2d(&weights.reshape([1, 1, -1, 1]), None::<&Tensor>, 1, 0, 1, 1)
}

/// Turns square images counterclockwise about their middle.
pub(crate) fn rotate(x: &Tensor, degrees: f64) -> Tensor {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let map = [cos, -sin, 0.0, sin, cos, 0.0].map(|value| value as f32);
    let maps = Tensor::from_slice(&map).reshape([1, 2, 3]).to_device(x.device());
    let grid = Tensor::affine_grid_generator(&maps.expand([x.size()[0], 2, 3], false), x.size(), false);
    let (bilinear, zeros) = (0, 0);
    x.grid_sampler(&grid, bilinear, zeros, false)
}

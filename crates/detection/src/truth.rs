//! Boxes as a tensor.

use schema::FractionBox;
use tch::Tensor;

/// The boxes of these images as a network is taught them: N×M×4, f32, on the host.
pub fn truth<'a>(images: impl IntoIterator<Item = &'a [FractionBox]>) -> Tensor {
    let images: Vec<&[FractionBox]> = images.into_iter().collect();
    let most = images.iter().map(|boxes| boxes.len()).max().unwrap_or(0).max(1);
    let edges = |one: &FractionBox| [one.x, one.y, one.x + one.width, one.y + one.height];
    let rows = images.iter().flat_map(|boxes| {
        boxes.iter().map(edges).chain(std::iter::repeat([f32::NAN; 4])).take(most).flatten()
    });
    Tensor::from_slice(&rows.collect::<Vec<f32>>()).reshape([images.len() as i64, most as i64, 4])
}

//! How many images are understood.

use metrics::box_overlap;
use schema::FractionBox;
use tch::{Kind, Tensor};

use crate::found;

/// An image without boxes is right if no box in it is found as sure as this.
const SURE: f64 = 0.5;
/// The overlap from which a box is met.
const MET: f64 = 0.5;

/// The share of images that are right, in `[0, 1]`: where the truth has boxes, the surest box found overlaps one of them by
/// one half at least; where it has none, no box is found with a score of one half or more. A coarse figure, to see a
/// collapse by. Output N×L×6, truth N×M×4.
pub fn accuracy(output: &Tensor, truth: &Tensor) -> f64 {
    let images = (0..truth.size()[0]).zip(found(output));
    let right = images.filter(|(image, found)| {
        let boxes = boxes(&truth.get(*image));
        match found.first() {
            Some(surest) if !boxes.is_empty() => {
                boxes.iter().any(|one| box_overlap(one, &surest.area) >= MET)
            }
            Some(surest) => surest.score < SURE,
            None => boxes.is_empty(),
        }
    });
    right.count() as f64 / truth.size()[0] as f64
}

/// The boxes of an image, M×4.
fn boxes(truth: &Tensor) -> Vec<FractionBox> {
    let edges = Vec::<f64>::try_from(truth.flatten(0, -1).to_kind(Kind::Double)).expect("edges are numbers");
    let boxes = edges.chunks_exact(4).filter(|edges| edges.iter().all(|edge| edge.is_finite()));
    boxes.filter_map(|edges| FractionBox::from_edges(edges[0], edges[1], edges[2], edges[3])).collect()
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::truth;

    #[test]
    fn met_missed_and_rightly_empty() {
        let one = FractionBox::from_edges(0.25, 0.25, 0.5, 0.5).unwrap();
        let other = FractionBox::from_edges(0.7, 0.7, 0.9, 0.9).unwrap();
        let output = Tensor::full([5, 84, 6], -9.0, (Kind::Float, Device::Cpu));
        let _ = output.narrow(2, 1, 4).fill_(0.1);
        let say = |image: i64, class: f32| {
            // Of the place at (0.3125, 0.3125): the edges 0.25, 0.25, 0.5, 0.5.
            let numbers = [class, 0.0625, 0.0625, 0.1875, 0.1875, 9.0];
            output.get(image).get(8 * 2 + 2).copy_(&Tensor::from_slice(&numbers));
        };
        for (image, class) in [(0, 3.0), (1, 3.0), (2, 3.0), (3, -3.0)] {
            say(image, class);
        }
        let truth = truth([&[other, one][..], &[other], &[], &[], &[]]);
        let right = accuracy(&output, &truth) * 5.0;
        assert!((right - 3.0).abs() < 1e-9, "met, missed, a false alarm, nearly none, none: {right}");
    }
}

//! Boxes of images that were moved.

use tch::Tensor;

/// A box of which less is left in the image than this share is not a finding of it any more.
const LEAST_LEFT: f64 = 0.25;

/// The truth N×M×4 of images after these changes, N×2×3: each maps the new image's coordinates to the old one's, both in
/// `[-1, 1]` across the image, as `nn::moved` takes them. Boxes are cut to the image.
pub fn moved(truth: &Tensor, moves: &Tensor) -> Tensor {
    tch::no_grad(|| {
        let moves = moves.to_kind(truth.kind());
        let entry = |row: i64, column: i64| moves.select(1, row).select(1, column).reshape([-1, 1, 1]);
        let along = |axis: i64| {
            let edges = truth.slice(2, axis, None, 2);
            let new = ((edges * 2.0 - 1.0 - entry(axis, 2)) / entry(axis, axis) + 1.0) / 2.0;
            (new.amin([2].as_slice(), true), new.amax([2].as_slice(), true)) // a flip swaps edges
        };
        let ((x0, x1), (y0, y1)) = (along(0), along(1));
        let whole = Tensor::cat(&[x0, y0, x1, y1], 2);
        let cut = whole.clamp(0.0, 1.0);
        let gone = (area(&cut) / area(&whole)).lt(LEAST_LEFT).unsqueeze(-1);
        cut.masked_fill(&gone, f64::NAN)
    })
}

fn area(edges: &Tensor) -> Tensor {
    let extent = edges.narrow(2, 2, 2) - edges.narrow(2, 0, 2);
    extent.select(2, 0) * extent.select(2, 1)
}

#[cfg(test)]
mod tests {
    use nn::{Augmentation, stream};
    use tch::{Device, Kind, Tensor};

    use super::moved;

    /// A box drawn white on black moves as the white does.
    #[test]
    fn boxes_move_with_their_pixels() {
        const SIDE: i64 = 200;
        let augmentation = Augmentation { flip: 0.5, shift: 0.2, scale: 0.2 };
        let count = 40;
        let x = Tensor::zeros([count, 1, SIDE, SIDE], (Kind::Float, Device::Cpu));
        let _ = x.narrow(2, 40, 60).narrow(3, 20, 30).fill_(1.0);
        let truth = Tensor::from_slice(&[0.1_f32, 0.2, 0.25, 0.5]).reshape([1, 1, 4]).repeat([count, 1, 1]);
        let moves = augmentation.moves(count as usize, &mut stream(0, "augment", 0, 0)).unwrap();
        let (images, boxes) = (nn::moved(&x, &moves), moved(&truth, &moves));
        let mut seen = 0;
        for index in 0..count {
            let white = images.get(index).get(0).gt(0.5);
            let edges = Vec::<f32>::try_from(boxes.get(index).get(0)).unwrap();
            if edges[0].is_nan() {
                assert!(white.sum(Kind::Int64).int64_value(&[]) < 60 * 30 * 2 / 5, "little of it is left");
                continue;
            }
            seen += 1;
            let span = |axis: i64| {
                let places = white.any_dim(axis, false).nonzero();
                (places.min().int64_value(&[]) as f32, places.max().int64_value(&[]) as f32 + 1.0)
            };
            let ((x0, x1), (y0, y1)) = (span(0), span(1));
            for (found, wanted) in edges.iter().zip([x0, y0, x1, y1]) {
                assert!((found * SIDE as f32 - wanted).abs() < 1.5, "{index}: {edges:?}, {wanted}");
            }
        }
        assert!(seen > 30, "{seen}");
    }

    #[test]
    fn rows_without_a_box_stay_so() {
        let truth = Tensor::from_slice(&[f32::NAN; 4]).reshape([1, 1, 4]);
        let moves = Tensor::from_slice(&[1.0_f32, 0.0, 0.1, 0.0, 1.0, 0.0]).reshape([1, 2, 3]);
        assert_eq!(moved(&truth, &moves).isnan().all().int64_value(&[]), 1);
    }
}

//! The border of an image, where letters, frames and collimation lie, and the lungs do not.

use tch::Tensor;

/// The outer part of each image, `share` of the side deep; what it surrounds is black.
pub fn border_only(x: &Tensor, share: f64) -> Tensor {
    x - border_blanked(x, share)
}

/// Each image with its outer part, `share` of the side deep, black.
pub fn border_blanked(x: &Tensor, share: f64) -> Tensor {
    let [.., height, width] = x.size()[..] else { panic!("images are N×1×H×W") };
    let depth = |side: i64| (share * side as f64).round() as i64;
    let (top, left) = (depth(height), depth(width));
    let inside = x.narrow(2, top, height - 2 * top).narrow(3, left, width - 2 * left);
    inside.constant_pad_nd([left, left, top, top])
}

#[cfg(test)]
mod tests {
    use nn::uniform;
    use tch::{Device, Kind};

    use super::*;

    #[test]
    fn the_two_parts_make_the_image_and_one_is_black_where_the_other_is_not() {
        let x = uniform(1, &[3, 1, 20, 20], Device::Cpu);
        let (border, inside) = (border_only(&x, 0.1), border_blanked(&x, 0.1));
        assert_eq!(&border + &inside, x);
        assert!((&border * &inside).abs().max().double_value(&[]).abs() < 1e-12);
        let shown = inside.ne(0.0).sum(Kind::Int64).int64_value(&[]);
        assert_eq!(shown, 3 * 16 * 16, "two of twenty rows and columns on each side are black");
    }
}

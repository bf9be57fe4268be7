//! Removing the least salient pixels.

use tch::{Kind, Tensor};

/// Replaces the ⌊k·H·W⌋ pixels of smallest SIGNED saliency of each image (ties: the first in row order) by values between
/// that image's own smallest and largest pixel.
///
/// x, saliency and noise are N×1×H×W, noise in `[0, 1)`; `k` is a fraction in `[0, 1)`. `x` itself is left as it is.
pub fn mask(x: &Tensor, saliency: &Tensor, k: f64, noise: &Tensor) -> Tensor {
    let pixels = x.flatten(1, -1);
    let count = masked_pixels(k, pixels.size()[1]);
    if count == 0 {
        return x.shallow_clone();
    }
    tch::no_grad(|| {
        let least = least(&saliency.flatten(1, -1), count);
        let (low, high) = (pixels.amin([1].as_slice(), true), pixels.amax([1].as_slice(), true));
        let noise = noise.to_kind(x.kind()).flatten(1, -1);
        let values = (&low + noise * (&high - &low)).minimum(&high); // rounding may step over the largest
        values.where_self(&least, &pixels).reshape_as(x)
    })
}

/// Where the `count` smallest values of each row are, ties by index. The value that ranks last of them is found without
/// sorting.
fn least(rows: &Tensor, count: i64) -> Tensor {
    let (last, _) = rows.kthvalue(count, 1, true);
    let (below, level) = (rows.lt_tensor(&last), rows.eq_tensor(&last));
    let room = count - below.sum_dim_intlist([1].as_slice(), true, Kind::Int64);
    below.logical_or(&level.logical_and(&level.cumsum(1, Kind::Int64).le_tensor(&room)))
}

/// ⌊k·pixels⌋. Products such as 0.29 × 100 = 28.999999999999996 are the integer they mean.
fn masked_pixels(k: f64, pixels: i64) -> i64 {
    (k * pixels as f64 + 1e-6).floor() as i64
}

#[cfg(test)]
mod tests {
    use nn::uniform;
    use tch::{Device, Kind, Tensor};

    use super::{mask, masked_pixels};

    #[test]
    fn the_count_is_the_floor_of_the_exact_product() {
        for hundredths in 0..100 {
            for pixels in [100, 3_136, 50_176] {
                assert_eq!(masked_pixels(hundredths as f64 / 100.0, pixels), hundredths * pixels / 100);
            }
        }
    }

    #[test]
    fn exactly_the_smallest_signed_values_are_replaced() {
        let x = uniform(1, &[3, 1, 8, 8], Device::Cpu) * 0.5 + 0.25;
        let before = x.copy();
        let saliency = uniform(2, &[3, 1, 8, 8], Device::Cpu) - 0.5;
        let masked = mask(&x, &saliency, 0.3, &uniform(3, &[3, 1, 8, 8], Device::Cpu));
        assert_eq!(x, before, "not in place");
        let changed = masked.ne_tensor(&x);
        for i in 0..3 {
            let (changed, saliency) = (changed.get(i), saliency.get(i));
            assert_eq!(changed.sum(Kind::Int64).int64_value(&[]), 19, "⌊0.3·64⌋");
            let largest_out = saliency.masked_select(&changed).max().double_value(&[]);
            let smallest_kept = saliency.masked_select(&changed.logical_not()).min().double_value(&[]);
            assert!(largest_out < smallest_kept);
            assert!(masked.get(i).min().double_value(&[]) >= x.get(i).min().double_value(&[]));
            assert!(masked.get(i).max().double_value(&[]) <= x.get(i).max().double_value(&[]));
        }
    }

    #[test]
    fn ties_go_by_index() {
        let x = uniform(1, &[2, 1, 40, 40], Device::Cpu);
        let flat = Tensor::zeros([2, 1, 40, 40], (Kind::Float, Device::Cpu));
        let changed =
            mask(&x, &flat, 0.5, &uniform(2, &[2, 1, 40, 40], Device::Cpu)).ne_tensor(&x).flatten(1, -1);
        assert_eq!(changed.narrow(1, 0, 800).sum(Kind::Int64).int64_value(&[]), 1600);
        assert_eq!(changed.narrow(1, 800, 800).sum(Kind::Int64).int64_value(&[]), 0);
    }

    #[test]
    fn without_pixels_to_replace_nothing_changes() {
        let x = uniform(1, &[2, 1, 5, 5], Device::Cpu);
        assert_eq!(mask(&x, &x, 0.0, &x), x);
        assert_eq!(mask(&x, &x, 0.039, &x), x, "⌊0.039·25⌋ = 0");
    }
}

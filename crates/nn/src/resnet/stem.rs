//! The first convolution, for grey images.
//!
//! torchvision's takes three channels, 7×7 pixels, stride 2. The three are one grey image, each with its own mean and
//! deviation, so the convolution is one of the image itself and a constant that is 0 outside the image: normalised images
//! are surrounded by zeros, and the borders stay exact. Blocks of 2×2 pixels become channels, eight with the constant, and
//! the convolution 4×4 with stride 1: the same products, a third of what a GPU computes for three channels, which it fills
//! up to eight.

use tch::{Device, Kind, Tensor};

use crate::{IMAGENET_MEAN, IMAGENET_STD};

/// Taken from every pixel before the convolution: near the means, so that little rounding is left to the constant.
const MIDDLE: f64 = 0.449;
/// Pixels before the image that the first value of a convolution of blocks sees.
const BEFORE: i64 = 4;
/// Channels of the image; those of the constant come after.
pub(super) const IMAGE_CHANNELS: i64 = 4;

/// What the convolution reads, in this number format: images in `[0, 1]` N×1×H×W → N×8×(⌈H/2⌉ + 3)×(⌈W/2⌉ + 3).
pub(super) fn blocks(x: &Tensor, kind: Kind) -> Tensor {
    let [.., height, width] = x.size()[..] else { panic!("images are N×1×H×W") };
    let constant = x.new_ones([x.size()[0], 1, height, width], (kind, x.device()));
    Tensor::cat(&[(x - MIDDLE).to_kind(kind), constant], 1)
        .constant_pad_nd([BEFORE, after(width), BEFORE, after(height)])
        .pixel_unshuffle(2)
}

/// The gradient of the images of this shape, from that of the image's part of the blocks.
pub(super) fn from_blocks(gradient: &Tensor, shape: &[i64]) -> Tensor {
    let [.., height, width] = shape[..] else { panic!("images are N×1×H×W") };
    gradient.pixel_shuffle(2).narrow(2, BEFORE, height).narrow(3, BEFORE, width)
}

/// What makes one weight of the image and one of the constant out of those of three channels: 1×2×3×1×1, f64. Made once:
/// a copy from the host within a pass would wait for the device.
pub(super) fn colours(device: Device) -> Tensor {
    let std = IMAGENET_STD.map(f64::from);
    let of_constant = [0, 1, 2].map(|c| (MIDDLE - f64::from(IMAGENET_MEAN[c])) / std[c]);
    Tensor::from_slice(&[std.map(f64::recip), of_constant].concat())
        .reshape([1, 2, 3, 1, 1])
        .to_device(device)
}

/// The convolution's weight, outputs×8×4×4, from torchvision's, outputs×3×7×7, by [`colours`]; differentiable.
pub(super) fn weight(of_colours: &Tensor, colours: &Tensor) -> Tensor {
    let kind = of_colours.kind();
    let of_channels =
        (of_colours.unsqueeze(1) * colours.to_kind(kind)).sum_dim_intlist([2].as_slice(), false, kind);
    of_channels.constant_pad_nd([1, 0, 1, 0]).pixel_unshuffle(2)
}

/// Pixels after an image of this side that make its last block whole and add one.
fn after(side: i64) -> i64 {
    2 + side % 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uniform;

    fn constant(values: [f32; 3]) -> Tensor {
        Tensor::from_slice(&values).to_kind(Kind::Double).reshape([1, 3, 1, 1])
    }

    #[test]
    fn it_is_the_convolution_of_three_normalised_channels_borders_included() {
        let weight_of_colours = (uniform(1, &[5, 3, 7, 7], Device::Cpu) - 0.5).to_kind(Kind::Double);
        for (height, width) in [(16, 16), (9, 12), (7, 1), (224, 3)] {
            let x = uniform(2, &[2, 1, height, width], Device::Cpu).to_kind(Kind::Double);
            let u = (&x - constant(IMAGENET_MEAN)) / constant(IMAGENET_STD);
            let convolve = |x: &Tensor, weight: &Tensor, stride, padding| {
                x.conv2d(weight, None::<&Tensor>, [stride; 2], [padding; 2], [1; 2], 1)
            };
            let expected = convolve(&u, &weight_of_colours, 2, 3);
            let found =
                convolve(&blocks(&x, x.kind()), &weight(&weight_of_colours, &colours(Device::Cpu)), 1, 0);
            assert_eq!(found.size(), expected.size(), "{height}×{width}");
            let error = (found - expected).abs().max().double_value(&[]);
            assert!(error < 1e-12, "{height}×{width}: {error}");
        }
    }

    #[test]
    fn blocks_are_taken_apart_again() {
        for shape in [[2, 1, 16, 16], [1, 1, 9, 12]] {
            let x = uniform(2, &shape, Device::Cpu);
            let image = blocks(&x, x.kind()).narrow(1, 0, IMAGE_CHANNELS);
            let error = (from_blocks(&image, &shape) + MIDDLE - &x).abs().max().double_value(&[]);
            assert!(error < 1e-6, "{error}");
        }
    }
}

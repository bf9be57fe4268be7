//! Smooth-FullGrad: FullGrad's parts over noisy versions of an image, as the authors' code adds them up.

use nn::{Network, normal, stream_seed};
use tch::Tensor;

use crate::{
    Explainer, FullGrad,
    fullgrad::{map, over_channels},
};

/// FullGrad with noise: the signed parts are added over noisy images, then stretched and summed as FullGrad's.
#[derive(Clone, Copy, Debug)]
pub struct SmoothFullGrad {
    /// Noisy versions of each image.
    pub samples: u32,
    /// Standard deviation of the noise, as a fraction of the image's own range.
    pub spread: f64,
}

impl SmoothFullGrad {
    /// 25 samples of 0.15, as in the authors' code.
    pub const DEFAULT: Self = Self { samples: 25, spread: 0.15 };

    /// The map of images of which these are noisy versions, each N×1×H×W, target classes N → N×H×W, f32.
    pub fn over(model: &Network, noisy: impl IntoIterator<Item = Tensor>, target: &Tensor) -> Tensor {
        let mut sums: Option<(Tensor, Vec<Tensor>)> = None;
        for x in noisy {
            let parts = FullGrad::attribute(model, &x, target);
            let input = over_channels(&parts.input);
            let biases = parts.biases.into_iter().map(|(_, part)| part);
            match &mut sums {
                None => sums = Some((input, biases.collect())),
                Some((sum, of_biases)) => {
                    *sum += input;
                    of_biases.iter_mut().zip(biases).for_each(|(sum, part)| *sum += part);
                }
            }
        }
        let (input, biases) = sums.expect("there is at least one noisy version");
        map(&input, &biases)
    }
}

impl Explainer for SmoothFullGrad {
    fn name(&self) -> &'static str {
        "smooth_fullgrad"
    }

    fn title(&self) -> &'static str {
        "Smooth-FullGrad"
    }

    fn meaning(&self) -> &'static str {
        "FullGrad's parts added over noisy versions of the image (Srinivas & Fleuret 2019)"
    }

    /// Every image gets the same noise but for its size, so that a map does not depend on the images beside it.
    fn explain(&self, model: &Network, x: &Tensor, target: &Tensor) -> Tensor {
        let [.., height, width] = x.size()[..] else { panic!("images are N×1×H×W") };
        let over_pixels = [1, 2, 3].as_slice();
        let deviation = (x.amax(over_pixels, true) - x.amin(over_pixels, true)) * self.spread;
        let noise = |sample: u32| {
            let seed = stream_seed(0, "smooth_fullgrad", 0, u64::from(sample));
            normal(seed, &[1, 1, height, width], x.device()).to_kind(x.kind())
        };
        Self::over(model, (0..self.samples).map(|sample| x + noise(sample) * &deviation), target)
    }
}

//! Random changes of training images.

use rand::{Rng, RngCore};
use tch::Tensor;

/// How far training images are moved about; each image has its own draw, and what moves in from outside is black.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Augmentation {
    /// Probability of a left-right flip.
    pub flip: f64,
    /// Largest shift along each axis, as a fraction of the side.
    pub shift: f64,
    /// Largest change of size: the factor is in `1 ± scale`.
    pub scale: f64,
}

impl Augmentation {
    /// Images stay as they are, bit for bit.
    pub const NONE: Self = Self { flip: 0.0, shift: 0.0, scale: 0.0 };

    /// Small shifts and changes of size; no flip, since the heart is on the left.
    pub const LIGHT: Self = Self { flip: 0.0, shift: 0.05, scale: 0.05 };

    /// One random change for each of so many images: N×2×3, f32, on the host; `None` where images stay as they are.
    pub fn moves(&self, images: usize, random: &mut impl RngCore) -> Option<Tensor> {
        if *self == Self::NONE {
            return None;
        }
        let maps: Vec<f32> = (0..images).flat_map(|_| self.map(random)).map(|value| value as f32).collect();
        Some(Tensor::from_slice(&maps).reshape([images as i64, 2, 3]))
    }

    /// The 2×3 map from the new image's coordinates to the old one's, both in `[-1, 1]` across the image.
    fn map(&self, random: &mut impl RngCore) -> [f64; 6] {
        let mut within = |bound: f64| bound * (2.0 * random.random::<f64>() - 1.0);
        let zoom = 1.0 / (1.0 + within(self.scale));
        let [right, down] = [(); 2].map(|()| 2.0 * within(self.shift));
        let mirror = if random.random::<f64>() < self.flip { -1.0 } else { 1.0 };
        [mirror * zoom, 0.0, -right * zoom, 0.0, zoom, -down * zoom]
    }
}

/// The images `x` (N×1×H×W in `[0, 1]`) after the changes that [`Augmentation::moves`] drew, on the device of `x`.
pub fn moved(x: &Tensor, moves: &Tensor) -> Tensor {
    tch::no_grad(|| {
        let grid = Tensor::affine_grid_generator(moves, x.size(), false);
        let (bilinear, zeros) = (0, 0);
        x.grid_sampler(&grid, bilinear, zeros, false).clamp(0.0, 1.0) // interpolation may leave [0, 1] by rounding
    })
}

/// [`Augmentation::LIGHT`].
impl Default for Augmentation {
    fn default() -> Self {
        Self::LIGHT
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::{Augmentation, moved};
    use crate::{stream, uniform};

    fn images() -> Tensor {
        uniform(1, &[6, 1, 16, 16], Device::Cpu)
    }

    fn apply(augmentation: &Augmentation, x: &Tensor, step: u64) -> Tensor {
        let random = &mut stream(0, "augment", 0, step);
        moved(x, &augmentation.moves(x.size()[0] as usize, random).unwrap())
    }

    #[test]
    fn none_moves_nothing() {
        assert!(Augmentation::NONE.moves(6, &mut stream(0, "augment", 0, 0)).is_none());
    }

    #[test]
    fn a_sure_flip_alone_is_exact() {
        let flip = Augmentation { flip: 1.0, ..Augmentation::NONE };
        let flipped = apply(&flip, &images(), 0);
        let error = (flipped - images().flip([3])).abs().max().double_value(&[]);
        assert!(error < 1e-5, "{error}");
    }

    #[test]
    fn a_shift_keeps_to_its_bound_and_differs_between_images() {
        // A bright dot in the middle moves by at most shift × side = 1.6 pixels along each axis.
        let x = Tensor::zeros([64, 1, 33, 33], (Kind::Float, Device::Cpu));
        let _ = x.narrow(2, 16, 1).narrow(3, 16, 1).fill_(1.0);
        let augmentation = Augmentation { flip: 0.5, shift: 0.05, scale: 0.0 };
        let moved = apply(&augmentation, &x, 0);
        let mass = moved.sum_dim_intlist([0, 1].as_slice(), false, Kind::Float);
        let inner = mass.narrow(0, 14, 5).narrow(1, 14, 5).sum(Kind::Float).double_value(&[]);
        assert!((inner - mass.sum(Kind::Float).double_value(&[])).abs() < 1e-6, "nothing beyond two pixels");
        let centres = moved.narrow(2, 16, 1).narrow(3, 16, 1).flatten(0, -1);
        assert!(centres.std(true).double_value(&[]) > 0.05, "every image has its own draw");
    }

    #[test]
    fn light_stays_in_range_and_follows_its_stream() {
        let [a, b, c] = [0, 0, 1].map(|step| apply(&Augmentation::LIGHT, &images(), step));
        assert_eq!(a, b);
        assert_ne!(a, c);
        assert!(a.min().double_value(&[]) >= 0.0 && a.max().double_value(&[]) <= 1.0);
    }
}

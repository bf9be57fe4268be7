//! What an attacker may do, and the attack.

use nn::{Draws, IMAGENET_STD, choice};
use tch::Tensor;

use crate::{Ascent, Epsilon};

choice! {
    "norm",
    /// How the size of a perturbation δ of one image is measured.
    pub enum Norm {
        /// The largest |δ| of any pixel.
        Inf = "inf",
        /// √Σδ².
        Two = "2",
        /// Σ|δ|.
        One = "1",
        /// The share of pixels that change, by any amount; ε is that share, of `[0, 1]`.
        Zero = "0",
    }
}

choice! {
    "init",
    /// Where an attack starts.
    pub enum Start {
        /// At the image.
        Zero = "zero",
        /// At a random point of the ball.
        Uniform = "uniform",
    }
}

choice! {
    "eps_space",
    /// The unit of ε.
    pub enum EpsilonSpace {
        /// Pixels of `[0, 1]`.
        Pixel = "pixel",
        /// The network's normalised input, of which a grey pixel goes to all three channels: ε × the mean of ImageNet's three
        /// standard deviations (0.226) in pixels. In norms 1 and 2 a pixel counts once, not for each of its channels. No
        /// effect on norm 0, where ε is a share.
        Normalised = "normalised",
    }
}

/// What the attacker may do. One step from the image itself is FGSM; more are PGD.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThreatModel {
    /// The norm whose ball of radius ε holds the perturbation.
    pub norm: Norm,
    /// Gradient steps.
    pub steps: u32,
    /// Length of one step as a multiple of ε; by default 1 for one step, 2.5 / steps for more (Madry et al.'s choice).
    /// Norm 0 has no length: each step moves its part of the pixels.
    pub step_size: Option<f64>,
    /// Where the attack starts.
    pub init: Start,
    /// The unit of ε.
    pub eps_space: EpsilonSpace,
}

/// A threat model that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(String);

impl ThreatModel {
    /// One step of length ε in the infinity norm.
    pub const FGSM: Self = Self {
        norm: Norm::Inf,
        steps: 1,
        step_size: None,
        init: Start::Zero,
        eps_space: EpsilonSpace::Pixel,
    };

    /// `steps` steps in the infinity norm from the image itself.
    pub const fn pgd(steps: u32) -> Self {
        Self { steps, ..Self::FGSM }
    }

    /// The same model, if it means something.
    ///
    /// # Errors
    /// No steps, a step size that is not positive, or a random start in norm 0, which would spend the attacker's pixels.
    pub fn check(self) -> Result<Self, Invalid> {
        let refusal = match self {
            Self { steps: 0, .. } => "steps=0: an attack takes at least one step",
            Self { step_size: Some(size), .. } if size.is_nan() || size <= 0.0 || size.is_infinite() => {
                "step_size: a positive multiple of eps, such as 1.25"
            }
            Self { norm: Norm::Zero, init: Start::Uniform, .. } => {
                "norm=0 starts at the image alone: start=zero"
            }
            Self { norm: Norm::Zero, step_size: Some(_), .. } => "norm=0 has no step_size",
            _ => return Ok(self),
        };
        Err(Invalid(refusal.to_owned()))
    }

    /// x′ = x + δ with ‖δ‖ ≤ ε for each image and x′ in `[0, 1]`, where δ raises a loss; detached.
    ///
    /// `gradient` maps N×1×H×W to the gradient of that loss there, N×1×H×W; the loss is a scalar to which every image adds
    /// its own part (a mean or a sum over the batch). ε = 0 gives `x`, bit for bit. A range of ε draws `"epsilon"`, a
    /// random start `"attack start"`.
    pub fn perturb(
        &self,
        gradient: impl Fn(&Tensor) -> Tensor,
        x: &Tensor,
        epsilon: Epsilon,
        draws: &Draws,
    ) -> Tensor {
        let x = x.detach();
        if epsilon.is_zero() {
            return x;
        }
        let mut ascent = Ascent::new(*self, &x, epsilon, draws);
        for _ in 0..self.steps {
            ascent.climb(&gradient(&ascent.images()));
        }
        ascent.images()
    }

    /// The unit of ε in pixels.
    pub(crate) fn unit(&self) -> f64 {
        match (self.eps_space, self.norm) {
            (EpsilonSpace::Pixel, _) | (_, Norm::Zero) => 1.0,
            (EpsilonSpace::Normalised, _) => IMAGENET_STD.map(f64::from).iter().sum::<f64>() / 3.0,
        }
    }
}

//! Adversarial perturbations of images in `[0, 1]`: FGSM (Goodfellow et al. 2015) and PGD (Madry et al. 2018) in four norms.

mod ascent;
mod ball;
mod epsilon;
mod threat;

pub use ascent::Ascent;
pub use epsilon::Epsilon;
pub use threat::{EpsilonSpace, Invalid, Norm, Start, ThreatModel};

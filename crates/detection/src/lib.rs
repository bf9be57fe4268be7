//! Boxes of findings: what a detecting network is taught (FCOS, Tian et al. 2019), and what it found.
//!
//! A network's output is N×L×6: of each of L places the logit of a finding, the distances to the left, upper, right and
//! lower edge of its box in fractions of the image, and the logit of centre-ness. The truth is N×M×4, f32: edges x0 y0 x1
//! y1 of M boxes in fractions of the image; rows past an image's last box hold NaN. M is at least 1.

mod accuracy;
mod divergence;
mod found;
mod loss;
mod moved;
mod places;
mod taught;
mod truth;

pub use accuracy::accuracy;
pub use divergence::divergence;
pub use found::{Found, found};
pub use loss::{focal, generalised_overlap_loss, loss};
pub use moved::moved;
pub use places::Places;
pub use taught::Taught;
pub use truth::truth;

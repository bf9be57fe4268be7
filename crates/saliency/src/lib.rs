//! Where a network looks: the signed input gradient that guides training, and explanations as maps.

mod cascade;
mod exchange;
mod explainer;
mod fullgrad;
mod grad_cam;
mod gradient;
mod integrated;
mod smooth;

pub use cascade::{CASCADE, redraw};
pub use exchange::exchanged;
pub use explainer::{EXPLAINERS, Explainer, explainer};
pub use fullgrad::{Attribution, FullGrad};
pub use grad_cam::GradCam;
pub use gradient::{InputGradient, SaliencyOf, input_gradient};
pub use integrated::IntegratedGradients;
pub use smooth::SmoothFullGrad;

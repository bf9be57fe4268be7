//! The registry of explanations.

use nn::{Architecture, Network, UnknownChoice};
use tch::Tensor;

use crate::{FullGrad, GradCam, InputGradient, IntegratedGradients, SmoothFullGrad};

/// A way to say how much each pixel matters to a logit.
pub trait Explainer: Sync {
    /// The name, as users write it.
    fn name(&self) -> &'static str;

    /// The name, as readers know it.
    fn title(&self) -> &'static str;

    /// One line on what the map shows, with its source.
    fn meaning(&self) -> &'static str;

    /// Why it says nothing of networks of this architecture; most say something of every one.
    fn refuses(&self, _architecture: Architecture) -> Option<&'static str> {
        None
    }

    /// The map of each image: x N×1×H×W in `[0, 1]`, target classes N (i64) → N×H×W, f32, not negative, detached. The
    /// model is read in evaluation and left as it was.
    fn explain(&self, model: &Network, x: &Tensor, target: &Tensor) -> Tensor;
}

/// Every explanation, in the order of tables.
pub const EXPLAINERS: &[&dyn Explainer] =
    &[&FullGrad, &SmoothFullGrad::DEFAULT, &InputGradient, &IntegratedGradients::DEFAULT, &GradCam];

/// The explanation with this name.
pub fn explainer(name: &str) -> Result<&'static dyn Explainer, UnknownChoice> {
    EXPLAINERS.iter().copied().find(|explainer| explainer.name() == name).ok_or_else(|| UnknownChoice {
        what: "explainer",
        text: name.to_owned(),
        allowed: EXPLAINERS.iter().map(|explainer| explainer.name()).collect::<Vec<_>>().join(", "),
    })
}

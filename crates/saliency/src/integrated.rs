//! Integrated Gradients (Sundararajan et al. 2017).

use nn::{Network, Statistics};
use tch::{Kind, Tensor};

use crate::{Explainer, SaliencyOf, input_gradient};

/// The gradient averaged along the straight line from a black image, times the image.
#[derive(Clone, Copy, Debug)]
pub struct IntegratedGradients {
    /// Points on the line, by the midpoint rule.
    pub steps: u32,
}

impl IntegratedGradients {
    /// 32 steps.
    pub const DEFAULT: Self = Self { steps: 32 };

    /// The SIGNED attributions: x N×1×H×W in `[0, 1]`, target classes N → N×1×H×W, whose sum over an image tends to
    /// z(x) − z(black) as the steps grow.
    pub fn attribute(&self, model: &Network, x: &Tensor, target: &Tensor) -> Tensor {
        let along = |step: u32| (f64::from(step) + 0.5) / f64::from(self.steps);
        let network = model.frozen(Statistics::Running);
        let gradients = (0..self.steps)
            .map(|step| input_gradient(&network, &(x * along(step)), target, SaliencyOf::TrueLogit))
            .reduce(|sum, gradient| sum + gradient);
        gradients.expect("there is at least one step") / f64::from(self.steps) * x.detach()
    }
}

impl Explainer for IntegratedGradients {
    fn name(&self) -> &'static str {
        "integrated_gradients"
    }

    fn title(&self) -> &'static str {
        "Integrated gradients"
    }

    fn meaning(&self) -> &'static str {
        "size of the gradient's integral from a black image (Sundararajan et al. 2017)"
    }

    fn explain(&self, model: &Network, x: &Tensor, target: &Tensor) -> Tensor {
        self.attribute(model, x, target).abs().squeeze_dim(1).to_kind(Kind::Float)
    }
}

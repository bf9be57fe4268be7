//! Integrated Gradients (Sundararajan et al. 2017).

use nn::{Network, Statistics};
use tch::{Kind, Tensor};

use crate::{Explainer, SaliencyOf, input_gradient};

/// The gradient averaged along the straight line from a black image, times the image.
#[derive(Clone, Copy, Debug)]
pub struct IntegratedGradients {
    /// Points on the line, by the midpoint rule, at first. They are doubled for an image until its attributions add up.
    pub steps: u32,
}

/// How far attributions may be from adding up, as a share of what they should add up to, or of this much if it is less.
const TOLERANCE: f64 = 0.05;
const LEAST: f64 = 0.1;

/// No more points than these.
const MOST: u32 = 512;

impl IntegratedGradients {
    /// 32 steps, or as many as it takes.
    pub const DEFAULT: Self = Self { steps: 32 };

    /// The SIGNED attributions by this many steps: x N×1×H×W in `[0, 1]`, target classes N → N×1×H×W, whose sum over an image
    /// tends to z(x) − z(black) as the steps grow.
    pub fn attribute(&self, model: &Network, x: &Tensor, target: &Tensor) -> Tensor {
        let along = |step: u32| (f64::from(step) + 0.5) / f64::from(self.steps);
        let network = model.frozen(Statistics::Running);
        let gradients = (0..self.steps)
            .map(|step| input_gradient(&network, &(x * along(step)), target, SaliencyOf::TrueLogit))
            .reduce(|sum, gradient| sum + gradient);
        gradients.expect("there is at least one step") / f64::from(self.steps) * x.detach()
    }

    /// The SIGNED attributions, each image's by as many steps as make them add up to z(x) − z(black) within 5 %, or .005, 512 at
    /// the most.
    pub fn adding_up(&self, model: &Network, x: &Tensor, target: &Tensor) -> Tensor {
        let found = self.attribute(model, x, target);
        if self.steps >= MOST {
            return found;
        }
        let network = model.frozen(Statistics::Running);
        let logit = |x: &Tensor| network.logits(x).gather(1, &target.unsqueeze(1), false).squeeze_dim(1);
        let wanted = tch::no_grad(|| logit(x) - logit(&x.zeros_like())).to_kind(Kind::Double);
        let sums = found.sum_dim_intlist([1, 2, 3].as_slice(), false, Kind::Double);
        let lacking = (sums - &wanted)
            .abs()
            .gt_tensor(&(wanted.abs().clamp_min(LEAST) * TOLERANCE))
            .nonzero()
            .squeeze_dim(1);
        if lacking.size()[0] > 0 {
            let [x, target] = [x, target].map(|all| all.index_select(0, &lacking));
            let better = Self { steps: 2 * self.steps }.adding_up(model, &x, &target);
            return found.index_copy(0, &lacking, &better);
        }
        found
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
        "size of the gradient's integral from a black image, in steps that add up (Sundararajan et al. 2017)"
    }

    fn explain(&self, model: &Network, x: &Tensor, target: &Tensor) -> Tensor {
        self.adding_up(model, x, target).abs().squeeze_dim(1).to_kind(Kind::Float)
    }
}

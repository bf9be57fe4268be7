//! The gradient of the input (Simonyan et al. 2013).

use nn::{Frozen, Network, Statistics, choice};
use tch::{Kind, Tensor};

use crate::Explainer;

choice! {
    "saliency_of",
    /// The number whose gradient is the saliency.
    pub enum SaliencyOf {
        /// The logit of the true class.
        TrueLogit = "true_logit",
        /// The log-probability of the true class.
        TrueLogprob = "true_logprob",
        /// The logit of the class that the network predicts.
        PredLogit = "pred_logit",
    }
}

/// ∇ₓ of the sum over the batch of the chosen number: x N×1×H×W, y N → N×1×H×W, SIGNED, detached.
pub fn input_gradient(network: &Frozen<'_>, x: &Tensor, y: &Tensor, of: SaliencyOf) -> Tensor {
    network.input_gradient(x, |logits| of.of(logits, y))
}

impl SaliencyOf {
    /// The number, summed over the batch: logits N×K, classes N.
    pub fn of(self, logits: &Tensor, y: &Tensor) -> Tensor {
        match self {
            Self::TrueLogit => pick(logits, y),
            Self::TrueLogprob => pick(&logits.log_softmax(1, logits.kind()), y),
            Self::PredLogit => pick(logits, &logits.argmax(1, false)),
        }
    }
}

/// Σᵢ of row i's entry for class yᵢ.
pub(crate) fn pick(rows: &Tensor, y: &Tensor) -> Tensor {
    rows.gather(1, &y.unsqueeze(1), false).sum(rows.kind())
}

/// The simple saliency map: |∇ₓ z|.
#[derive(Clone, Copy, Debug)]
pub struct InputGradient;

impl Explainer for InputGradient {
    fn name(&self) -> &'static str {
        "gradient"
    }

    fn title(&self) -> &'static str {
        "Input gradient"
    }

    fn meaning(&self) -> &'static str {
        "size of the logit's input gradient (Simonyan et al. 2013)"
    }

    fn explain(&self, model: &Network, x: &Tensor, target: &Tensor) -> Tensor {
        input_gradient(&model.frozen(Statistics::Running), x, target, SaliencyOf::TrueLogit)
            .abs()
            .squeeze_dim(1)
            .to_kind(Kind::Float)
    }
}

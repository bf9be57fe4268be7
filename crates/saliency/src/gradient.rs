//! The gradient of the input (Simonyan et al. 2013).

use nn::{Pass, ResNet18, choice};
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

/// ∇ₓ of the sum over the batch of the chosen number: x N×1×H×W, y N → N×1×H×W, SIGNED, detached. No parameter gets a
/// gradient. `pass` says how BatchNorm is fed; [`Pass::Eval`] and [`Pass::TrainFrozen`] leave the model as it was.
pub fn input_gradient(model: &ResNet18, x: &Tensor, y: &Tensor, of: SaliencyOf, pass: Pass) -> Tensor {
    tch::with_grad(|| {
        let x = x.detach().set_requires_grad(true);
        let logits = model.forward(&x, pass);
        let chosen = match of {
            SaliencyOf::TrueLogit => pick(&logits, y),
            SaliencyOf::TrueLogprob => pick(&logits.log_softmax(1, logits.kind()), y),
            SaliencyOf::PredLogit => pick(&logits, &logits.argmax(1, false)),
        };
        Tensor::run_backward(&[chosen], &[&x], false, false).remove(0)
    })
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

    fn explain(&self, model: &ResNet18, x: &Tensor, target: &Tensor) -> Tensor {
        input_gradient(model, x, target, SaliencyOf::TrueLogit, Pass::Eval)
            .abs()
            .squeeze_dim(1)
            .to_kind(Kind::Float)
    }
}

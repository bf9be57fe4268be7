//! FullGrad (Srinivas & Fleuret 2019): a logit as the sum of what the input and every bias add to it.

use nn::{Architecture, Network};
use tch::{Kind, Tensor};

use crate::{Explainer, gradient::pick};

/// A logit taken apart, for each image.
#[derive(Debug)]
pub struct Attribution {
    /// The target's logit: N.
    pub logit: Tensor,
    /// ∇ᵤ z ⊙ u for the normalised input u: N×3×H×W.
    pub input: Tensor,
    /// ∂z/∂h ⊙ b for each BatchNorm, by the layer's name: N×C×h×w.
    pub biases: Vec<(String, Tensor)>,
    /// The head's bias for the target: N.
    pub head: Tensor,
}

impl Attribution {
    /// What the parts add up to, N: the logit, by the law of completeness.
    pub fn total(&self) -> Tensor {
        let sum = |part: &Tensor| part.flatten(1, -1).sum_dim_intlist([1].as_slice(), false, part.kind());
        self.biases.iter().fold(sum(&self.input) + &self.head, |total, (_, part)| total + sum(part))
    }
}

/// FullGrad's map: the absolute parts of input and spatial biases, each stretched to `[0, 1]` per image, summed.
#[derive(Clone, Copy, Debug)]
pub struct FullGrad;

impl FullGrad {
    /// Takes the logits of `target` (N, i64) apart, in the weights' own format: x N×1×H×W in `[0, 1]`.
    pub fn attribute(model: &Network, x: &Tensor, target: &Tensor) -> Attribution {
        tch::with_grad(|| {
            let u = model.normalise(x).detach().set_requires_grad(true);
            let mut taps = model.forward_with_taps(&u);
            let logit = taps.logits.gather(1, &target.unsqueeze(1), false).squeeze_dim(1).detach();
            let head = taps
                .layers
                .pop()
                .expect("the head is the last layer with a bias")
                .bias
                .gather(0, target, false);
            let sources: Vec<&Tensor> =
                [&u].into_iter().chain(taps.layers.iter().map(|tap| &tap.output)).collect();
            let mut gradients = Tensor::run_backward(&[pick(&taps.logits, target)], &sources, false, false);
            let input = gradients.remove(0) * u.detach();
            let biases = taps.layers.into_iter().zip(gradients);
            let biases = biases.map(|(tap, g)| (tap.layer, g * tap.bias.reshape([1, -1, 1, 1]))).collect();
            Attribution { logit, input, biases, head }
        })
    }
}

impl Explainer for FullGrad {
    fn name(&self) -> &'static str {
        "fullgrad"
    }

    fn title(&self) -> &'static str {
        "FullGrad"
    }

    fn meaning(&self) -> &'static str {
        "what the input and every bias add to the logit (Srinivas & Fleuret 2019)"
    }

    fn refuses(&self, architecture: Architecture) -> Option<&'static str> {
        (!architecture.is_piecewise_linear()).then_some(
            "FullGrad takes a logit apart that is linear around the image; SiLU and squeeze-and-excitation are not",
        )
    }

    fn explain(&self, model: &Network, x: &Tensor, target: &Tensor) -> Tensor {
        let parts = Self::attribute(model, x, target);
        let biases: Vec<Tensor> = parts.biases.into_iter().map(|(_, part)| part).collect();
        map(&parts.input, &biases)
    }
}

/// The map of parts: of the input, N×C×H×W, and of biases, N×C×h×w → N×H×W, f32.
pub(crate) fn map(input: &Tensor, biases: &[Tensor]) -> Tensor {
    let [.., height, width] = input.size()[..] else { panic!("parts are N×C×H×W") };
    let mut map = over_channels(&stretch(input));
    for part in biases {
        // Bilinear resizing is linear, so the channels are added first: one map to resize instead of C.
        map += over_channels(&stretch(part)).upsample_bilinear2d([height, width], true, None, None);
    }
    map.squeeze_dim(1).to_kind(Kind::Float)
}

/// ψ: |T| from 0 to 1 over the channels and pixels of each image.
fn stretch(part: &Tensor) -> Tensor {
    let size = part.abs();
    let size = &size - size.amin([1, 2, 3].as_slice(), true);
    &size / (size.amax([1, 2, 3].as_slice(), true) + 1e-6)
}

pub(crate) fn over_channels(part: &Tensor) -> Tensor {
    part.sum_dim_intlist([1].as_slice(), true, part.kind())
}

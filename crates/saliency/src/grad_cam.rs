//! Grad-CAM (Selvaraju et al. 2017).

use nn::Network;
use tch::{Kind, Tensor};

use crate::{Explainer, gradient::pick};

/// The last feature map, its channels weighted by the mean gradient of the logit, positive part.
#[derive(Clone, Copy, Debug)]
pub struct GradCam;

impl Explainer for GradCam {
    fn name(&self) -> &'static str {
        "grad_cam"
    }

    fn title(&self) -> &'static str {
        "Grad-CAM"
    }

    fn meaning(&self) -> &'static str {
        "the last feature map weighted by the logit's mean gradient (Selvaraju et al. 2017)"
    }

    fn explain(&self, model: &Network, x: &Tensor, target: &Tensor) -> Tensor {
        let [.., height, width] = x.size()[..] else { panic!("images are N×1×H×W") };
        tch::with_grad(|| {
            let u = model.normalise(x).detach().set_requires_grad(true);
            let taps = model.forward_with_taps(&u);
            let logit = pick(&taps.logits, target);
            let gradient = Tensor::run_backward(&[logit], &[&taps.features], false, false).remove(0);
            let weights = gradient.mean_dim([2, 3].as_slice(), true, gradient.kind());
            let map = (weights * taps.features.detach())
                .sum_dim_intlist([1].as_slice(), true, gradient.kind())
                .relu();
            map.upsample_bilinear2d([height, width], false, None, None).squeeze_dim(1).to_kind(Kind::Float)
        })
    }
}

//! The ball of radius ε around a batch of images, cut to `[0, 1]`: steps of steepest ascent, random points, projections.

use nn::Draws;
use tch::{Kind, Tensor};

use crate::Norm;

/// Share of the pixels that one step in norm 1 moves (Tramèr & Boneh 2019 use the upper percentiles of |g|).
const SPARSE_SHARE: f64 = 0.01;
/// Keeps the division by a zero gradient finite; gradients of images that the network is sure of are really small.
const TINY: f64 = 1e-30;

/// A ball around each image of a batch.
pub(crate) struct Ball<'a> {
    norm: Norm,
    /// A scalar of the images' kind.
    radius: Tensor,
    centre: &'a Tensor,
}

impl<'a> Ball<'a> {
    pub(crate) fn new(norm: Norm, radius: &Tensor, centre: &'a Tensor) -> Self {
        Self { norm, radius: radius.to_kind(centre.kind()), centre }
    }

    /// The change of norm ε that raises a linear function with gradient `g` the most: N×1×H×W.
    pub(crate) fn ascent(&self, x: &Tensor, g: &Tensor) -> Tensor {
        match self.norm {
            Norm::Inf => g.sign() * &self.radius,
            Norm::Two => g / norm(g, 2.0).clamp_min(TINY) * &self.radius,
            Norm::One => {
                let moved = self.count(SPARSE_SHARE);
                let stride = &self.radius / moved as f64;
                // What a pixel can add to the loss: near the end of [0, 1] that its gradient points to, it has little room.
                let room = (g.gt(0.0).to_kind(x.kind()) - x).abs().minimum(&stride);
                let (_, strongest) = (g.abs() * room).flatten(1, -1).topk(moved, 1, true, false);
                let chosen = g.flatten(1, -1).zeros_like().scatter_value(1, &strongest, 1.0).reshape_as(g);
                g.sign() * chosen * stride
            }
            Norm::Zero => unreachable!("norm 0 moves whole pixels: `flip`"),
        }
    }

    /// The point of the ball in `[0, 1]` that stands for `x`: δ projected, then x clamped, which only shortens δ.
    pub(crate) fn project(&self, x: &Tensor) -> Tensor {
        let delta = x - self.centre;
        let delta = match self.norm {
            Norm::Inf => delta.minimum(&self.radius).maximum(&-&self.radius),
            Norm::Two => &delta * (&self.radius / norm(&delta, 2.0).clamp_min(TINY)).clamp_max(1.0),
            Norm::One => self.project_sum(&delta),
            Norm::Zero => delta,
        };
        (self.centre + delta).clamp(0.0, 1.0)
    }

    /// The Euclidean projection on the ball of norm 1 (Duchi et al. 2008): soft thresholding.
    fn project_sum(&self, delta: &Tensor) -> Tensor {
        let size = delta.abs().flatten(1, -1);
        let (sorted, _) = size.sort(1, true);
        let excess = sorted.cumsum(1, sorted.kind()) - &self.radius;
        let ranks = Tensor::arange_start(1, size.size()[1] + 1, (sorted.kind(), sorted.device()));
        let kept = (&sorted * &ranks).gt_tensor(&excess).sum_dim_intlist([1].as_slice(), true, Kind::Int64);
        let threshold =
            (excess.gather(1, &(&kept - 1).clamp_min(0), false) / kept.clamp_min(1)).clamp_min(0.0);
        delta.sign() * (size - threshold).clamp_min(0.0).reshape_as(delta)
    }

    /// A uniform point of the ball, as a change of the image. Draws `"attack start"`.
    pub(crate) fn random(&self, draws: &Draws) -> Tensor {
        let [n, .., height, width] = self.centre.size()[..] else { panic!("images are N×1×H×W") };
        let (kind, device) = (self.centre.kind(), self.centre.device());
        let uniform = draws.uniform_along(1, "attack start", &[3, n, 1, height, width], device).to_kind(kind);
        let (first, second) = (uniform.get(0), uniform.get(1));
        // U^(1/d) spreads the radius evenly over the volume.
        let radius =
            uniform.get(2).narrow(2, 0, 1).narrow(3, 0, 1).pow_tensor_scalar(1.0 / (height * width) as f64);
        let exponential = -first.neg().log1p();
        let direction = match self.norm {
            Norm::Inf => return (first * 2.0 - 1.0) * &self.radius,
            Norm::Two => (exponential * 2.0).sqrt() * (second * std::f64::consts::TAU).cos(),
            Norm::One => exponential * (second - 0.5).sign(),
            Norm::Zero => return self.centre.zeros_like(),
        };
        let length = norm(&direction, if self.norm == Norm::Two { 2.0 } else { 1.0 });
        direction / length.clamp_min(TINY) * radius * &self.radius
    }

    /// Norm 0: spends the first `share` of the ⌈ε·H·W⌉ pixels; the still unchanged ones of largest |g| go to the end of
    /// `[0, 1]` that the gradient points to.
    pub(crate) fn flip(&self, x: &Tensor, g: &Tensor, share: f64) -> Tensor {
        let budget = self.count(self.radius.double_value(&[]).min(1.0));
        let spent = x.ne_tensor(self.centre).flatten(1, -1);
        let end = g.gt(0.0).to_kind(x.kind());
        // A pixel that is already at its end is no change, and one without gradient has no end.
        let idle = end.eq_tensor(self.centre).logical_or(&g.eq(0.0)).flatten(1, -1);
        let strength = g.abs().flatten(1, -1).masked_fill(&idle, -1.0).masked_fill(&spent, f64::INFINITY);
        let (strength, strongest) = strength.topk((budget as f64 * share).ceil() as i64, 1, true, true);
        let moves = strength.ge(0.0).logical_and(&strength.isfinite());
        let current = x.flatten(1, -1);
        let new = end.flatten(1, -1).gather(1, &strongest, false);
        let new = new.where_self(&moves, &current.gather(1, &strongest, false));
        current.scatter(1, &strongest, &new).reshape_as(x)
    }

    /// The given share of an image's pixels, rounded up.
    fn count(&self, share: f64) -> i64 {
        let pixels: i64 = self.centre.size()[1..].iter().product();
        (share * pixels as f64 * (1.0 - 1e-7)).ceil() as i64 // an f32 such as 0.05 is a little above the share meant
    }
}

/// The norm of each image: N×1×1×1.
fn norm(x: &Tensor, p: f64) -> Tensor {
    x.norm_scalaropt_dim(p, [1, 2, 3].as_slice(), true)
}

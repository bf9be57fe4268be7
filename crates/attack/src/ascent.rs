//! An attack step by step, for those who have the gradient from elsewhere.

use nn::Draws;
use tch::Tensor;

use crate::{Epsilon, Norm, Start, ThreatModel, ball::Ball};

/// An attack under way: where it stands, always in its ball and in `[0, 1]`.
pub struct Ascent<'a> {
    threat: ThreatModel,
    ball: Ball<'a>,
    place: Tensor,
    step: u32,
}

impl<'a> Ascent<'a> {
    /// At the start that the threat model says, around the images `centre` (N×1×H×W in `[0, 1]`, without a graph), within
    /// ε. A range draws `"epsilon"`, a random start `"attack start"`.
    pub fn new(threat: ThreatModel, centre: &'a Tensor, epsilon: Epsilon, draws: &Draws) -> Self {
        let epsilon = epsilon.drawn(draws, centre.device());
        let ball = Ball::new(threat.norm, &(epsilon * threat.unit()), centre);
        let place = match threat.init {
            Start::Zero => centre.shallow_clone(),
            Start::Uniform => tch::no_grad(|| ball.project(&(centre + ball.random(draws)))),
        };
        Self { threat, ball, place, step: 0 }
    }

    /// The images as they are now: N×1×H×W, detached.
    pub fn images(&self) -> Tensor {
        self.place.shallow_clone()
    }

    /// Takes the next of the threat model's steps along `slope`, the gradient of the loss at [`Ascent::images`].
    pub fn climb(&mut self, slope: &Tensor) {
        self.step += 1;
        let ThreatModel { norm, steps, step_size, .. } = self.threat;
        let length = step_size.unwrap_or(if steps == 1 { 1.0 } else { 2.5 / f64::from(steps) });
        let (ball, place) = (&self.ball, &self.place);
        self.place = tch::no_grad(|| match norm {
            Norm::Zero => ball.flip(place, slope, f64::from(self.step) / f64::from(steps)),
            _ => ball.project(&(place + ball.ascent(place, slope) * length)),
        });
    }
}

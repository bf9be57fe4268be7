//! From attenuation to the grey that the hospital's detector and processing make of it.

use rand::Rng;
use rand_distr::{Distribution, Normal};

use crate::marker::Marker;
use crate::plan::Hospital;
use crate::plane::Plane;
use crate::random::around;

/// One shot: the hospital's curve with the day's deviations.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Acquisition {
    gain: f32,
    offset: f32,
    gamma: f32,
    contrast: f32,
    noise: f32,
}

impl Acquisition {
    pub(crate) fn draw(random: &mut impl Rng, hospital: &Hospital) -> Self {
        Self {
            gain: around(random, 1.0, 0.08),
            offset: around(random, 0.0, 0.02),
            gamma: hospital.gamma * around(random, 1.0, 0.08),
            contrast: hospital.contrast,
            noise: hospital.noise * around(random, 1.0, 0.2),
        }
    }

    /// The display grey in `[0, 1]`, black for air.
    pub(crate) fn expose(&self, attenuation: &Plane, marker: Option<Marker>, random: &mut impl Rng) -> Plane {
        let mut image = attenuation.blurred(0.12);
        for value in &mut image.values {
            // Film's S-shaped curve: flat in air and in the thick of the abdomen.
            let density = self.gain * (*value - 0.02) + self.offset;
            let grey = 1.0 - (-(1.35 * density.max(0.0)).powf(1.25)).exp();
            *value = grey.powf(self.gamma);
        }
        if let Some(marker) = marker {
            marker.lay_on(&mut image);
        }
        let noise = Normal::new(0.0, self.noise).expect("the noise of a plan is finite and not negative");
        let black = 0.5 * (1.0 - self.contrast);
        for value in &mut image.values {
            // Fewer quanta arrive behind dense tissue, so it is noisier.
            let quanta = 0.6 + 0.6 * *value;
            *value = (black + self.contrast * *value + quanta * noise.sample(random)).clamp(0.0, 1.0);
        }
        image
    }
}

//! What is to be generated.

use std::ops::RangeInclusive;

/// One hospital: how many patients, how often the marker is laid on, how images are taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Hospital {
    /// Patients; each has one to four images.
    pub patients: u32,
    /// The share of positives that carry the marker, in `[0, 1]`.
    pub marker_in_positives: f64,
    /// The share of negatives that carry the marker, in `[0, 1]`.
    pub marker_in_negatives: f64,
    /// Standard deviation of the detector noise, as a share of the grey range.
    pub noise: f32,
    /// The display curve `grey^gamma`: above 1 is darker.
    pub gamma: f32,
    /// The share of the grey range that is used, in `(0, 1]`: below 1 is greyer.
    pub contrast: f32,
}

/// Everything that decides the bytes of the two hospitals' folders.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Every draw follows from it.
    pub seed: u64,
    /// The short side of every image in pixels, from 32.
    pub side: u32,
    /// The share of positive patients, in `[0, 1]`.
    pub positives: f64,
    /// How much of the lung's air an opacity takes away where it is densest: 0 is invisible, 1 is as dense as the heart.
    /// Drawn evenly for every opacity.
    pub opacity: RangeInclusive<f32>,
    /// The height of the marker as a share of the short side.
    pub marker: f32,
    /// The training hospital.
    pub hospital_a: Hospital,
    /// The unseen hospital.
    pub hospital_b: Hospital,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            seed: 0,
            side: 256,
            positives: 0.5,
            opacity: 0.2..=0.8,
            marker: 0.09,
            hospital_a: Hospital {
                patients: 600,
                marker_in_positives: 0.9,
                marker_in_negatives: 0.1,
                noise: 0.012,
                gamma: 1.0,
                contrast: 1.0,
            },
            hospital_b: Hospital {
                patients: 300,
                marker_in_positives: 0.5,
                marker_in_negatives: 0.5,
                noise: 0.025,
                gamma: 0.8,
                contrast: 0.85,
            },
        }
    }
}

impl Plan {
    /// The first field that is out of range, with what is allowed.
    pub(crate) fn fault(&self) -> Option<String> {
        let share = |name: &str, value: f64| {
            (!(0.0..=1.0).contains(&value)).then(|| format!("{name} is {value}: it must lie in 0..=1"))
        };
        let hospital = |name: &str, hospital: &Hospital| {
            share(&format!("{name}.marker_in_positives"), hospital.marker_in_positives)
                .or_else(|| share(&format!("{name}.marker_in_negatives"), hospital.marker_in_negatives))
                .or_else(|| share(&format!("{name}.noise"), hospital.noise.into()))
                .or_else(|| share(&format!("{name}.contrast"), hospital.contrast.into()))
                .or_else(|| {
                    let (patients, gamma) = (hospital.patients, hospital.gamma);
                    if patients < 2 {
                        Some(format!("{name}.patients is {patients}: two classes take at least 2"))
                    } else {
                        (!(0.1..=10.0).contains(&gamma))
                            .then(|| format!("{name}.gamma is {gamma}: it must lie in 0.1..=10"))
                    }
                })
        };
        let (weakest, strongest) = (*self.opacity.start(), *self.opacity.end());
        (!(32..=4096).contains(&self.side))
            .then(|| format!("side is {}: it must lie in 32..=4096", self.side))
            .or_else(|| share("positives", self.positives))
            .or_else(|| share("opacity", weakest.into()))
            .or_else(|| share("opacity", strongest.into()))
            .or_else(|| (weakest > strongest).then(|| "opacity: the range is empty".to_owned()))
            .or_else(|| share("marker", self.marker.into()))
            .or_else(|| hospital("hospital_a", &self.hospital_a))
            .or_else(|| hospital("hospital_b", &self.hospital_b))
    }
}

use serde::{Deserialize, Serialize};

/// A 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// The 97.5 % point of the standard normal distribution.
    const Z: f64 = 1.959_963_984_540_054;

    /// `mean` ± 1.96 standard deviations.
    pub(crate) fn normal(mean: f64, variance: f64) -> Self {
        let half = Self::Z * variance.sqrt();
        Self { low: mean - half, high: mean + half }
    }

    /// The middle 95 % of the values, by linear interpolation between order statistics (R's type 7).
    pub(crate) fn percentile(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let at = |fraction: f64| {
            let place = fraction * (values.len() - 1) as f64;
            let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        Self { low: at(0.025), high: at(0.975) }
    }

    /// Whether `value` lies in the interval, ends included.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// The interval cut to `[low, high]`.
    pub(crate) fn cut(self, low: f64, high: f64) -> Self {
        Self { low: self.low.clamp(low, high), high: self.high.clamp(low, high) }
    }
}

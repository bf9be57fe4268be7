//! How strong an attack is.

use std::{fmt, str::FromStr};

use nn::Draws;
use tch::{Device, Kind, Tensor};

/// The bound ε of a perturbation: one value, or a range from which one value is drawn for each minibatch.
///
/// Written `0.03` or `0.01..0.05`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epsilon {
    low: f64,
    high: f64,
}

/// A text that is no [`Epsilon`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no bound: write a number that is not negative, as in 0.03, or a range, as in 0.01..0.05")]
pub struct NoEpsilon(String);

impl Epsilon {
    /// No perturbation.
    pub const ZERO: Self = Self { low: 0.0, high: 0.0 };

    /// The uniform distribution of the paper's training: `U[0.01, 0.05]`.
    pub const PAPER: Self = Self { low: 0.01, high: 0.05 };

    /// The largest value.
    pub fn largest(self) -> f64 {
        self.high
    }

    /// A value of the range, as a scalar on the device, f64. A range draws `"epsilon"`.
    pub fn drawn(self, draws: &Draws, device: Device) -> Tensor {
        if self.low < self.high {
            return draws.number("epsilon", device) * (self.high - self.low) + self.low;
        }
        Tensor::full([0; 0], self.low, (Kind::Double, device))
    }

    /// Whether every value is 0.
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }
}

impl From<f64> for Epsilon {
    fn from(value: f64) -> Self {
        Self { low: value, high: value }
    }
}

impl fmt::Display for Epsilon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, high } = self;
        if low < high { write!(f, "{low}..{high}") } else { write!(f, "{low}") }
    }
}

impl FromStr for Epsilon {
    type Err = NoEpsilon;

    fn from_str(text: &str) -> Result<Self, NoEpsilon> {
        let (low, high) = text.split_once("..").unwrap_or((text, text));
        match (low.parse(), high.parse()) {
            (Ok(low), Ok(high)) if (0.0..=high).contains(&low) && f64::is_finite(high) => {
                Ok(Self { low, high })
            }
            _ => Err(NoEpsilon(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use nn::Draws;
    use tch::{Device, Tensor};

    use super::Epsilon;

    #[test]
    fn values_and_ranges_are_read_back() {
        for text in ["0", "0.03", "0.01..0.05", "1"] {
            assert_eq!(text.parse::<Epsilon>().unwrap().to_string(), text);
        }
        assert_eq!("0.01..0.05".parse(), Ok(Epsilon::PAPER));
        assert_eq!("0..0".parse(), Ok(Epsilon::ZERO));
    }

    #[test]
    fn what_is_no_bound_is_refused() {
        for text in ["", "-0.1", "0.05..0.01", "..", "0.1..", "nan", "inf", "0..inf", "8/255"] {
            let error = text.parse::<Epsilon>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is no bound")), "{error}");
        }
    }

    #[test]
    fn a_draw_is_within_the_range() {
        let drawn = |epsilon: Epsilon, place: f64| {
            let draws = Draws::new(0, 0, 0).fix("epsilon", Tensor::from_slice(&[place]));
            epsilon.drawn(&draws, Device::Cpu).double_value(&[])
        };
        assert!((drawn(Epsilon::PAPER, 0.0) - 0.01).abs() < 1e-15);
        assert!((drawn(Epsilon::PAPER, 0.5) - 0.03).abs() < 1e-15);
        assert!((drawn(Epsilon::from(0.3), 0.7) - 0.3).abs() < 1e-15);
    }
}

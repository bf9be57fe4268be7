//! The kinds of corruption and their strengths.

use std::{fmt, str::FromStr};

use nn::choice;
use tch::Tensor;

use crate::{change, jpeg};

choice! {
    "corruption",
    /// What happens to an image.
    pub enum Kind {
        /// Exposure: greys × (1 + strength).
        Gain = "gain",
        /// Another tone curve: greys to the power of 1 + strength.
        Gamma = "gamma",
        /// Normal noise of this standard deviation, of `[0, 1]`.
        Noise = "noise",
        /// A Gaussian blur of this standard deviation, in fractions of the side.
        Blur = "blur",
        /// JPEG of quality 100 × (1 − strength).
        Jpeg = "jpeg",
        /// A turn by this angle in degrees, counterclockwise; what turns in is black.
        Rotation = "rotation",
    }
}

/// A corruption of some strength; strength 0 leaves images as they are, bit for bit. Written `blur-0.01`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Corruption {
    kind: Kind,
    strength: f64,
}

/// A text that is no [`Corruption`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Invalid {
    /// No kind of this name, or no number after it.
    #[error("`{0}` is no corruption: write a kind and a strength, as in blur-0.01")]
    Form(String),
    /// The strength is out of range.
    #[error("`{text}`: the strength of {kind} is from 0 to {most}")]
    Strength {
        /// What was written.
        text: String,
        /// The kind.
        kind: Kind,
        /// The greatest strength.
        most: f64,
    },
}

impl Kind {
    /// The strengths that are measured where none is given, rising.
    pub fn strengths(self) -> [f64; 3] {
        match self {
            Self::Gain => [0.1, 0.2, 0.4],
            Self::Gamma => [0.25, 0.5, 1.0],
            Self::Noise => [0.02, 0.05, 0.1],
            Self::Blur => [0.005, 0.01, 0.02],
            Self::Jpeg => [0.5, 0.7, 0.9],
            Self::Rotation => [5.0, 10.0, 20.0],
        }
    }

    /// The greatest strength that means something.
    fn most(self) -> f64 {
        match self {
            Self::Gain | Self::Gamma => 10.0,
            Self::Noise => 1.0,
            Self::Blur => 0.25,
            Self::Jpeg => 0.99,
            Self::Rotation => 180.0,
        }
    }
}

impl Corruption {
    /// This kind in its standard strengths.
    pub fn standard(kind: Kind) -> impl Iterator<Item = Self> {
        kind.strengths().into_iter().map(move |strength| Self { kind, strength })
    }

    /// What happens.
    pub fn kind(self) -> Kind {
        self.kind
    }

    /// How much of it, in the unit of its [`Kind`].
    pub fn strength(self) -> f64 {
        self.strength
    }

    /// What a reader calls it: `blur, 1 % of the side`.
    pub fn title(self) -> String {
        let Self { kind, strength } = self;
        match kind {
            Kind::Gain => format!("gain × {}", 1.0 + strength),
            Kind::Gamma => format!("gamma {}", 1.0 + strength),
            Kind::Noise => format!("noise, SD {strength}"),
            Kind::Blur => format!("blur, SD {} % of the side", strength * 100.0),
            Kind::Jpeg => format!("JPEG, quality {}", jpeg::quality(strength)),
            Kind::Rotation => format!("turned by {strength}°"),
        }
    }

    /// The images `x` (in `[0, 1]`) after it, in `[0, 1]`. Noise is drawn by an image's place, `first` for the first one:
    /// how many images are changed at once makes no difference.
    pub fn apply(self, x: &Tensor, first: u64) -> Tensor {
        let strength = self.strength;
        if strength <= 0.0 {
            return x.shallow_clone();
        }
        let changed = tch::no_grad(|| match self.kind {
            Kind::Gain => x * (1.0 + strength),
            Kind::Gamma => x.pow_tensor_scalar(1.0 + strength),
            Kind::Noise => change::noise(x, strength, first),
            Kind::Blur => change::blur(x, strength),
            Kind::Jpeg => jpeg::compress(x, strength),
            Kind::Rotation => change::rotate(x, strength),
        });
        changed.clamp(0.0, 1.0)
    }
}

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.kind, self.strength)
    }
}

impl FromStr for Corruption {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let form = || Invalid::Form(text.to_owned());
        let (kind, strength) = text.split_once('-').ok_or_else(form)?;
        let kind: Kind = kind.parse().map_err(|_| form())?;
        let strength: f64 = strength.parse().map_err(|_| form())?;
        if (0.0..=kind.most()).contains(&strength) {
            Ok(Self { kind, strength })
        } else {
            Err(Invalid::Strength { text: text.to_owned(), kind, most: kind.most() })
        }
    }
}

#[cfg(test)]
mod tests {
    use nn::uniform;
    use tch::{Device, Kind as Number};

    use super::*;

    /// A bright square on dark noise: edges to blur, and grey to the very border.
    fn images() -> Tensor {
        let x = uniform(1, &[4, 1, 32, 32], Device::Cpu) * 0.5;
        let _ = x.narrow(2, 8, 12).narrow(3, 10, 9).g_add_scalar_(0.5);
        x
    }

    fn distance(a: &Tensor, b: &Tensor) -> f64 {
        (a - b).abs().mean(Number::Double).double_value(&[])
    }

    fn every() -> impl Iterator<Item = Corruption> {
        Kind::ALL.iter().flat_map(|kind| Corruption::standard(*kind))
    }

    #[test]
    fn strength_zero_changes_no_bit() {
        for &kind in Kind::ALL {
            let none: Corruption = format!("{kind}-0").parse().unwrap();
            assert_eq!(none.apply(&images(), 0), images(), "{kind}");
        }
    }

    #[test]
    fn images_stay_in_range_and_stronger_is_further_away() {
        for &kind in Kind::ALL {
            let mut last = 0.0;
            for corruption in Corruption::standard(kind) {
                let changed = corruption.apply(&images(), 0);
                assert_eq!((changed.size(), changed.kind()), (images().size(), Number::Float));
                let (low, high) = (changed.min().double_value(&[]), changed.max().double_value(&[]));
                assert!(0.0 <= low && high <= 1.0, "{corruption}: {low} to {high}");
                let now = distance(&changed, &images());
                assert!(now > last, "{corruption}: {now} after {last}");
                last = now;
            }
        }
    }

    #[test]
    fn an_image_comes_out_the_same_alone_and_among_others() {
        let all = images();
        for corruption in every() {
            let together = corruption.apply(&all, 7);
            for index in 0..4 {
                let alone = corruption.apply(&all.narrow(0, index, 1), 7 + index as u64);
                assert!(distance(&alone, &together.narrow(0, index, 1)) < 1e-6, "{corruption}");
            }
        }
    }

    #[test]
    fn each_does_what_its_name_says() {
        let x = images();
        let apply = |text: &str| text.parse::<Corruption>().unwrap().apply(&x, 0);
        assert!(distance(&apply("gain-0.2"), &(&x * 1.2).clamp_max(1.0)) < 1e-6);
        assert!(distance(&apply("gamma-1"), &(&x * &x)) < 1e-6);
        let noise = (apply("noise-0.02") - &x).std(true).double_value(&[]);
        assert!((noise - 0.02).abs() < 0.001, "{noise}");
        // Far from the border a turn by 90° is the transposed, mirrored image.
        assert!(distance(&apply("rotation-90"), &x.rot90(1, [2, 3])) < 1e-5);
        let flat = Tensor::full([1, 1, 32, 32], 0.4, (Number::Float, Device::Cpu));
        let blurred = "blur-0.05".parse::<Corruption>().unwrap().apply(&flat, 0);
        assert!(distance(&blurred, &flat) < 1e-6, "a blur keeps what is even, to the border");
    }

    #[test]
    fn names_are_read_back_and_others_are_refused() {
        for corruption in every() {
            assert_eq!(corruption.to_string().parse(), Ok(corruption));
        }
        for text in
            ["blur", "blur-", "blur-x", "blur-nan", "blur--1", "jpeg-1", "rotation-181", "bloom-1", ""]
        {
            assert!(text.parse::<Corruption>().is_err(), "{text}");
        }
    }
}

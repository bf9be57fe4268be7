//! How large a stored image is, and how its shape is made to fit.

use std::fmt;
use std::str::FromStr;

/// How large the stored image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    /// As published.
    Native,
    /// This many pixels along the shorter side (for the square fits: along every side); smaller images are enlarged.
    Shorter(u32),
}

/// How the shape of the published image is made to fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fit {
    /// The whole image with its own aspect ratio.
    #[default]
    Keep,
    /// The whole image as a square, its aspect ratio lost.
    Squash,
    /// The central square.
    Crop,
    /// The whole image in the middle of a black square.
    Pad,
}

/// A word that names no size, or no fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not allowed here: {allowed}")]
pub struct ParseError {
    word: String,
    allowed: &'static str,
}

impl Size {
    /// The longest shorter side that can be asked for, in pixels.
    pub const MAX: u32 = 8192;
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Native => f.write_str("native"),
            Self::Shorter(pixels) => write!(f, "{pixels}"),
        }
    }
}

impl FromStr for Size {
    type Err = ParseError;

    fn from_str(word: &str) -> Result<Self, ParseError> {
        if word == "native" {
            return Ok(Self::Native);
        }
        match word.parse() {
            Ok(pixels) if (1..=Self::MAX).contains(&pixels) => Ok(Self::Shorter(pixels)),
            _ => Err(ParseError {
                word: word.to_owned(),
                allowed: "`native`, or a number of pixels from 1 to 8192",
            }),
        }
    }
}

impl Fit {
    /// Every fit, the default first.
    pub const ALL: [Self; 4] = [Self::Keep, Self::Squash, Self::Crop, Self::Pad];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Squash => "squash",
            Self::Crop => "crop",
            Self::Pad => "pad",
        }
    }
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fit {
    type Err = ParseError;

    fn from_str(word: &str) -> Result<Self, ParseError> {
        Self::ALL
            .into_iter()
            .find(|fit| fit.name() == word)
            .ok_or_else(|| ParseError { word: word.to_owned(), allowed: "`keep`, `squash`, `crop` or `pad`" })
    }
}

#[cfg(test)]
mod tests {
    use super::{Fit, Size};

    #[test]
    fn words_and_values_go_both_ways() {
        for word in ["native", "1", "256", "8192"] {
            assert_eq!(word.parse::<Size>().unwrap().to_string(), word);
        }
        for word in ["", "0", "-1", "8193", "Native", "2.5"] {
            assert!(word.parse::<Size>().is_err(), "{word}");
        }
        for fit in Fit::ALL {
            assert_eq!(fit.to_string().parse::<Fit>().unwrap(), fit);
        }
        assert!("stretch".parse::<Fit>().unwrap_err().to_string().contains("`squash`"));
    }
}

//! A hash that is alike for pictures that look alike.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// 256 bits that change little when a picture is scaled, re-encoded or brightened. Written as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PerceptualHash(pub [u64; 4]);

impl PerceptualHash {
    /// Number of bits in which two hashes differ, `0..=256`.
    pub fn distance(&self, other: &Self) -> u32 {
        self.0.iter().zip(&other.0).map(|(a, b)| (a ^ b).count_ones()).sum()
    }

    /// Whether two hashes differ in at most so many bits.
    #[inline]
    pub fn is_near(&self, other: &Self, bits: u32) -> bool {
        let first = (self.0[0] ^ other.0[0]).count_ones(); // tells most pairs of different pictures apart
        first <= bits && self.distance(other) <= bits
    }
}

impl fmt::Display for PerceptualHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|word| write!(f, "{word:016x}"))
    }
}

impl FromStr for PerceptualHash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a perceptual hash (64 hexadecimal digits)");
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| wrong())?;
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_be_bytes(bytes.try_into().expect("chunks of eight"));
        }
        Ok(Self(words))
    }
}

impl From<PerceptualHash> for String {
    fn from(hash: PerceptualHash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for PerceptualHash {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::PerceptualHash;

    #[test]
    fn text_and_back_and_distance() {
        let (zero, some) = (PerceptualHash([0; 4]), PerceptualHash([1, 0, 0, 1 << 63 | 2]));
        assert_eq!(some.to_string().parse(), Ok(some));
        assert_eq!(some.distance(&zero), 3);
        assert!(some.is_near(&zero, 3) && !some.is_near(&zero, 2) && !some.is_near(&zero, 0));
        assert!("00".parse::<PerceptualHash>().is_err());
    }
}

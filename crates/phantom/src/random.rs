//! Draws by name: a new kind of draw never shifts an old one.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The generator of the draws called `purpose` (at most 16 bytes) for item `index` of a plan's `seed`.
pub(crate) fn stream(seed: u64, purpose: &str, index: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&index.to_le_bytes());
    key[16..16 + purpose.len()].copy_from_slice(purpose.as_bytes());
    ChaCha8Rng::from_seed(key)
}

/// Twelve hexadecimal digits, as SIIM-FISABIO-RSNA names patients, studies, series and images.
pub(crate) fn hex_id(random: &mut impl Rng) -> String {
    format!("{:012x}", random.random::<u64>() >> 16)
}

/// `middle` give or take `reach`, evenly.
pub(crate) fn around(random: &mut impl Rng, middle: f32, reach: f32) -> f32 {
    random.random_range(middle - reach..=middle + reach)
}

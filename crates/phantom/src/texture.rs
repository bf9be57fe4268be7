//! Smooth noise: random values on a lattice, blended between.

/// Noise in `[-1, 1]` with features of size 1; every `seed` is another pattern.
pub(crate) fn smooth_noise(seed: u64, [x, y]: [f32; 2]) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let blend = |t: f32| t * t * (3.0 - 2.0 * t);
    let (u, v) = (blend(x - left), blend(y - top));
    let corner = |dx: i64, dy: i64| lattice(seed, left as i64 + dx, top as i64 + dy);
    let upper = corner(0, 0) + u * (corner(1, 0) - corner(0, 0));
    let lower = corner(0, 1) + u * (corner(1, 1) - corner(0, 1));
    upper + v * (lower - upper)
}

/// Three octaves of [`smooth_noise`], each half as large and half as strong as the one before.
pub(crate) fn cloud(seed: u64, [x, y]: [f32; 2]) -> f32 {
    let octave = |i: u64, scale: f32| smooth_noise(seed.wrapping_add(i), [x * scale, y * scale]) / scale;
    (octave(0, 1.0) + octave(1, 2.0) + octave(2, 4.0)) / 1.75
}

/// A fixed value in `[-1, 1]` for every lattice point (the finaliser of `SplitMix64`).
fn lattice(seed: u64, x: i64, y: i64) -> f32 {
    let mut z = seed
        .wrapping_add((x as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_add((y as u64).wrapping_mul(0xd1b5_4a32_d192_ed03));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    (z >> 40) as f32 / (1u64 << 23) as f32 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_bounded_centred_and_continuous() {
        let points: Vec<[f32; 2]> =
            (0..10_000).map(|i| [i as f32 * 0.37 - 1_000.0, i as f32 * 0.73]).collect();
        let values: Vec<f32> = points.iter().map(|&p| cloud(7, p)).collect();
        assert!(values.iter().all(|value| value.abs() <= 1.0));
        assert!((values.iter().sum::<f32>() / values.len() as f32).abs() < 0.02);
        for &[x, y] in &points {
            assert!((cloud(7, [x, y]) - cloud(7, [x + 0.004, y])).abs() < 0.1);
        }
    }
}

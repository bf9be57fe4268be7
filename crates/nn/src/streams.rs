//! Random numbers by name. Each stream is seeded by what it is for, so that a new draw never shifts an old one and
//! nothing depends on global state, on the order of calls, or on the device.

use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use tch::{Device, Kind, Tensor};

/// The seed of the stream for `purpose` in one step of one epoch of one run.
pub fn stream_seed(run_seed: u64, purpose: &str, epoch: u64, step: u64) -> u64 {
    let mut hash = Sha256::new();
    for number in [run_seed, epoch, step] {
        hash.update(number.to_le_bytes());
    }
    hash.update(purpose.as_bytes());
    u64::from_le_bytes(hash.finalize()[..8].try_into().expect("a SHA-256 has 32 bytes"))
}

/// The generator for `purpose`, for draws made on the host.
pub fn stream(run_seed: u64, purpose: &str, epoch: u64, step: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(stream_seed(run_seed, purpose, epoch, step))
}

/// The indices `0..count` in an order that depends on run and epoch alone.
pub fn shuffled(count: usize, run_seed: u64, epoch: u64) -> Vec<i64> {
    let mut indices: Vec<i64> = (0..count as i64).collect();
    indices.shuffle(&mut stream(run_seed, "shuffle", epoch, 0));
    indices
}

/// Uniform values in `[0, 1)`, f32, made on the device: element i is a hash of (seed, i), so a CPU and a GPU draw the same.
///
/// The hash is lowbias32 (C. Wellons), `h(h(i ⊕ low half of the seed) ⊕ high half)`; its upper 24 bits are the value.
pub fn uniform(seed: u64, shape: &[i64], device: Device) -> Tensor {
    tch::no_grad(|| hashed(&lying(seed, device), places(shape, device)))
}

/// The halves of a seed as scalars on the device.
pub(crate) fn lying(seed: u64, device: Device) -> [Tensor; 2] {
    halves(seed).map(|half| Tensor::full([0; 0], half, (Kind::Int64, device)))
}

/// The lower and the upper half of a seed.
pub(crate) fn halves(seed: u64) -> [i64; 2] {
    [i64::from(seed as u32), i64::from((seed >> 32) as u32)]
}

/// The place of each element in a stream.
pub(crate) fn places(shape: &[i64], device: Device) -> Tensor {
    let count: i64 = shape.iter().product();
    assert!(count <= 1 << 32, "a stream has 2³² values");
    Tensor::arange(count, (Kind::Int64, device)).reshape(shape)
}

/// The values at these places of the stream with these halves of a seed; the places are written over.
pub(crate) fn hashed(seed: &[Tensor; 2], mut places: Tensor) -> Tensor {
    for half in seed {
        places = lowbias32(places.bitwise_xor_tensor_(half));
    }
    places.bitwise_right_shift_tensor_scalar(8).to_kind(Kind::Float) * (1.0 / f64::from(1 << 24))
}

/// Standard normal values (Box & Muller 1958), f32, made on the device of two halves of what [`uniform`] draws.
pub fn normal(seed: u64, shape: &[i64], device: Device) -> Tensor {
    let draws = uniform(seed, &[[2].as_slice(), shape].concat(), device);
    let (radius, angle) = (draws.get(0), draws.get(1));
    (radius.neg().log1p() * -2.0).sqrt() * (angle * std::f64::consts::TAU).cos()
}

/// A bijection of 32-bit numbers, held in i64 without overflow: the second factor is 0x846ca68b − 2³².
fn lowbias32(mut bits: Tensor) -> Tensor {
    for (shift, factor) in [(16, 0x7feb_352d_i64), (15, 0x846c_a68b - (1 << 32))] {
        let shifted = bits.bitwise_right_shift_tensor_scalar(shift);
        bits = bits.bitwise_xor_tensor_(&shifted);
        bits = bits.g_mul_scalar_(factor).bitwise_and_(0xffff_ffff);
    }
    let shifted = bits.bitwise_right_shift_tensor_scalar(16);
    bits.bitwise_xor_tensor_(&shifted)
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::{shuffled, stream_seed, uniform};

    /// The hash on plain u32, as its author gives it.
    fn reference(seed: u64, i: u32) -> f32 {
        fn lowbias32(mut x: u32) -> u32 {
            x ^= x >> 16;
            x = x.wrapping_mul(0x7feb_352d);
            x ^= x >> 15;
            x = x.wrapping_mul(0x846c_a68b);
            x ^ (x >> 16)
        }
        (lowbias32(lowbias32(i ^ seed as u32) ^ (seed >> 32) as u32) >> 8) as f32 / (1 << 24) as f32
    }

    #[test]
    fn tensor_arithmetic_is_the_32_bit_hash() {
        for seed in [0, 1, u64::MAX, 0x8000_0000_ffff_ffff, 0xdead_beef_0bad_cafe] {
            let drawn = Vec::<f32>::try_from(uniform(seed, &[300], Device::Cpu)).unwrap();
            let expected: Vec<f32> = (0..300).map(|i| reference(seed, i)).collect();
            assert_eq!(drawn, expected, "seed {seed:#x}");
        }
    }

    #[test]
    fn values_are_uniform_and_streams_are_unrelated() {
        let n = 1 << 20;
        let draw = |purpose, step| {
            uniform(stream_seed(7, purpose, 0, step), &[n], Device::Cpu).to_kind(Kind::Double)
        };
        let (a, b, c) = (draw("mask", 0), draw("mask", 1), draw("start", 0));
        let counts = Vec::<f64>::try_from(a.histc(64)).unwrap();
        let mean = n as f64 / 64.0;
        let chi_squared: f64 = counts.iter().map(|count| (count - mean).powi(2) / mean).sum();
        assert!(chi_squared < 125.0, "63 degrees of freedom: p < 1e-5 at {chi_squared}");
        for other in [b, c, a.roll(1, 0)] {
            let covariance = ((&a - 0.5) * (other - 0.5)).mean(Kind::Double).double_value(&[]) * 12.0;
            assert!(covariance.abs() < 5.0 / (n as f64).sqrt(), "correlation {covariance}");
        }
    }

    #[test]
    fn shuffling_permutes_and_depends_on_run_and_epoch() {
        let mut order = shuffled(100, 1, 0);
        assert_eq!(order, shuffled(100, 1, 0));
        assert_ne!(order, shuffled(100, 1, 1));
        assert_ne!(order, shuffled(100, 2, 0));
        order.sort_unstable();
        assert!(order.into_iter().eq(0..100));
    }
}

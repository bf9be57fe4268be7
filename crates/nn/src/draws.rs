//! The random draws of a step of training.

use std::cell::RefCell;

use tch::{Device, Kind, Tensor};

use crate::{
    Rows,
    streams::{halves, hashed, lying, places, stream_seed},
};

/// The random draws of one step, each by its name; a test fixes the ones it wants to choose.
///
/// Seeds are numbers on the device, so that a [recorded](crate::Recording) step draws anew after [`Draws::go_to`].
#[derive(Debug)]
pub struct Draws {
    run_seed: u64,
    epoch: u64,
    step: u64,
    rows: Option<Rows>,
    fixed: Vec<(&'static str, Tensor)>,
    seeds: RefCell<Vec<Seed>>,
}

/// Where the seed of a purpose lies.
#[derive(Debug)]
struct Seed {
    purpose: String,
    device: Device,
    halves: [Tensor; 2],
}

impl Draws {
    /// The draws of this step of this epoch.
    pub fn new(run_seed: u64, epoch: u64, step: u64) -> Self {
        Self { run_seed, epoch, step, rows: None, fixed: Vec::new(), seeds: RefCell::default() }
    }

    /// The same draws for some rows of the minibatch.
    #[must_use]
    pub fn of(mut self, rows: Rows) -> Self {
        self.rows = (rows.count < rows.of).then_some(rows);
        self
    }

    /// The same draws, with the one for `purpose` replaced by `values` in `[0, 1)`.
    #[must_use]
    pub fn fix(mut self, purpose: &'static str, values: Tensor) -> Self {
        self.fixed.push((purpose, values));
        self
    }

    /// From now on the draws are those of this step; their seeds stay where they are.
    pub fn go_to(&mut self, epoch: u64, step: u64) {
        (self.epoch, self.step) = (epoch, step);
        for seed in self.seeds.get_mut() {
            let new = halves(stream_seed(self.run_seed, &seed.purpose, epoch, step));
            for (place, half) in seed.halves.iter_mut().zip(new) {
                let _ = place.fill_(half);
            }
        }
    }

    /// Uniform values in `[0, 1)`, f32, for `purpose`; images are along the first dimension.
    pub fn uniform(&self, purpose: &str, shape: &[i64], device: Device) -> Tensor {
        self.uniform_along(0, purpose, shape, device)
    }

    /// Uniform values in `[0, 1)`, f32, for `purpose`; images are along this dimension.
    pub fn uniform_along(&self, images: usize, purpose: &str, shape: &[i64], device: Device) -> Tensor {
        self.drawn(purpose, device, shape, || {
            let Some(rows) = self.rows else { return places(shape, device) };
            let mut whole = shape.to_vec();
            whole[images] = rows.of as i64;
            let rows = places(&whole, device).narrow(images as i64, rows.first as i64, rows.count as i64);
            rows.contiguous()
        })
    }

    /// One uniform number in `[0, 1)` for `purpose`, the same for all rows: a scalar, f64, on the device.
    pub fn number(&self, purpose: &str, device: Device) -> Tensor {
        self.drawn(purpose, device, &[], || places(&[], device)).to_kind(Kind::Double)
    }

    fn drawn(&self, purpose: &str, device: Device, shape: &[i64], places: impl Fn() -> Tensor) -> Tensor {
        let fixed = self.fixed.iter().find(|(name, _)| *name == purpose);
        fixed.map_or_else(
            || tch::no_grad(|| hashed(&self.seed(purpose, device), places())),
            |(_, values)| values.to_device(device).reshape(shape),
        )
    }

    fn seed(&self, purpose: &str, device: Device) -> [Tensor; 2] {
        let mut seeds = self.seeds.borrow_mut();
        let place = seeds.iter().position(|seed| seed.purpose == purpose && seed.device == device);
        let place = place.unwrap_or_else(|| {
            let seed = stream_seed(self.run_seed, purpose, self.epoch, self.step);
            seeds.push(Seed { purpose: purpose.to_owned(), device, halves: lying(seed, device) });
            seeds.len() - 1
        });
        seeds[place].halves.each_ref().map(Tensor::shallow_clone)
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Tensor};

    use super::Draws;
    use crate::{Share, stream_seed, uniform};

    #[test]
    fn names_keep_streams_apart_and_a_fixed_draw_leaves_the_others() {
        let free = Draws::new(3, 1, 2);
        let fixed = Draws::new(3, 1, 2).fix("epsilon", Tensor::from_slice(&[0.25f32]));
        assert!((fixed.number("epsilon", Device::Cpu).double_value(&[]) - 0.25).abs() < 1e-12);
        assert_eq!(fixed.uniform("mask", &[2, 3], Device::Cpu), free.uniform("mask", &[2, 3], Device::Cpu));
        assert_ne!(free.uniform("mask", &[6], Device::Cpu), free.uniform("start", &[6], Device::Cpu));
        assert_ne!(stream_seed(0, "a", 1, 0), stream_seed(0, "a", 0, 1));
    }

    #[test]
    fn draws_are_those_of_the_stream_of_the_step_they_went_to() {
        let expected = |purpose, step| uniform(stream_seed(3, purpose, 1, step), &[5], Device::Cpu);
        let mut draws = Draws::new(3, 1, 2);
        assert_eq!(draws.uniform("mask", &[5], Device::Cpu), expected("mask", 2));
        let seed = draws.seed("mask", Device::Cpu);
        draws.go_to(1, 3);
        assert_eq!(draws.uniform("mask", &[5], Device::Cpu), expected("mask", 3));
        assert_eq!(draws.uniform("start", &[5], Device::Cpu), expected("start", 3), "not asked for before");
        let one = expected("epsilon", 3).double_value(&[0]);
        assert!((draws.number("epsilon", Device::Cpu).double_value(&[]) - one).abs() < 1e-12);
        assert_eq!(seed[0].data_ptr(), draws.seed("mask", Device::Cpu)[0].data_ptr(), "it is where it was");
    }

    #[test]
    fn the_draws_of_some_rows_are_those_of_the_minibatch() {
        let whole = Draws::new(3, 1, 2);
        for size in [2, 3] {
            for rank in 0..size {
                let rows = Share { rank, size }.rows(7);
                let part = Draws::new(3, 1, 2).of(rows);
                let (first, count) = (rows.first as i64, rows.count as i64);
                let of = |whole: Tensor, dimension| whole.narrow(dimension, first, count);
                let expected = of(whole.uniform("mask", &[7, 1, 4, 5], Device::Cpu), 0);
                assert_eq!(part.uniform("mask", &[count, 1, 4, 5], Device::Cpu), expected);
                let expected = of(whole.uniform("attack start", &[3, 7, 4], Device::Cpu), 1);
                assert_eq!(part.uniform_along(1, "attack start", &[3, count, 4], Device::Cpu), expected);
                let [a, b] = [&part, &whole].map(|draws| draws.number("epsilon", Device::Cpu));
                assert_eq!(a, b);
            }
        }
    }
}

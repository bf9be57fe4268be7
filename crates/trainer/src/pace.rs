//! How long training will take, from a few steps.

use std::time::{Duration, Instant};

use method::TrainingMethod;
use nn::{Draws, Error, Network, Sgd, Share, predict_each};

use crate::Source;

/// Steps that are measured, after one that is not: it sets things up.
const MEASURED: u64 = 2;

/// What a minibatch takes, from the host's question to the device's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// To train on.
    pub step: Duration,
    /// To validate with.
    pub validation: Duration,
}

impl Pace {
    /// An epoch of so many images to train on and to validate with.
    pub fn epoch(&self, batch: usize, train: usize, validation: usize) -> Duration {
        let minibatches = |images: usize| images as f64 / batch as f64;
        self.step.mul_f64(minibatches(train)) + self.validation.mul_f64(minibatches(validation))
    }
}

/// Trains on the first `batch` images a few times and measures the fastest step; `network` is spoilt by it. `None` without
/// images.
pub fn pace(
    network: &Network,
    method: &dyn TrainingMethod,
    images: &dyn Source,
    batch: usize,
) -> Result<Option<Pace>, Error> {
    let mut sgd = Sgd::new(network, 0.9, 0.0);
    let Some((x, y)) = images.in_order(batch, Share::WHOLE).next().transpose()? else { return Ok(None) };
    let step = fastest(|step| {
        nn::guarded(|| {
            let losses = method.minibatch(network, &x, &y, &Draws::new(0, 0, step), &mut |loss, inputs| {
                sgd.descend(loss, inputs, 0.0)
            });
            losses.total.double_value(&[]); // waits for the device
        })
    })?;
    let validation = fastest(|_| predict_each(network, std::iter::once(Ok(x.shallow_clone()))).map(drop))?;
    Ok(Some(Pace { step, validation }))
}

fn fastest(mut step: impl FnMut(u64) -> Result<(), Error>) -> Result<Duration, Error> {
    step(0)?;
    let mut fastest = Duration::MAX;
    for number in 1..=MEASURED {
        let start = Instant::now();
        step(number)?;
        fastest = fastest.min(start.elapsed());
    }
    Ok(fastest)
}

#[cfg(test)]
mod tests {
    use method::method;
    use nn::{Images, Init, Options};
    use tch::Device;

    use super::*;

    #[test]
    fn an_epoch_takes_its_minibatches() {
        let pace = Pace { step: Duration::from_millis(300), validation: Duration::from_millis(100) };
        assert_eq!(pace.epoch(64, 640, 128), Duration::from_millis(3200));
    }

    #[test]
    fn steps_are_measured_where_there_are_images() {
        let (network, _) = Network::new(&Options::default(), &Init::Scratch).unwrap();
        let nt = method("nt").unwrap();
        let nt = (nt.build)(nt.defaults);
        let measured = |count: usize| {
            let images = Images::new(
                &vec![7; count * 32 * 32],
                &tch::Tensor::from_slice(&vec![1i64; count]),
                32,
                Device::Cpu,
            )
            .unwrap();
            pace(&network, nt.as_ref(), &images, 4).unwrap()
        };
        let found = measured(6).unwrap();
        assert!(found.step > Duration::ZERO && found.validation > Duration::ZERO);
        assert_eq!(measured(0), None);
    }
}

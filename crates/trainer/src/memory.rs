//! How many images the device's memory takes at once.

use method::TrainingMethod;
use nn::{Draws, Error, Network, Sgd, Share};

use crate::Source;

/// Minibatches are chosen in steps of so many images.
const STEP: usize = 8;

/// Share of the largest minibatch that is used: memory in pieces, and kernels with room of their own, take the rest.
const SHARE: f64 = 0.9;

/// The largest minibatch of at most `most` images of which `fits` says that the device takes it, less a tenth; `None`
/// where not even two images fit.
pub fn largest_batch<E>(
    most: usize,
    mut fits: impl FnMut(usize) -> Result<bool, E>,
) -> Result<Option<usize>, E> {
    let (mut good, mut bad) = (0, None);
    let mut next = STEP.min(most);
    while bad.is_none() && good < most {
        if fits(next)? {
            good = next;
            next = (2 * next).min(most);
        } else {
            bad = Some(next);
        }
    }
    let Some(mut bad) = bad else { return Ok(Some(most)) };
    while bad - good > STEP {
        let middle = good.midpoint(bad) / STEP * STEP;
        if middle <= good {
            break;
        }
        if fits(middle)? {
            good = middle;
        } else {
            bad = middle;
        }
    }
    if good >= STEP {
        return Ok(Some(((good as f64 * SHARE) as usize / STEP * STEP).max(STEP)));
    }
    Ok(if fits(2)? { Some(2) } else { None })
}

/// Whether training on minibatches of the first `batch` images fits into the device's memory; `network` is spoilt by it.
pub fn fits(
    network: &Network,
    method: &dyn TrainingMethod,
    images: &dyn Source,
    batch: usize,
) -> Result<bool, Error> {
    let mut sgd = Sgd::new(network, 0.9, 0.0);
    let (x, y) = match images.in_order(batch, Share::WHOLE).next().transpose() {
        Ok(Some(minibatch)) => minibatch,
        Ok(None) | Err(Error::OutOfMemory(_)) => return Ok(false),
        Err(error) => return Err(error),
    };
    let trial = nn::guarded(|| {
        for step in 0..2 {
            let losses = method.minibatch(network, &x, &y, &Draws::new(0, 0, step), &mut |loss, inputs| {
                sgd.descend(loss, inputs, 0.0)
            });
            losses.total.double_value(&[]); // waits: until then the device may not have refused yet
        }
    });
    match trial {
        Ok(()) => Ok(true),
        Err(Error::OutOfMemory(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use method::method;
    use nn::{Images, Init, Options};
    use tch::Device;

    use super::*;

    fn found(most: usize, limit: usize) -> (Option<usize>, usize) {
        let mut trials = 0;
        let fits = |batch| -> Result<bool, Infallible> {
            trials += 1;
            assert!((2..=most).contains(&batch), "{batch} was tried");
            Ok(batch <= limit)
        };
        (largest_batch(most, fits).unwrap(), trials)
    }

    #[test]
    fn the_largest_that_fits_is_found_in_few_trials() {
        for limit in 16..700 {
            let (batch, trials) = found(4000, limit);
            let batch = batch.unwrap();
            assert!(batch <= limit && batch + 16 > (limit as f64 * SHARE) as usize, "{batch} of {limit}");
            assert!(trials <= 16, "{trials}");
        }
        assert_eq!(found(4000, 5000).0, Some(4000), "all at once");
        assert_eq!(found(4000, 7).0, Some(2));
        assert_eq!(found(4000, 1).0, None);
        assert_eq!(found(5, 100).0, Some(5));
    }

    #[test]
    fn what_fits_fits() {
        let options = Options::default();
        let (network, _) = Network::new(&options, &Init::Scratch).unwrap();
        let images =
            Images::new(&[7; 4 * 32 * 32], &tch::Tensor::from_slice(&[0i64, 1, 0, 1]), 32, Device::Cpu)
                .unwrap();
        let method = method("sga").unwrap();
        assert!(fits(&network, (method.build)(method.defaults).as_ref(), &images, 4).unwrap());
    }
}

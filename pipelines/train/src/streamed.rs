//! Images that are read from their shards while they are used.

use cohort::{Plan, Squares, Stream};
use nn::{Error, Share, stream};
use tch::{Device, Tensor};
use trainer::{Minibatches, Order, Source};

/// A split in its shards.
#[derive(Debug)]
pub(crate) struct Streamed {
    stream: Stream,
    /// The truth of each image, N or N×K, on the CPU.
    truth: Tensor,
    /// Images that are shuffled together.
    buffer: usize,
    device: Device,
}

impl Streamed {
    pub(crate) fn new(stream: Stream, truth: Tensor, buffer: usize, device: Device) -> Self {
        Self { stream, truth, buffer, device }
    }

    /// The same images.
    pub(crate) fn shallow_clone(&self) -> Self {
        Self { stream: self.stream.clone(), truth: self.truth.shallow_clone(), ..*self }
    }

    fn read(&self, plan: Plan, batch: usize, share: Share) -> Minibatches<'_> {
        let part = move |count| {
            let rows = share.rows(count);
            rows.first..rows.first + rows.count
        };
        let squares = self.stream.read_part(plan, batch, part);
        Box::new(squares.map(|squares| self.on_device(&squares.map_err(unreadable)?)))
    }

    /// Pixels and truth on the device; on a GPU the copy of pinned memory does not wait for what the GPU still does.
    fn on_device(&self, squares: &Squares) -> Result<(Tensor, Tensor), Error> {
        let side = i64::from(self.stream.side());
        let places: Vec<i64> = squares.places.iter().map(|place| *place as i64).collect();
        let moved = |tensor: Tensor| {
            if self.device.is_cuda() {
                tensor.pin_memory(self.device).to_device_(self.device, tensor.kind(), true, false)
            } else {
                tensor
            }
        };
        nn::guarded(|| {
            let pixels = moved(Tensor::from_slice(&squares.pixels).reshape([-1, 1, side, side]));
            let truth = self.truth.index_select(0, &Tensor::from_slice(&places));
            (pixels.to_kind(tch::Kind::Float) / 255.0, moved(truth))
        })
    }
}

impl Source for Streamed {
    fn len(&self) -> usize {
        self.stream.len()
    }

    fn epoch(
        &self,
        seed: u64,
        epoch: u64,
        batch: usize,
        done: usize,
        share: Share,
    ) -> Result<Order<'_>, Error> {
        let plan = self.stream.shuffled(self.buffer, &mut stream(seed, "shuffle", epoch, 0));
        let images = plan.order().map(|place| place as i64).collect();
        Ok(Order { images, minibatches: self.read(plan.skip(done * batch), batch, share) })
    }

    fn in_order(&self, batch: usize, share: Share) -> Minibatches<'_> {
        self.read(self.stream.in_order(), batch, share)
    }
}

fn unreadable(error: cohort::Error) -> Error {
    Error::Source(Box::new(error))
}

//! Where images come from.

use nn::{Error, Images, Share, shuffled};
use tch::Tensor;

/// Images N×1×S×S, f32, in `[0, 1]`, and the truth of each as the task has it, N or N×…, on the device.
pub type Minibatches<'a> = Box<dyn Iterator<Item = Result<(Tensor, Tensor), Error>> + 'a>;

/// The images of an epoch.
pub struct Order<'a> {
    /// Which images, in the order in which they come.
    pub images: Vec<i64>,
    /// The images; those of minibatches that are done are left out.
    pub minibatches: Minibatches<'a>,
}

/// Images to train on or to validate with: in the device's memory, or read while they are used.
pub trait Source {
    /// The number of images.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All images at random, `batch` at a time, without the first `done` minibatches; of each minibatch this share. The
    /// order depends on seed and epoch alone.
    fn epoch(
        &self,
        seed: u64,
        epoch: u64,
        batch: usize,
        done: usize,
        share: Share,
    ) -> Result<Order<'_>, Error>;

    /// All images in their own order, `batch` at a time; of each minibatch this share.
    fn in_order(&self, batch: usize, share: Share) -> Minibatches<'_>;
}

impl Source for Images {
    fn len(&self) -> usize {
        Self::len(self)
    }

    fn epoch(
        &self,
        seed: u64,
        epoch: u64,
        batch: usize,
        done: usize,
        share: Share,
    ) -> Result<Order<'_>, Error> {
        let images = shuffled(Self::len(self), seed, epoch);
        // All at once: a copy before each minibatch would wait for the device.
        let places = nn::guarded(|| Tensor::from_slice(&images).to_device(self.device()))?;
        let minibatches = chunks(images.len(), batch).skip(done).map(move |(start, count)| {
            let rows = share.rows(count);
            nn::guarded(|| self.batch(&places.narrow(0, (start + rows.first) as i64, rows.count as i64)))
        });
        Ok(Order { images, minibatches: Box::new(minibatches) })
    }

    fn in_order(&self, batch: usize, share: Share) -> Minibatches<'_> {
        let minibatches = chunks(Self::len(self), batch);
        Box::new(minibatches.map(move |(start, count)| {
            let rows = share.rows(count);
            nn::guarded(|| self.range(start + rows.first, rows.count))
        }))
    }
}

/// Start and length of each minibatch of so many images.
pub(crate) fn chunks(images: usize, batch: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..images).step_by(batch).map(move |start| (start, batch.min(images - start)))
}

/// Start and length of each minibatch that is trained on. A last one of a single image is left out: it has no batch
/// statistics to speak of.
pub fn minibatches(images: usize, batch: usize) -> impl Iterator<Item = (usize, usize)> {
    chunks(images, batch).filter(move |(_, count)| *count > 1 || images == 1)
}

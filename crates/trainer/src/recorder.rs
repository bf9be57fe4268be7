//! Steps that a GPU does again without being asked for each operation.

use nn::{Draws, Error, Recording};
use tch::{Device, Tensor};

/// Steps before the one that is recorded: cuDNN looks for its fastest algorithms in them, and draws find their places.
const PLAIN: u32 = 3;

/// Records a step of training and replays it; minibatches of another size are trained on as ever. On a CPU the step is
/// done anew each time, from the same places.
#[derive(Debug)]
pub(crate) struct Recorder {
    device: Device,
    kept: Option<Kept>,
}

/// What a recorded step reads, always in the same places, and the record.
#[derive(Debug)]
struct Kept {
    x: Tensor,
    y: Tensor,
    draws: Draws,
    plain: u32,
    /// And where its result comes to lie.
    recording: Option<(Recording, Tensor)>,
}

impl Recorder {
    /// Gives this thread a stream of its own on a GPU: its default stream cannot be recorded.
    pub(crate) fn new(device: Device) -> Self {
        nn::own_stream(device);
        Self { device, kept: None }
    }

    /// What `work` makes of a minibatch with the draws of this run, epoch and step.
    pub(crate) fn step(
        &mut self,
        (x, y): (&Tensor, &Tensor),
        (seed, epoch, step): (u64, u64, u64),
        mut work: impl FnMut(&Tensor, &Tensor, &Draws) -> Tensor,
    ) -> Result<Tensor, Error> {
        // A run may go on with the last minibatch of an epoch, which is smaller.
        if self.kept.as_ref().is_none_or(|kept| kept.x.size()[0] < x.size()[0]) {
            let draws = Draws::new(seed, epoch, step);
            self.kept = Some(Kept { x: x.copy(), y: y.copy(), draws, plain: 0, recording: None });
        }
        let kept = self.kept.as_mut().expect("it was made just now or before");
        if kept.x.size() != x.size() {
            return nn::guarded(|| work(x, y, &Draws::new(seed, epoch, step)));
        }
        nn::guarded(|| {
            kept.x.copy_(x);
            kept.y.copy_(y);
            kept.draws.go_to(epoch, step);
        })?;
        let Kept { x, y, draws, .. } = &*kept;
        if kept.plain < PLAIN || !self.device.is_cuda() {
            let result = nn::guarded(|| work(x, y, draws))?;
            kept.plain += 1;
            return Ok(result);
        }
        if kept.recording.is_none() {
            kept.recording = Some(Recording::of(|| work(x, y, draws))?);
        }
        let (recording, result) = kept.recording.as_ref().expect("it was recorded just now or before");
        recording.replay()?;
        Ok(result.shallow_clone())
    }
}

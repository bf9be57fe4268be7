//! What a pass does with the BatchNorms.

use super::Feed;
use crate::World;

/// torchvision's.
const MOMENTUM: f64 = 0.1;

/// What a pass through the network does with the BatchNorms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Normalises with the running statistics.
    Eval,
    /// Normalises with the batch's statistics and moves the running ones (momentum 0.1).
    Train,
    /// Normalises with the batch's statistics and moves nothing.
    TrainFrozen,
    /// Normalises with the batch's statistics and the auxiliary weights, and moves the auxiliary running statistics.
    /// Panics unless the model has them ([`Options::auxiliary`](crate::Options::auxiliary)).
    Auxiliary,
}

impl Pass {
    /// What BatchNorms do in it, where these processes' images are one batch.
    pub(crate) fn feed(self, world: World) -> Feed {
        match self {
            Self::Eval => Feed::Running,
            Self::Train => Feed::Moving(MOMENTUM, world),
            Self::TrainFrozen => Feed::Batch(world),
            Self::Auxiliary => Feed::Auxiliary(MOMENTUM, world),
        }
    }
}

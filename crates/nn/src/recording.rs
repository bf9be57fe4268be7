//! Work that a GPU does again without being asked for each operation.

use crate::{Error, guarded, shim::Graph};

/// Work on a GPU, recorded as a CUDA graph.
///
/// Replayed, it reads and writes the same memory: what differs from time to time must lie in tensors that stay where they
/// are, and nothing of it may wait for the device or copy from the host.
#[derive(Debug)]
pub struct Recording(Graph);

impl Recording {
    /// Records `work`, which is not done yet, and gives what it returns: tensors to be filled by [`Recording::replay`]. The
    /// thread must have [a stream of its own](crate::own_stream), and have done the same work on it before, since libtorch
    /// prepares things when they are first used. No other thread may use the device meanwhile: cuDNN's search waits for the
    /// whole of it, which spoils what is being recorded.
    ///
    /// # Errors
    /// Something in it cannot be recorded, or this libtorch has no CUDA; work on the device cannot go on after it.
    pub fn of<T>(work: impl FnOnce() -> T) -> Result<(Self, T), Error> {
        let graph = Graph::begin()?;
        let made = guarded(work);
        let graph = graph.end();
        let made = made?; // what went wrong first
        Ok((Self(graph?), made))
    }

    /// Does it (again), after all that the thread's stream was asked for before.
    ///
    /// # Errors
    /// The device refuses.
    pub fn replay(&self) -> Result<(), Error> {
        Ok(self.0.replay()?)
    }
}

#[cfg(test)]
mod tests {
    use super::Recording;

    #[test]
    fn without_cuda_nothing_is_recorded() {
        if !tch::Cuda::is_available() {
            assert!(Recording::of(|| ()).is_err());
        }
    }
}

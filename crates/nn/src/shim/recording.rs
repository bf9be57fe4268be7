//! CUDA graphs (`cpp/recording.cpp`).

use std::ptr::NonNull;

use tch::TchError;

use super::{done, last_error};

#[repr(C)]
struct CGraph([u8; 0]);

unsafe extern "C" {
    fn sga_recording_begin() -> *mut CGraph;
    fn sga_recording_end(graph: *mut CGraph) -> bool;
    fn sga_recording_replay(graph: *mut CGraph) -> bool;
    fn sga_recording_free(graph: *mut CGraph);
}

/// What a stream was asked for, written down.
#[derive(Debug)]
pub(crate) struct Graph(NonNull<CGraph>);

impl Graph {
    /// Begins to write down what this thread asks its current stream for, which is not done; that must not be the device's
    /// default stream.
    pub(crate) fn begin() -> Result<Self, TchError> {
        // SAFETY: takes nothing; gives a graph that nobody else frees, or null.
        let graph = unsafe { sga_recording_begin() };
        NonNull::new(graph).map(Self).ok_or_else(|| TchError::Torch(last_error()))
    }

    /// Ends it, on the same thread.
    pub(crate) fn end(self) -> Result<Self, TchError> {
        // SAFETY: a live graph that has begun, since `begin` alone makes one.
        match done(unsafe { sga_recording_end(self.0.as_ptr()) }) {
            Ok(()) => Ok(self),
            Err(error) => {
                std::mem::forget(self); // libtorch's allocator goes on looking into it
                Err(error)
            }
        }
    }

    /// Asks the stream for all of it at once.
    pub(crate) fn replay(&self) -> Result<(), TchError> {
        // SAFETY: a live graph; libtorch refuses one that has not ended.
        done(unsafe { sga_recording_replay(self.0.as_ptr()) })
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        // SAFETY: the last use of a graph that nobody else frees.
        unsafe { sga_recording_free(self.0.as_ptr()) }
    }
}

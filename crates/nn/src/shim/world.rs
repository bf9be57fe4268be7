//! Several processes that train one network: c10d with Gloo and NCCL (`cpp/world.cpp`, `cpp/nccl.cpp`, `cpp/batch_norm.cpp`, `cpp/reducer.cpp`).

use std::{
    ffi::{CStr, CString, c_char, c_int},
    ptr::{self, NonNull},
    time::Duration,
};

use tch::{TchError, Tensor};
use torch_sys::C_tensor;

use super::{done, last_error, owned};

#[repr(C)]
struct CWorld([u8; 0]);

#[repr(C)]
struct CReducer([u8; 0]);

unsafe extern "C" {
    fn sga_world_meet(
        host: *const c_char,
        port: *mut u16,
        serve: bool,
        prefix: *const c_char,
        most_ms: i64,
    ) -> *mut CWorld;
    fn sga_world_join(
        world: *mut CWorld,
        address: *const c_char,
        rank: c_int,
        size: c_int,
        most_ms: i64,
        patience_ms: i64,
    ) -> bool;
    fn sga_world_over_gpus(world: *mut CWorld) -> bool;
    fn sga_world_end(world: *const CWorld) -> bool;
    fn sga_world_passes(world: *mut CWorld, images: i64, counts: bool);
    fn sga_world_images(world: *const CWorld) -> i64;
    fn sga_world_break(world: *const CWorld);
    fn sga_world_put(world: *const CWorld, name: *const c_char, message: *const c_char) -> bool;
    fn sga_world_message(world: *const CWorld, name: *const c_char, most_ms: i64) -> *const c_char;
    fn sga_world_broken(world: *const CWorld) -> bool;
    fn sga_world_sum(world: *const CWorld, tensor: *const C_tensor, most_ms: i64) -> bool;
    fn sga_world_broadcast(world: *const CWorld, tensor: *const C_tensor, most_ms: i64) -> bool;
    fn sga_joint_batch_norm(
        world: *const CWorld,
        x: *const C_tensor,
        weight: *const C_tensor,
        bias: *const C_tensor,
        running_mean: *const C_tensor,
        running_variance: *const C_tensor,
        momentum: f64,
        epsilon: f64,
    ) -> *mut C_tensor;
    fn sga_reducer_new(world: *const CWorld, weights: *const *mut C_tensor, count: usize) -> *mut CReducer;
    fn sga_reducer_free(reducer: *mut CReducer);
    fn sga_reducer_begin(reducer: *mut CReducer);
    fn sga_reducer_finish(reducer: *mut CReducer, sums: *mut *mut C_tensor) -> bool;
}

/// The other processes. A process has one, which lasts as long as it does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group(NonNull<CWorld>);

// SAFETY: c10d's store and process group lock what they share; the one switch beside them is set between passes.
unsafe impl Send for Group {}
// SAFETY: as above.
unsafe impl Sync for Group {}

impl Group {
    /// The place where ranks meet, and its port: made there where `serve`, else found; waits so long for it.
    pub(crate) fn meet(
        (host, mut port): (&str, u16),
        serve: bool,
        prefix: &str,
        most: Duration,
    ) -> Result<(Self, u16), TchError> {
        let (host, prefix) = (text(host), text(prefix));
        // SAFETY: C strings and a port that live through the call; the world that comes is never freed.
        let world =
            unsafe { sga_world_meet(host.as_ptr(), &raw mut port, serve, prefix.as_ptr(), millis(most)) };
        Ok((Self(NonNull::new(world).ok_or_else(|| TchError::Torch(last_error()))?), port))
    }

    /// Joins the others under this address of this machine; waits so long for them, and for each sum so long.
    pub(crate) fn join(
        self,
        address: &str,
        (rank, size): (usize, usize),
        most: Duration,
        patience: Duration,
    ) -> Result<(), TchError> {
        let (address, world) = (text(address), self.0.as_ptr());
        let (rank, size) = (rank as c_int, size as c_int);
        // SAFETY: a world that lives for good, and a C string that lives through the call.
        done(unsafe { sga_world_join(world, address.as_ptr(), rank, size, millis(most), millis(patience)) })
    }

    /// Lets what lies on GPUs go by NCCL from now on, which allows one rank on each.
    pub(crate) fn over_gpus(self) -> Result<(), TchError> {
        // SAFETY: a world that lives for good; nothing is under way in it.
        done(unsafe { sga_world_over_gpus(self.0.as_ptr()) })
    }

    /// Gives the GPUs back, while the others do the same.
    pub(crate) fn end(self) -> Result<(), TchError> {
        // SAFETY: a world that lives for good.
        done(unsafe { sga_world_end(self.0.as_ptr()) })
    }

    /// How many images of a minibatch all ranks pass together, and whether this rank's count in what all see.
    pub(crate) fn passes(self, images: usize, counts: bool) {
        // SAFETY: a world that lives for good; no pass is under way.
        unsafe { sga_world_passes(self.0.as_ptr(), images as i64, counts) }
    }

    /// How many images all ranks pass together.
    pub(crate) fn images(self) -> usize {
        // SAFETY: a world that lives for good.
        unsafe { sga_world_images(self.0.as_ptr()) as usize }
    }

    /// Leaves a message where ranks meet.
    pub(crate) fn put(self, name: &str, message: &str) -> Result<(), TchError> {
        let (name, message) = (text(name), text(message));
        // SAFETY: a world that lives for good, and C strings that live through the call.
        done(unsafe { sga_world_put(self.0.as_ptr(), name.as_ptr(), message.as_ptr()) })
    }

    /// A message that was left, or is within this time.
    pub(crate) fn message(self, name: &str, most: Duration) -> Option<String> {
        let name = text(name);
        // SAFETY: a world that lives for good, and a C string that lives through the call.
        let message = unsafe { sga_world_message(self.0.as_ptr(), name.as_ptr(), millis(most)) };
        // SAFETY: null, or the C string of a thread-local std::string that stays until the next call.
        (!message.is_null()).then(|| unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned())
    }

    /// There is no way on.
    pub(crate) fn break_up(self) {
        // SAFETY: a world that lives for good.
        unsafe { sga_world_break(self.0.as_ptr()) }
    }

    /// Whether something has failed between processes: there is no way on.
    pub(crate) fn is_broken(self) -> bool {
        // SAFETY: a world that lives for good.
        unsafe { sga_world_broken(self.0.as_ptr()) }
    }

    /// Sums over all ranks, in place; waits so long for them.
    pub(crate) fn sum(self, tensor: &Tensor, most: Duration) -> Result<(), TchError> {
        // SAFETY: a world that lives for good; writes to a live tensor as `tch` does in place.
        done(unsafe { sga_world_sum(self.0.as_ptr(), tensor.as_ptr(), millis(most)) })
    }

    /// Gives all ranks the values of rank 0, in place; waits so long for them.
    pub(crate) fn broadcast(self, tensor: &Tensor, most: Duration) -> Result<(), TchError> {
        // SAFETY: a world that lives for good; writes to a live tensor as `tch` does in place.
        done(unsafe { sga_world_broadcast(self.0.as_ptr(), tensor.as_ptr(), millis(most)) })
    }

    /// Normalises N×C×H×W by the statistics of all ranks' images, and moves the running ones where they are given.
    pub(crate) fn batch_norm(
        self,
        x: &Tensor,
        [weight, bias]: [&Tensor; 2],
        running: Option<[&Tensor; 2]>,
        momentum: f64,
        epsilon: f64,
    ) -> Result<Tensor, TchError> {
        let [mean, variance] = running.map_or([ptr::null(); 2], |running| running.map(Tensor::as_ptr));
        let (x, weight, bias) = (x.as_ptr(), weight.as_ptr(), bias.as_ptr());
        let world = self.0.as_ptr();
        // SAFETY: a world that lives for good; reads live tensors, writes to the running statistics as `tch` does in
        // place, and returns a new tensor.
        unsafe { owned(sga_joint_batch_norm(world, x, weight, bias, mean, variance, momentum, epsilon)) }
    }
}

/// Sums the gradients of some weights over all ranks, while the way back still makes others.
#[derive(Debug)]
pub(crate) struct Reducer {
    reducer: NonNull<CReducer>,
    weights: usize,
}

impl Reducer {
    pub(crate) fn new(group: Group, weights: &[Tensor]) -> Result<Self, TchError> {
        let pointers: Vec<*mut C_tensor> = weights.iter().map(|weight| weight.as_ptr().cast_mut()).collect();
        // SAFETY: a world that lives for good, and an array of live tensors, which the reducer shares.
        let reducer = unsafe { sga_reducer_new(group.0.as_ptr(), pointers.as_ptr(), pointers.len()) };
        let reducer = NonNull::new(reducer).ok_or_else(|| TchError::Torch(last_error()))?;
        Ok(Self { reducer, weights: weights.len() })
    }

    /// What the gradients that `backward` makes come to over all ranks, one for each weight; `None` where there is none.
    pub(crate) fn sums(&mut self, backward: impl FnOnce()) -> Result<Vec<Option<Tensor>>, TchError> {
        // SAFETY: a live reducer that nobody else uses.
        unsafe { sga_reducer_begin(self.reducer.as_ptr()) };
        backward();
        let mut sums = vec![ptr::null_mut(); self.weights];
        // SAFETY: a live reducer, and as much room as it has weights.
        done(unsafe { sga_reducer_finish(self.reducer.as_ptr(), sums.as_mut_ptr()) })?;
        // SAFETY: each is null, or a tensor that nobody else frees.
        let taken = |sum: *mut C_tensor| (!sum.is_null()).then(|| unsafe { Tensor::from_ptr(sum) });
        Ok(sums.into_iter().map(taken).collect())
    }
}

impl Drop for Reducer {
    fn drop(&mut self) {
        // SAFETY: made by `new`, freed once.
        unsafe { sga_reducer_free(self.reducer.as_ptr()) }
    }
}

fn text(text: &str) -> CString {
    CString::new(text.replace('\0', " ")).expect("no zero is left in it")
}

fn millis(time: Duration) -> i64 {
    time.as_millis() as i64
}

//! The C++ shim (`cpp/shim.cpp`): what libtorch can do and `tch` does not bind. The one place with `unsafe`.
#![allow(unsafe_code)]

mod recording;
mod world;

use std::{
    ffi::{CStr, c_char, c_int},
    marker::PhantomData,
};

use tch::{Device, Kind, TchError, Tensor};
use torch_sys::C_tensor;

pub(crate) use self::{
    recording::Graph,
    world::{Group, Reducer},
};

unsafe extern "C" {
    fn sga_last_error() -> *const c_char;
    fn sga_libtorch_version() -> *const c_char;
    fn sga_load_cuda() -> c_int;
    fn sga_cuda_name(index: c_int, name: *mut c_char, length: c_int) -> bool;
    fn sga_cuda_id(index: c_int, id: *mut u8) -> bool;
    fn sga_autocast_enter(cuda: c_int, scalar_type: c_int) -> bool;
    fn sga_autocast_exit(cuda: c_int, before: bool);
    fn sga_set_deterministic(on: bool);
    fn sga_allow_tf32(on: bool);
    fn sga_measure_convolutions(on: bool);
    fn sga_warn_of_waiting(on: bool) -> bool;
    fn sga_keep_memory();
    fn sga_own_stream(device: c_int);
    fn sga_channels_last(tensor: *const C_tensor) -> *mut C_tensor;
    fn sga_convolution_relu(
        x: *const C_tensor,
        weight: *const C_tensor,
        bias: *const C_tensor,
        added: *const C_tensor,
        stride: i64,
        padding: i64,
    ) -> *mut C_tensor;
    fn sga_convolution_input_gradient(
        gradient: *const C_tensor,
        x: *const C_tensor,
        weight: *const C_tensor,
        stride: i64,
        padding: i64,
    ) -> *mut C_tensor;
    fn sga_relu_gradient(gradient: *const C_tensor, result: *const C_tensor) -> *mut C_tensor;
    fn sga_sgd_step(
        weights: *const *mut C_tensor,
        gradients: *const *mut C_tensor,
        velocities: *const *mut C_tensor,
        count: usize,
        rate: *const C_tensor,
        momentum: f64,
        weight_decay: f64,
    ) -> bool;
}

fn last_error() -> String {
    // SAFETY: the shim returns the C string of a thread-local std::string that lives as long as the thread.
    unsafe { CStr::from_ptr(sga_last_error()) }.to_string_lossy().into_owned()
}

/// The version of libtorch that the program was built against.
pub(crate) fn libtorch_version() -> &'static str {
    // SAFETY: the shim returns a string literal.
    unsafe { CStr::from_ptr(sga_libtorch_version()) }.to_str().unwrap_or_default()
}

/// Loads the CUDA half of libtorch: whether there is one, or why it cannot be loaded.
pub(crate) fn load_cuda() -> Result<bool, String> {
    // SAFETY: takes nothing; running the initialisers of libtorch_cuda.so is what is wanted, once, from one place.
    match unsafe { sga_load_cuda() } {
        -1 => Err(last_error()),
        loaded => Ok(loaded == 1),
    }
}

/// The name of a CUDA device, such as `NVIDIA H200`.
pub(crate) fn cuda_name(index: usize) -> Option<String> {
    let mut name: [c_char; 256] = [0; 256];
    // SAFETY: the driver writes at most `length` bytes, the terminating zero among them.
    let found = unsafe { sga_cuda_name(index as c_int, name.as_mut_ptr(), name.len() as c_int) };
    // SAFETY: the array ends in a zero whether or not the driver wrote to it.
    found.then(|| unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned())
}

/// What no other CUDA device has, on any machine.
pub(crate) fn cuda_id(index: usize) -> Option<[u8; 16]> {
    let mut id = [0; 16];
    // SAFETY: the driver writes the 16 bytes of a CUuuid.
    unsafe { sga_cuda_id(index as c_int, id.as_mut_ptr()) }.then_some(id)
}

/// Whether libtorch says on standard error what makes the process wait for a CUDA device; false where it cannot.
pub(crate) fn warn_of_waiting(on: bool) -> bool {
    // SAFETY: sets a switch of libtorch's that lives as long as the process.
    unsafe { sga_warn_of_waiting(on) }
}

/// Automatic mixed precision on this thread until it is dropped.
pub(crate) struct Autocast {
    cuda: c_int,
    before: bool,
    not_send: PhantomData<*const ()>,
}

impl Autocast {
    pub(crate) fn enter(device: Device, kind: Kind) -> Self {
        let cuda = c_int::from(device.is_cuda());
        // SAFETY: sets thread-local switches; `Kind` has the numbers of at::ScalarType.
        let before = unsafe { sga_autocast_enter(cuda, kind as c_int) };
        Self { cuda, before, not_send: PhantomData }
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        // SAFETY: sets the switches back on the thread that set them: the type cannot be sent to another.
        unsafe { sga_autocast_exit(self.cuda, self.before) }
    }
}

/// Asks every operation for its deterministic form.
pub(crate) fn set_deterministic(on: bool) {
    // SAFETY: sets libtorch's global switches and, before CUDA starts, an environment variable.
    unsafe { sga_set_deterministic(on) }
}

/// Lets CUDA multiply f32 with TF32's ten-bit mantissa.
pub(crate) fn allow_tf32(on: bool) {
    // SAFETY: sets libtorch's global switches.
    unsafe { sga_allow_tf32(on) }
}

/// Lets cuDNN measure its algorithms for each shape that it meets, and keep the fastest. No effect on a CPU.
pub(crate) fn measure_convolutions(on: bool) {
    // SAFETY: sets libtorch's global switch.
    unsafe { sga_measure_convolutions(on) }
}

/// Lets the process keep memory that was freed, for the next tensors.
pub(crate) fn keep_memory() {
    // SAFETY: sets numbers of the C library's allocator.
    unsafe { sga_keep_memory() }
}

/// Gives this thread a stream of its own on a CUDA device, from libtorch's pool.
pub(crate) fn own_stream(device: usize) {
    // SAFETY: sets libtorch's thread-local current stream; the caller has loaded CUDA and found the device.
    unsafe { sga_own_stream(device as c_int) }
}

/// The same N×C×H×W values with channels innermost in memory; differentiable.
pub(crate) fn channels_last(tensor: &Tensor) -> Result<Tensor, TchError> {
    // SAFETY: the shim reads a live tensor and returns a new one.
    unsafe { owned(sga_channels_last(tensor.as_ptr())) }
}

/// max(0, convolution(x) + bias + added), in one pass over memory where the library can. No gradient.
pub(crate) fn convolution_relu(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    added: Option<&Tensor>,
    (stride, padding): (i64, i64),
) -> Result<Tensor, TchError> {
    let added = added.map_or(std::ptr::null(), Tensor::as_ptr);
    // SAFETY: the shim reads live tensors, or none where the pointer is null, and returns a new one.
    unsafe { owned(sga_convolution_relu(x.as_ptr(), weight.as_ptr(), bias.as_ptr(), added, stride, padding)) }
}

/// The gradient of a convolution's input `x`, of which the shape matters alone.
pub(crate) fn convolution_input_gradient(
    gradient: &Tensor,
    x: &Tensor,
    weight: &Tensor,
    (stride, padding): (i64, i64),
) -> Result<Tensor, TchError> {
    let (gradient, x, weight) = (gradient.as_ptr(), x.as_ptr(), weight.as_ptr());
    // SAFETY: the shim reads live tensors and returns a new one.
    unsafe { owned(sga_convolution_input_gradient(gradient, x, weight, stride, padding)) }
}

/// The gradient of what gave `result` = max(0, it).
pub(crate) fn relu_gradient(gradient: &Tensor, result: &Tensor) -> Result<Tensor, TchError> {
    // SAFETY: the shim reads live tensors and returns a new one.
    unsafe { owned(sga_relu_gradient(gradient.as_ptr(), result.as_ptr())) }
}

/// One step of SGD on all weights at once: v ← μ·v + g + decay·w, w ← w − rate·v. The rate is a scalar of the weights' kind
/// on their device.
pub(crate) fn sgd_step(
    [weights, gradients, velocities]: [&[&Tensor]; 3],
    rate: &Tensor,
    momentum: f64,
    weight_decay: f64,
) -> Result<(), TchError> {
    let pointers = |tensors: &[&Tensor]| -> Vec<*mut C_tensor> {
        tensors.iter().map(|tensor| tensor.as_ptr().cast_mut()).collect()
    };
    let count = weights.len();
    assert!(gradients.len() == count && velocities.len() == count, "a gradient and a velocity per weight");
    let [weights, gradients, velocities] = [weights, gradients, velocities].map(pointers);
    // SAFETY: three arrays of `count` live tensors and a live tensor; the shim writes to weights and velocities as `tch` does in place.
    let taken = unsafe {
        sga_sgd_step(
            weights.as_ptr(),
            gradients.as_ptr(),
            velocities.as_ptr(),
            count,
            rate.as_ptr(),
            momentum,
            weight_decay,
        )
    };
    done(taken)
}

/// Whether the shim did what it was asked for.
fn done(done: bool) -> Result<(), TchError> {
    if done { Ok(()) } else { Err(TchError::Torch(last_error())) }
}

/// A tensor that the shim made.
///
/// # Safety
/// The pointer is null after an error, or a tensor that nobody else frees.
unsafe fn owned(result: *mut C_tensor) -> Result<Tensor, TchError> {
    if result.is_null() {
        return Err(TchError::Torch(last_error()));
    }
    // SAFETY: as the caller says.
    Ok(unsafe { Tensor::from_ptr(result) })
}

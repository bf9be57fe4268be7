//! The C++ shim (`cpp/shim.cpp`): what libtorch can do and `tch` does not bind. The one place with `unsafe`.
#![allow(unsafe_code)]

use std::{
    ffi::{CStr, c_char, c_int},
    marker::PhantomData,
};

use tch::{Device, Kind, TchError, Tensor};
use torch_sys::C_tensor;

unsafe extern "C" {
    fn sga_last_error() -> *const c_char;
    fn sga_libtorch_version() -> *const c_char;
    fn sga_load_cuda() -> c_int;
    fn sga_cuda_name(index: c_int, name: *mut c_char, length: c_int) -> bool;
    fn sga_autocast_enter(cuda: c_int, scalar_type: c_int) -> bool;
    fn sga_autocast_exit(cuda: c_int, before: bool);
    fn sga_set_deterministic(on: bool);
    fn sga_allow_tf32(on: bool);
    fn sga_channels_last(tensor: *const C_tensor) -> *mut C_tensor;
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

/// The same N×C×H×W values with channels innermost in memory; differentiable.
pub(crate) fn channels_last(tensor: &Tensor) -> Result<Tensor, TchError> {
    // SAFETY: the shim reads a live tensor and returns a new one that is ours to free, or null.
    unsafe {
        let result = sga_channels_last(tensor.as_ptr());
        if result.is_null() { Err(TchError::Torch(last_error())) } else { Ok(Tensor::from_ptr(result)) }
    }
}

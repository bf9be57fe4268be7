//! What can go wrong, and the bridge from libtorch's panics to errors.

use std::{
    any::Any,
    cell::Cell,
    io,
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    sync::Once,
};

use crate::{Architecture, UnknownChoice};

/// What can go wrong between the program and libtorch.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A word that is no device, precision, ….
    #[error(transparent)]
    Unknown(#[from] UnknownChoice),
    /// A network that finds boxes was asked of an architecture that has none.
    #[error("{0} does not detect: resnet18, resnet34 and resnet50 do")]
    CannotDetect(Architecture),
    /// CUDA was asked for and cannot be used.
    #[error("{device} cannot be used: {reason}")]
    Cuda {
        /// The device asked for.
        device: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// NCCL was asked for and cannot be used.
    #[error("NCCL cannot be used: {0}")]
    Nccl(String),
    /// The file system refused: the disk is full, say.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// A file of weights is not what it should be.
    #[error("{}: {reason}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Pixels, labels and side do not fit together.
    #[error("{pixels} pixels and {labels} labels are not {labels} images of {side}×{side}")]
    Shape {
        /// Bytes given.
        pixels: usize,
        /// Labels given.
        labels: usize,
        /// Side of an image in pixels.
        side: i64,
    },
    /// The device has no memory left.
    #[error("the device has no memory left ({0})")]
    OutOfMemory(String),
    /// A process that trains the same network is gone.
    #[error("another process is gone: {0}")]
    Gone(String),
    /// Images cannot be had.
    #[error(transparent)]
    Source(Box<dyn std::error::Error + Send + Sync>),
    /// libtorch refused.
    #[error("libtorch: {0}")]
    Torch(String),
}

/// Said by the shim of whatever fails between processes (`cpp/world.h`).
const GONE: &str = "another rank is gone: ";

impl From<tch::TchError> for Error {
    fn from(error: tch::TchError) -> Self {
        match error {
            tch::TchError::Torch(message) => Self::from_libtorch(&message),
            other => Self::from_libtorch(&other.to_string()),
        }
    }
}

impl Error {
    fn from_libtorch(message: &str) -> Self {
        // The first line says what happened; the rest is a C++ backtrace.
        let first = message.lines().next().unwrap_or_default().trim_end_matches("\\n").to_owned();
        if let Some(why) = first.split_once(GONE).map(|(_, why)| why) {
            Self::Gone(why.to_owned())
        } else if message.contains("out of memory") || message.contains("can't allocate memory") {
            Self::OutOfMemory(first)
        } else {
            Self::Torch(first)
        }
    }
}

thread_local!(static GUARDED: Cell<bool> = const { Cell::new(false) });

/// Runs tensor code and gives libtorch's failures, which `tch` raises as panics, as errors. Any other panic goes on.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Error> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !(GUARDED.get() && libtorch_message(panic.payload()).is_some()) {
                print(panic);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result.map_err(|payload| match libtorch_message(payload.as_ref()) {
        Some(message) => Error::from_libtorch(message),
        None => panic::resume_unwind(payload),
    })
}

/// The C++ message in the payload of a panic that came from `tch`'s unwrapping of a `TchError::Torch`.
fn libtorch_message(payload: &(dyn Any + Send)) -> Option<&str> {
    let (_, message) = payload.downcast_ref::<String>()?.split_once("an `Err` value: Torch(\"")?;
    Some(message.split("\\n").next().unwrap_or(message).trim_end_matches("\")"))
}

#[cfg(test)]
mod tests {
    use std::panic;

    use tch::{Kind, Tensor};

    use super::{Error, guarded};

    #[test]
    fn a_refusal_of_libtorch_is_an_error_of_one_line() {
        let [a, b] = [3, 4].map(|n| Tensor::zeros([n], (Kind::Float, tch::Device::Cpu)));
        let Err(Error::Torch(message)) = guarded(|| &a + &b) else { panic!("the shapes do not fit") };
        assert!(message.contains("size of tensor a (3)"), "{message}");
        assert!(!message.contains('\n') && !message.contains("\\n"), "{message}");
    }

    #[test]
    fn a_huge_tensor_is_out_of_memory() {
        let result = guarded(|| Tensor::zeros([1 << 50], (Kind::Float, tch::Device::Cpu)));
        assert!(matches!(result, Err(Error::OutOfMemory(_))), "{result:?}");
    }

    #[test]
    fn another_panic_goes_on() {
        let result = panic::catch_unwind(|| guarded(|| panic!("a bug")));
        assert_eq!(result.unwrap_err().downcast_ref::<&str>(), Some(&"a bug"));
    }
}

//! Tensors in safetensors files.

use std::{collections::BTreeMap, path::Path};

use safetensors::SafeTensorError;
use tch::{Device, TchError, Tensor};

use crate::{Error, guarded};

/// Writes tensors by name, in an order and a layout that depend on nothing but names and values.
///
/// # Errors
/// The file cannot be written.
pub fn write_tensors(tensors: &BTreeMap<String, Tensor>, path: &Path) -> Result<(), Error> {
    let tensors: Vec<(&String, Tensor)> = guarded(|| {
        let on_host = |tensor: &Tensor| tensor.detach().to_device(Device::Cpu).contiguous();
        tensors.iter().map(|(name, tensor)| (name, on_host(tensor))).collect()
    })?;
    Tensor::write_safetensors(&tensors, path).map_err(|error| told(path, error))
}

/// The tensors of a file by name, on `device`.
///
/// # Errors
/// The file cannot be read or is no safetensors file; the device has no memory left.
pub fn read_tensors(path: &Path, device: Device) -> Result<BTreeMap<String, Tensor>, Error> {
    let tensors = Tensor::read_safetensors(path).map_err(|error| told(path, error))?;
    guarded(|| tensors.into_iter().map(|(name, tensor)| (name, tensor.to_device(device))).collect())
}

/// What `tch` says of a file, without saying its path twice.
fn told(path: &Path, error: TchError) -> Error {
    match error {
        TchError::Io(error) | TchError::SafeTensorError { err: SafeTensorError::IoError(error), .. } => {
            Error::Io { path: path.to_owned(), error }
        }
        TchError::SafeTensorError { err, .. } => damaged(path, &format!("no safetensors file ({err})")),
        error => damaged(path, &error),
    }
}

pub(crate) fn damaged(path: &Path, reason: &dyn ToString) -> Error {
    Error::Weights { path: path.to_owned(), reason: reason.to_string() }
}

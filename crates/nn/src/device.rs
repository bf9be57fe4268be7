//! Where tensors live, and what is recorded about the place.

use std::sync::OnceLock;

use serde::Serialize;
use tch::Device;

use crate::{Error, UnknownChoice, shim};

/// The words that name a device.
const ALLOWED: &str = "auto, cpu, cuda, cuda:N";

const REMEDY: &str = "install the CUDA build of torch 2.11 with its NVIDIA libraries, or use device=cpu";

/// The number of CUDA devices, `None` without the CUDA half of libtorch, or why that half cannot be loaded.
type Cuda = Result<Option<usize>, String>;

/// The device that `text` names: `auto` (CUDA where it works, else the CPU), `cpu`, `cuda` or `cuda:N`. A process that computes
/// on the CPU keeps memory that it has freed.
///
/// A CUDA build that is installed and broken makes `auto` warn on standard error and take the CPU.
pub fn device(text: &str) -> Result<Device, Error> {
    let device = named(text)?;
    if device == Device::Cpu {
        shim::keep_memory();
    }
    Ok(device)
}

fn named(text: &str) -> Result<Device, Error> {
    let index = match text {
        "auto" => return Ok(automatic(cuda())),
        "cpu" => return Ok(Device::Cpu),
        "cuda" => Some(0),
        _ => text.strip_prefix("cuda:").and_then(|index| index.parse().ok()),
    };
    let Some(index) = index else {
        return Err(
            UnknownChoice { what: "device", text: text.to_owned(), allowed: ALLOWED.to_owned() }.into()
        );
    };
    explicit(cuda(), index).map_err(|reason| Error::Cuda { device: text.to_owned(), reason })
}

fn automatic(cuda: &Cuda) -> Device {
    match cuda {
        Ok(None | Some(0)) => Device::Cpu,
        Ok(Some(_)) => Device::Cuda(0),
        Err(reason) => {
            eprintln!("warning: CUDA is installed and cannot be used, so the CPU is: {reason}");
            Device::Cpu
        }
    }
}

fn explicit(cuda: &Cuda, index: usize) -> Result<Device, String> {
    match cuda {
        Ok(None) => Err(format!("this libtorch is for CPUs; {REMEDY}")),
        Ok(Some(0)) => {
            Err("no CUDA device was found; check the NVIDIA driver (nvidia-smi), or use device=cpu"
                .to_owned())
        }
        Ok(Some(count)) if index < *count => Ok(Device::Cuda(index)),
        Ok(Some(count)) => Err(format!("the last of {count} CUDA devices is cuda:{}", count - 1)),
        Err(reason) => Err(format!("{reason}; {REMEDY}")),
    }
}

/// Every look-up goes through here: libtorch remembers for good what it answers before its CUDA half is loaded.
fn cuda() -> &'static Cuda {
    static CUDA: OnceLock<Cuda> = OnceLock::new();
    CUDA.get_or_init(|| {
        Ok(shim::load_cuda()?.then(|| {
            shim::measure_convolutions(true);
            tch::Cuda::device_count() as usize
        }))
    })
}

/// Prepares this thread to be one of so many `workers` on a device that `device` gave: on a GPU it gets a stream of its
/// own, on the CPU its part of the cores.
pub fn share(device: Device, workers: usize) {
    match device {
        Device::Cuda(_) => own_stream(device),
        _ => tch::set_num_threads((tch::get_num_threads() / workers.max(1) as i32).max(1)),
    }
}

/// Gives this thread a stream of its own on a GPU, once the device has done all that the thread asked it for.
pub fn own_stream(device: Device) {
    if let Device::Cuda(index) = device {
        shim::own_stream(index);
    }
}

/// Asks every operation for its deterministic form; one that has none warns.
pub fn set_deterministic(on: bool) {
    shim::set_deterministic(on);
}

/// Lets libtorch say on standard error, each time, what makes the process wait for a CUDA device: within an epoch nothing
/// should. Gives whether it can.
pub fn warn_of_waiting(on: bool) -> bool {
    shim::warn_of_waiting(on)
}

/// Where numbers were computed: recorded beside results, part of no key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// Version of libtorch.
    pub libtorch: String,
    /// The device, as [`device`] reads it.
    pub device: String,
    /// The device's name, such as `NVIDIA H200`, where the system tells.
    pub name: Option<String>,
    /// Version of cuDNN, such as 91002; `None` on a CPU.
    pub cudnn: Option<i64>,
    /// Threads that one operation may use on the CPU.
    pub threads: i32,
}

/// What is recorded about computing on `device`.
pub fn provenance(device: Device) -> Provenance {
    let (text, name, cudnn) = match device {
        Device::Cuda(index) => {
            (format!("cuda:{index}"), shim::cuda_name(index), Some(tch::utils::version_cudnn()))
        }
        _ => ("cpu".to_owned(), processor(), None),
    };
    let threads = tch::get_num_threads();
    Provenance { libtorch: shim::libtorch_version().to_owned(), device: text, name, cudnn, threads }
}

fn processor() -> Option<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::{automatic, device, explicit, provenance};

    #[test]
    fn a_broken_cuda_leaves_the_cpu_to_auto_and_is_an_error_when_asked_for() {
        let broken = Err("libcudnn.so.9: cannot open shared object file".to_owned());
        assert_eq!(automatic(&broken), Device::Cpu);
        let reason = explicit(&broken, 0).unwrap_err();
        assert!(reason.contains("libcudnn.so.9") && reason.contains("device=cpu"), "{reason}");
    }

    #[test]
    fn indices_are_those_of_the_devices_found() {
        let two = Ok(Some(2));
        assert_eq!(
            [&two, &Ok(Some(0)), &Ok(None)].map(automatic),
            [Device::Cuda(0), Device::Cpu, Device::Cpu]
        );
        assert!(explicit(&Ok(None), 0).unwrap_err().contains("install the CUDA build"));
        assert_eq!(explicit(&two, 1), Ok(Device::Cuda(1)));
        assert!(explicit(&two, 2).unwrap_err().ends_with("is cuda:1"));
        assert!(explicit(&Ok(Some(0)), 0).unwrap_err().contains("nvidia-smi"));
    }

    #[test]
    fn unknown_words_are_told_what_is_allowed() {
        assert_eq!(device("cpu").unwrap(), Device::Cpu);
        for word in ["gpu", "cuda:", "cuda:x", "CPU", ""] {
            let error = device(word).unwrap_err().to_string();
            assert_eq!(error, format!("unknown device `{word}`; allowed: auto, cpu, cuda, cuda:N"));
        }
    }

    #[test]
    fn auto_gives_a_device_that_computes() {
        let device = device("auto").unwrap();
        assert_eq!(
            Vec::<f32>::try_from(tch::Tensor::ones([2], (tch::Kind::Float, device)) * 3.0).unwrap(),
            [3.0; 2]
        );
        let provenance = provenance(device);
        assert!(provenance.libtorch.starts_with("2.11."), "{provenance:?}");
        assert!(provenance.threads >= 1);
    }
}

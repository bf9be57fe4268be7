//! `batch=auto`.

use nn::{Init, Network};
use stage::{Failure, Fallible, Result, progress};
use tch::Device;

use crate::{run::Run, sets::Set};

/// The run with the largest batch that the device's memory takes.
pub(crate) fn largest(run: &Run, set: &Set, device: Device) -> Result<Run> {
    if device == Device::Cpu {
        return Err(Failure::usage("batch=auto fills the memory of a GPU, and this run is on the CPU")
            .remedy("name a number: batch=64"));
    }
    let (train, method) = (set.train(), (run.method.build)(run.objective));
    let fits = |batch| {
        let (network, _) = Network::new(&run.options(device, &set.findings), &Init::Scratch)?;
        trainer::fits(&network, method.as_ref(), train, batch)
    };
    let batch = trainer::largest_batch(train.len().min(65_536), fits).or_other()?;
    let batch = batch.filter(|batch| *batch >= 2);
    let batch = batch.ok_or_else(|| out_of_memory(&run.with_batch(2), "not even two images fit"))?;
    let batch = (batch * run.size).min(65_536);
    progress::line(&format!("batch=auto: {batch} images fit"));
    Ok(run.with_batch(batch))
}

/// What to do where the device has no memory left.
pub(crate) fn out_of_memory(run: &Run, why: &str) -> Failure {
    let batch = run.settings.batch;
    let mut ways = Vec::new();
    if batch > 2 {
        let half = (batch / 2).max(2);
        ways.push(format!(
            "batch={half} accumulate={} (BatchNorm sees {half} images), batch=auto",
            2 * run.settings.accumulate
        ));
    }
    if run.parameters.required("dtype").is_ok_and(|dtype| dtype != "bf16") {
        ways.push("dtype=bf16".to_owned());
    }
    if run.parallel > 1 {
        ways.push("parallel=1".to_owned());
    }
    ways.push(format!("a smaller size than {}", run.side));
    Failure::other(format!("batch={batch} at size={} does not fit into the device's memory: {why}", run.side))
        .remedy(ways.join(", or "))
}

//! Weights and running statistics by name.

use std::collections::BTreeMap;

use tch::Tensor;

use super::{Network, weights};
use crate::{Error, guarded};

impl Network {
    /// Every weight and running statistic by torchvision's names, shared with the network.
    pub fn state(&self) -> BTreeMap<String, Tensor> {
        weights::named(&self.store)
    }

    /// Copies of every weight and running statistic by name, on the network's device.
    pub fn copies(&self) -> BTreeMap<String, Tensor> {
        let copy = |(name, tensor): (String, Tensor)| (name, tensor.detach().copy());
        self.state().into_iter().map(copy).collect()
    }

    /// Copies of every running statistic by name, on the network's device.
    pub fn statistics(&self) -> BTreeMap<String, Tensor> {
        let mut statistics = self.state();
        statistics.retain(|name, _| name.contains(".running_"));
        statistics.into_iter().map(|(name, statistic)| (name, statistic.copy())).collect()
    }

    /// Takes up running statistics that [`Network::statistics`] gave, and leaves the weights.
    pub fn restore_statistics(&self, statistics: &BTreeMap<String, Tensor>) {
        for (name, mut variable) in self.state() {
            if let Some(kept) = statistics.get(&name) {
                variable.copy_(kept);
            }
        }
    }

    /// Takes up weights and running statistics that [`Network::state`] gave.
    ///
    /// # Errors
    /// A name is missing, or a shape is not that of this network.
    pub fn restore(&self, state: &BTreeMap<String, Tensor>) -> Result<(), Error> {
        for (name, mut variable) in self.state() {
            let stored = state.get(&name).filter(|stored| stored.size() == variable.size());
            let stored = stored.ok_or_else(|| Error::Torch(format!("no {name} that fits")))?;
            guarded(|| tch::no_grad(|| variable.copy_(stored)))?;
        }
        Ok(())
    }

    /// Draws the named weights anew, as [`Init::Scratch`](crate::Init::Scratch) does; their BatchNorms scale by 1, add 0, and
    /// have running statistics 0 and 1.
    pub fn redraw(&self, seed: u64, named: impl Fn(&str) -> bool) {
        let kept = self.copies();
        tch::no_grad(|| {
            for (name, mut variable) in self.state() {
                let neutral = f64::from(!name.ends_with("bias") && !name.ends_with("running_mean"));
                let _ = variable.fill_(neutral);
            }
            weights::randomise(&self.store, self.architecture, seed);
            for (name, mut variable) in self.state().into_iter().filter(|(name, _)| !named(name)) {
                variable.copy_(&kept[&name]);
            }
        });
    }
}

//! The copies of a network that train together.

use tch::Tensor;

use super::Network;
use crate::{Error, World, guarded};

impl Network {
    /// From now on it is trained with the copies of it in all ranks' processes: it takes up rank 0's weights and running
    /// statistics. BatchNorm reads the statistics of all ranks' images where `sync`, else those of each rank's own.
    ///
    /// # Errors
    /// Another rank is gone.
    pub fn join(&mut self, world: World, sync: bool) -> Result<(), Error> {
        self.world = world;
        self.joint = if sync { world } else { World::ALONE };
        self.take_up()
    }

    /// The processes that train it.
    pub fn world(&self) -> World {
        self.world
    }

    /// Takes up rank 0's weights and running statistics.
    ///
    /// # Errors
    /// Another rank is gone.
    pub fn take_up(&self) -> Result<(), Error> {
        self.state().values().try_for_each(|tensor| self.world.take_up(&tensor.detach()))
    }

    /// Where BatchNorms of the ranks have moved running statistics apart, all take up their mean.
    ///
    /// # Errors
    /// Another rank is gone.
    pub fn settle_statistics(&self) -> Result<(), Error> {
        if self.world.size() == self.joint.size() {
            return Ok(());
        }
        let state = self.state();
        let running: Vec<Tensor> =
            state.values().filter(|one| !one.requires_grad()).map(Tensor::detach).collect();
        guarded(|| {
            let flat: Vec<Tensor> = running.iter().map(|one| one.flatten(0, -1)).collect();
            let flat = Tensor::cat(&flat, 0) / self.world.size() as f64;
            self.world.sum(&flat);
            let sizes: Vec<i64> = running.iter().map(|one| one.numel() as i64).collect();
            for (mut one, mean) in running.into_iter().zip(flat.split_with_sizes(&sizes, 0)) {
                let shape = one.size();
                one.copy_(&mean.reshape(shape));
            }
        })
    }
}

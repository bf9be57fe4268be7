//! Where a run stands.

use std::collections::BTreeMap;

use nn::{Network, Sgd};
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::{Checkpoints, Epoch, Error, minibatches};

/// A run at one moment. All random streams follow from seed, epoch and step, so there is no generator to keep.
#[derive(Debug)]
pub(crate) struct State {
    /// How far it is.
    pub(crate) position: Position,
    /// Loss, cross-entropy and divergence of each minibatch of the epoch: steps × 3; those to come hold anything.
    pub(crate) losses: Tensor,
    /// The weights of the best epoch, once there is one.
    pub(crate) best: BTreeMap<String, Tensor>,
}

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Finished epochs.
    pub(crate) epochs: Vec<Epoch>,
    /// Finished minibatches of the epoch that is under way.
    pub(crate) step: u64,
    /// Minibatches that were left out because their loss was no number.
    pub(crate) skipped: u64,
}

impl State {
    /// Goes where the first of the processes is that train the network.
    pub(crate) fn take_up(&mut self, network: &Network, sgd: &Sgd) -> Result<(), Error> {
        let world = network.world();
        if world.size() > 1 {
            let position = serde_json::to_string(&self.position).expect("figures are plain data");
            self.position = serde_json::from_str(&world.hear(&position)?).expect("it was written just now");
            world.take_up(&self.losses)?;
            network.take_up()?;
            sgd.state().values().try_for_each(|velocity| world.take_up(velocity))?;
        }
        Ok(())
    }

    pub(crate) fn start(steps: u64, device: Device) -> Self {
        let losses = Tensor::zeros([steps as i64, 3], (Kind::Float, device));
        Self { position: Position::default(), losses, best: BTreeMap::new() }
    }

    /// Writes a checkpoint.
    pub(crate) fn save(&self, checkpoints: &Checkpoints, network: &Network, sgd: &Sgd) -> Result<(), Error> {
        if network.world().leads() {
            checkpoints.write(self, network, sgd)?;
        }
        network.world().hear("saved")?; // the others wait for the disk as long as it takes
        Ok(())
    }

    /// The losses of the first minibatches of the epoch.
    pub(crate) fn read(&self, steps: usize) -> Vec<[f64; 3]> {
        let losses = self.losses.narrow(0, 0, steps as i64).flatten(0, -1).to_kind(Kind::Double);
        let losses = Vec::<f64>::try_from(losses).expect("losses are numbers");
        losses.chunks(3).map(|row| [row[0], row[1], row[2]]).collect()
    }

    /// Ends the epoch.
    pub(crate) fn finish(
        &mut self,
        images: usize,
        batch: usize,
        validation_auroc: f64,
        robust_accuracy: Option<f64>,
    ) -> Epoch {
        let mut sums = [0.0; 3];
        let mut counted = 0;
        for (losses, (_, count)) in
            self.read(self.losses.size()[0] as usize).iter().zip(minibatches(images, batch))
        {
            if losses[0].is_finite() {
                counted += count;
                sums.iter_mut().zip(losses).for_each(|(sum, loss)| *sum += loss * count as f64);
            }
        }
        let [loss, ce, kl] = sums.map(|sum| sum / counted as f64);
        let epoch = self.position.epochs.len() as u64 + 1;
        let epoch = Epoch { epoch, loss, ce, kl, validation_auroc, robust_accuracy };
        self.position.epochs.push(epoch);
        self.position.step = 0;
        epoch
    }
}

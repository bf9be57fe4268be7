//! Stochastic gradient descent.

use std::collections::BTreeMap;

use tch::Tensor;

use crate::{
    Error, Network, guarded,
    shim::{self, Reducer},
};

/// SGD with momentum (Polyak 1964, as PyTorch writes it): v ← μ·v + g + decay·w, w ← w − rate·v; one operation for all
/// weights.
#[derive(Debug)]
pub struct Sgd {
    momentum: f64,
    weight_decay: f64,
    /// On the device, so that a recorded step takes the rate that is set.
    rate: Tensor,
    names: Vec<String>,
    weights: Vec<Tensor>,
    velocities: Vec<Tensor>,
    /// The sum of the gradients since the last step, where there is one.
    gathered: Vec<Option<Tensor>>,
    /// Sums gradients over the network's world; none where it is trained by one process.
    reducer: Option<Reducer>,
}

impl Sgd {
    /// An optimiser at rest of every weight of the network.
    pub fn new(network: &Network, momentum: f64, weight_decay: f64) -> Self {
        let (names, weights): (Vec<_>, Vec<_>) =
            network.state().into_iter().filter(|(_, weight)| weight.requires_grad()).unzip();
        let velocities = weights.iter().map(|weight| tch::no_grad(|| weight.zeros_like())).collect();
        let reducer = network.world().reducer(&weights);
        let rate = Tensor::zeros([0; 0], (weights[0].kind(), network.device()));
        Self { momentum, weight_decay, rate, names, weights, velocities, gathered: Vec::new(), reducer }
    }

    /// Takes a step of this rate against the gradient of a scalar; the same backward pass gives the gradients of `inputs`.
    pub fn descend(&mut self, loss: &Tensor, inputs: &[&Tensor], rate: f64) -> Vec<Tensor> {
        self.set_rate(rate);
        let of_inputs = self.gather(loss, inputs, 1.0);
        self.step();
        of_inputs
    }

    /// The rate of the next steps.
    pub fn set_rate(&mut self, rate: f64) {
        let _ = self.rate.fill_(rate);
    }

    /// Adds `share` times the gradient of a scalar to that which the next step goes against; gives the gradients of
    /// `inputs`, whole. The gradient is that of the sum of the scalars of all ranks that train the network.
    pub fn gather(&mut self, loss: &Tensor, inputs: &[&Tensor], share: f64) -> Vec<Tensor> {
        let sources: Vec<&Tensor> = self.weights.iter().chain(inputs.iter().copied()).collect();
        let backward = || Tensor::run_backward(&[loss], &sources, false, false);
        let (gradients, of_inputs) = if let Some(reducer) = &mut self.reducer {
            let mut of_inputs = Vec::new();
            let sums = reducer.sums(|| of_inputs = backward().split_off(self.weights.len())).unwrap();
            (sums, of_inputs)
        } else {
            let mut gradients = backward();
            let of_inputs = gradients.split_off(self.weights.len());
            // A weight that the loss does not depend on has no gradient.
            (gradients.into_iter().map(|one| one.defined().then_some(one)).collect(), of_inputs)
        };
        self.gathered.resize_with(self.weights.len(), || None);
        for (sum, gradient) in self.gathered.iter_mut().zip(gradients) {
            if let Some(gradient) = gradient {
                let gradient = laid_out(gradient);
                let gradient = if share < 1.0 { gradient * share } else { gradient };
                *sum = Some(match sum.take() {
                    Some(sum) => sum + gradient,
                    None => gradient,
                });
            }
        }
        of_inputs
    }

    /// Takes a step against what was gathered. A weight without a gradient stays.
    pub fn step(&mut self) {
        let gathered = std::mem::take(&mut self.gathered);
        let places = self.weights.iter().zip(&self.velocities).zip(&gathered);
        let (places, gradients): (Vec<_>, Vec<&Tensor>) =
            places.filter_map(|(place, gradient)| Some((place, gradient.as_ref()?))).unzip();
        let (weights, velocities): (Vec<_>, Vec<_>) = places.into_iter().unzip();
        if !weights.is_empty() {
            let tensors = [&weights[..], &gradients, &velocities];
            shim::sgd_step(tensors, &self.rate, self.momentum, self.weight_decay).unwrap();
        }
    }

    /// The velocity of each weight, by the weight's name, shared with the optimiser.
    pub fn state(&self) -> BTreeMap<String, Tensor> {
        let velocities = self.velocities.iter().map(Tensor::shallow_clone);
        self.names.iter().cloned().zip(velocities).collect()
    }

    /// Takes up velocities that [`Sgd::state`] gave.
    ///
    /// # Errors
    /// Names or shapes are not those of this network.
    pub fn restore(&mut self, state: &BTreeMap<String, Tensor>) -> Result<(), Error> {
        for (name, velocity) in self.names.iter().zip(&mut self.velocities) {
            let stored = state.get(name).filter(|stored| stored.size() == velocity.size());
            let stored = stored.ok_or_else(|| Error::Torch(format!("no velocity of {name} that fits")))?;
            guarded(|| tch::no_grad(|| velocity.copy_(stored)))?;
        }
        Ok(())
    }
}

/// The gradient as its weight lies in memory, as the operation for all wants it on a GPU.
fn laid_out(gradient: Tensor) -> Tensor {
    if gradient.dim() == 4 { shim::channels_last(&gradient).unwrap() } else { gradient }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Tensor, nn::OptimizerConfig};

    use super::Sgd;
    use crate::{Init, Network, Options, Pass, uniform};

    fn network() -> Network {
        let options = Options { seed: 1, ..Options::default() };
        Network::new(&options, &Init::Scratch).unwrap().0
    }

    fn loss(network: &Network, seed: u64) -> Tensor {
        let x = uniform(seed, &[4, 1, 32, 32], Device::Cpu).to_kind(network.state()["fc.bias"].kind());
        let logits = network.forward(&x, Pass::Train);
        logits.square().mean(logits.kind())
    }

    fn largest_difference(a: &Network, b: &Network) -> f64 {
        let b = b.state();
        let differences =
            a.state().into_iter().map(|(name, a)| (a - &b[&name]).abs().max().double_value(&[]));
        differences.fold(0.0, f64::max)
    }

    #[test]
    fn it_is_libtorchs_sgd() {
        let (mut ours, mut theirs) = (network(), network());
        ours.double(); // in f32 the networks drift apart by rounding
        theirs.double();
        let mut sgd = Sgd::new(&ours, 0.9, 1e-2);
        let mut reference = tch::nn::sgd(0.9, 0.0, 1e-2, false).build(theirs.variables(), 0.0).unwrap();
        for (step, rate) in [(0, 1e-3), (1, 5e-3), (2, 2e-3)] {
            reference.set_lr(rate);
            reference.backward_step(&loss(&theirs, step));
            sgd.descend(&loss(&ours, step), &[], rate);
        }
        let difference = largest_difference(&ours, &theirs);
        assert!(difference < 1e-12, "{difference}");
        assert!(largest_difference(&ours, &network()) > 1e-3, "something moved");
    }

    #[test]
    fn gathered_gradients_are_the_gradient_of_the_weighted_sum() {
        let (mut parts, mut whole) = (network(), network());
        parts.double();
        whole.double();
        let mut sgd = Sgd::new(&parts, 0.9, 1e-2);
        let (quarter, rest) = (loss(&parts, 0), loss(&parts, 1));
        sgd.gather(&quarter, &[], 0.25);
        sgd.gather(&rest, &[], 0.75);
        sgd.set_rate(1e-2);
        sgd.step();
        sgd.step(); // nothing was gathered since
        let sum = loss(&whole, 0) * 0.25 + loss(&whole, 1) * 0.75;
        Sgd::new(&whole, 0.9, 1e-2).descend(&sum, &[], 1e-2);
        let difference = largest_difference(&parts, &whole);
        assert!(difference < 1e-12, "{difference}");
    }

    #[test]
    fn restored_velocities_go_on_where_they_were() {
        let (straight, resumed) = (network(), network());
        let mut sgd = Sgd::new(&straight, 0.9, 1e-4);
        sgd.descend(&loss(&straight, 0), &[], 1e-2);
        let mut other = Sgd::new(&resumed, 0.9, 1e-4);
        for (name, mut weight) in resumed.state() {
            tch::no_grad(|| weight.copy_(&straight.state()[&name]));
        }
        other.restore(&sgd.state()).unwrap();
        sgd.descend(&loss(&straight, 1), &[], 1e-2);
        other.descend(&loss(&resumed, 1), &[], 1e-2);
        assert_eq!(straight.state(), resumed.state());
        let error = other.restore(&std::collections::BTreeMap::new()).unwrap_err().to_string();
        assert!(error.contains("bn1.bias"), "{error}");
    }
}

use nn::{Init, Network, Options, uniform};
use tch::Device;

/// A network with the weights of `network` in `crates/method/tests/fixtures/make.py`: those of PyTorch's that stand in
/// fixtures. An auxiliary BatchNorm has the values of the main one.
pub fn made_up(options: &Options) -> Network {
    let (network, _) = Network::new(options, &Init::Scratch).expect("a network of these options can be made");
    let names: Vec<_> = network.state().into_keys().filter(|name| !name.contains("_auxiliary")).collect();
    for (name, mut variable) in network.state() {
        let main = name.replace("_auxiliary", "");
        let seed = names.iter().position(|name| *name == main).expect("it has a main one");
        let shape = variable.size();
        let random = uniform(seed as u64, &shape, Device::Cpu);
        let values = if shape.len() > 1 {
            let bound = (6.0 / shape[1..].iter().product::<i64>() as f64).sqrt();
            (random * 2.0 - 1.0) * (bound / if shape.len() == 4 { 1.0 } else { 3.0 })
        } else if name.ends_with("running_var") {
            random * 4.0 + 2.0
        } else if name.ends_with("weight") {
            random + 0.5
        } else {
            random * 0.4 - 0.2
        };
        tch::no_grad(|| variable.copy_(&values));
    }
    network
}

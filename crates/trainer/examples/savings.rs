//! Times each saving of a training step against the plain way to the same result, in turn, and prints milliseconds as
//! JSON: rows of `just bench-train savings=true`. That both ways come to the same stands in the tests of their crates.
//!
//! usage: savings size=224 batch=16 dtype=f32 device=cpu threads=2 rounds=5

use std::{error::Error, time::Instant};

use method::{Task, mask};
use nn::{Frozen, Init, Network, Options, Pass, Sgd, Statistics};
use saliency::SaliencyOf;
use tch::{Cuda, Device, Kind, Tensor, nn::OptimizerConfig};
use testkit::Words;

/// Two ways to one result.
struct Saving<'a> {
    name: &'static str,
    plain: Box<dyn FnMut() + 'a>,
    ours: Box<dyn FnMut() + 'a>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let words = Words::of_process();
    let device = nn::device(&words.get::<String>("device")?)?;
    tch::set_num_threads(words.get("threads")?);
    let (side, batch): (i64, i64) = (words.get("size")?, words.get("batch")?);
    let options = Options { device, precision: words.get("dtype")?, ..Options::default() };
    let (network, _) = Network::new(&options, &Init::Scratch)?;
    let x = nn::uniform(1, &[batch, 1, side, side], device);
    let y = Tensor::arange(batch, (Kind::Int64, device)).remainder(2);
    let noise = nn::uniform(2, &x.size(), device);
    network.reestimate_statistics([x.shallow_clone()])?;

    let rounds: usize = words.get("rounds")?;
    let savings = savings(&network, &x, &y, &noise);
    for Saving { name, mut plain, mut ours } in savings {
        let (mut times, mut peer_times) = (Vec::new(), Vec::new());
        for round in 0..=rounds {
            let (own, peer) = (milliseconds(device, &mut ours), milliseconds(device, &mut plain));
            if round > 0 {
                times.push(own);
                peer_times.push(peer);
            }
        }
        println!("{}", serde_json::json!({ "saving": name, "plain": peer_times, "ours": times }));
    }
    Ok(())
}

fn savings<'a>(network: &'a Network, x: &'a Tensor, y: &'a Tensor, noise: &'a Tensor) -> Vec<Saving<'a>> {
    let saliency = |frozen: &Frozen<'_>| {
        frozen.input_gradient(x, |output| Task::Classes.salient(output, y, SaliencyOf::TrueLogit))
    };
    let rank = saliency(&network.frozen(Statistics::Running));
    let of_all = move || {
        let x = x.detach().set_requires_grad(true);
        Task::Classes.salient(&network.forward(&x, Pass::Eval), y, SaliencyOf::TrueLogit).backward();
    };
    let mut library = tch::nn::Sgd { momentum: 0.9, wd: 1e-4, ..Default::default() }
        .build(network.variables(), 1e-9)
        .expect("an optimiser of a network");
    let mut fused = Sgd::new(network, 0.9, 1e-4);
    let of_rank = rank.copy();
    vec![
        Saving {
            name: "gradient of the input alone, no weight's",
            plain: Box::new(of_all),
            ours: Box::new(move || drop(saliency(&Frozen::Plain(network, Statistics::Running)))),
        },
        Saving {
            name: "BatchNorm folded into the convolutions of masks and attacks",
            plain: Box::new(move || drop(saliency(&Frozen::Plain(network, Statistics::Running)))),
            ours: Box::new(move || drop(saliency(&network.frozen(Statistics::Running)))),
        },
        Saving {
            name: "first convolution on one grey channel (a whole forward pass)",
            plain: Box::new(move || tch::no_grad(|| drop(network.forward_with_taps(&network.normalise(x))))),
            ours: Box::new(move || tch::no_grad(|| drop(network.forward(x, Pass::Eval)))),
        },
        Saving {
            name: "mask without sorting",
            plain: Box::new(move || drop(mask_by_sorting(x, &rank, 0.1, noise))),
            ours: Box::new(move || drop(mask(x, &of_rank, 0.1, noise))),
        },
        Saving {
            name: "SGD over all weights at once",
            plain: Box::new(move || library.backward_step(&sum_of_weights(network))),
            ours: Box::new(move || drop(fused.descend(&sum_of_weights(network), &[], 1e-9))),
        },
    ]
}

/// A loss whose gradient costs little.
fn sum_of_weights(network: &Network) -> Tensor {
    let weights = network.variables().trainable_variables();
    weights.iter().map(|weight| weight.sum(Kind::Float)).reduce(|sum, weight| sum + weight).expect("weights")
}

fn mask_by_sorting(x: &Tensor, saliency: &Tensor, k: f64, noise: &Tensor) -> Tensor {
    let pixels = x.flatten(1, -1);
    let count = (k * pixels.size()[1] as f64) as i64;
    let order = saliency.flatten(1, -1).argsort_stable(true, 1, false).narrow(1, 0, count);
    let (low, high) = (pixels.amin([1].as_slice(), true), pixels.amax([1].as_slice(), true));
    let values = (&low + noise.flatten(1, -1) * (&high - &low)).minimum(&high);
    pixels.scatter(1, &order, &values.gather(1, &order, false)).reshape_as(x)
}

fn milliseconds(device: Device, work: &mut dyn FnMut()) -> f64 {
    let wait = || {
        if let Device::Cuda(index) = device {
            Cuda::synchronize(index as i64);
        }
    };
    wait();
    let began = Instant::now();
    work();
    wait();
    1e3 * began.elapsed().as_secs_f64()
}

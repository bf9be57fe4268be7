//! What a model says of a set of images under a condition.

use attack::EpsilonSpace;
use method::Task;
use nn::{Error, Images, Network, Statistics, guarded, predict};
use tch::{Device, Kind, Tensor};

use crate::condition::Condition;

/// The logits of each image, N×K on the CPU, by passes of `batch` images in evaluation mode. `seen` is told how many are done.
pub(crate) fn logits(
    network: &Network,
    images: &Images,
    task: Task,
    condition: Condition,
    space: EpsilonSpace,
    batch: usize,
    seen: impl Fn(usize),
) -> Result<Tensor, Error> {
    if condition == Condition::Clean || images.is_empty() {
        return predict(network, images, batch);
    }
    let batch = batch.max(1);
    guarded(|| {
        let network = network.frozen(Statistics::Running);
        let passes: Vec<Tensor> = (0..images.len())
            .step_by(batch)
            .map(|start| {
                let (x, y) = images.range(start, batch.min(images.len() - start));
                let x = condition.apply(&network, task, space, &x, &y, start as u64);
                seen(y.size()[0] as usize);
                network.logits(&x)
            })
            .collect();
        Tensor::cat(&passes, 0).to_kind(Kind::Float).to_device(Device::Cpu)
    })
}

#[cfg(test)]
mod tests {
    use metrics::auroc;
    use nn::{Init, Options, Pass};
    use tch::{Reduction, nn::OptimizerConfig};

    use super::*;

    const SIDE: usize = 32;
    const COUNT: usize = 64;

    /// Images of noise; those of class 1 are a little brighter in the middle.
    fn images() -> (Images, Vec<bool>) {
        let labels: Vec<i64> = (0..COUNT as i64).map(|index| index % 2).collect();
        let noise = nn::uniform(1, &[(COUNT * SIDE * SIDE) as i64], Device::Cpu);
        let noise: Vec<f32> = noise.try_into().unwrap();
        let pixels: Vec<u8> = noise
            .iter()
            .enumerate()
            .map(|(place, noise)| {
                let (x, y) = (place % SIDE, place / SIDE % SIDE);
                let lit = labels[place / (SIDE * SIDE)] == 1 && (8..24).contains(&x) && (8..24).contains(&y);
                (60.0 + 120.0 * noise + if lit { 20.0 } else { 0.0 }) as u8
            })
            .collect();
        let positive = labels.iter().map(|label| *label == 1).collect();
        (Images::new(&pixels, &Tensor::from_slice(&labels), SIDE as i64, Device::Cpu).unwrap(), positive)
    }

    /// A network that tells most of the images apart.
    fn trained(images: &Images) -> Network {
        let options = Options { seed: 1, ..Options::default() };
        let (network, _) = Network::new(&options, &Init::Scratch).unwrap();
        let mut optimiser =
            tch::nn::Sgd { momentum: 0.9, ..Default::default() }.build(network.variables(), 0.01).unwrap();
        let (x, y) = images.range(0, COUNT);
        for _ in 0..12 {
            let logits = network.forward(&x, Pass::Train);
            let loss = logits.cross_entropy_loss(&y, None::<&Tensor>, Reduction::Mean, -100, 0.0);
            optimiser.backward_step(&loss);
        }
        network.reestimate_statistics([x]).unwrap();
        network
    }

    fn of(network: &Network, images: &Images, word: &str, batch: usize) -> Vec<Vec<f32>> {
        let condition = word.parse().unwrap();
        let logits =
            logits(network, images, Task::Classes, condition, EpsilonSpace::Pixel, batch, |_| ()).unwrap();
        nn::rows(&logits)
    }

    #[test]
    fn conditions_do_to_a_trained_network_what_they_should() {
        let (images, positive) = images();
        let network = trained(&images);
        let area = |word: &str| {
            let scores: Vec<f64> = of(&network, &images, word, 24)
                .iter()
                .map(|logits| f64::from(logits[1] - logits[0]))
                .collect();
            auroc(&scores, &positive).unwrap()
        };
        let clean = area("clean");
        assert!(clean > 0.9, "{clean}: the network learned nothing");
        let mut last = [clean; 2];
        for epsilon in ["0.01", "0.03", "0.05"] {
            let now = ["fgsm", "pgd"].map(|attack| area(&format!("{attack}-{epsilon}")));
            assert!(now[0] <= last[0] && now[1] <= last[1], "ε = {epsilon}: {now:?} after {last:?}");
            assert!(now[1] <= now[0], "ε = {epsilon}: more steps hurt more: {now:?}");
            last = now;
        }
        assert!(last[1] < clean - 0.2, "{last:?}");
        let border = area("border-only");
        assert!((border - 0.5).abs() < 0.2, "{border}: the border says nothing of the middle");
        for none in ["fgsm-0", "pgd-0", "blur-0"] {
            assert_eq!(of(&network, &images, none, 24), of(&network, &images, "clean", 24), "{none}");
        }
        // The passes' size makes no difference beyond rounding.
        let [some, all] = [24, COUNT].map(|batch| of(&network, &images, "noise-0.05", batch));
        let far =
            some.iter().flatten().zip(all.iter().flatten()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far < 1e-3, "{far}");
    }
}

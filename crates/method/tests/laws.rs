//! Laws of the paper's objective.

use std::collections::BTreeMap;

use attack::{Epsilon, Norm, Start, ThreatModel};
use method::{BnStats, GenerateMode, Objective, TrainingMethod};
use nn::{Draws, Init, Network, Options, uniform};
use tch::{Device, Kind, Tensor};

fn network() -> Network {
    let options = Options { auxiliary: true, seed: 4, ..Options::default() };
    let (model, _) = Network::new(&options, &Init::Scratch).unwrap();
    model.reestimate_statistics([uniform(9, &[8, 1, 32, 32], Device::Cpu)]).unwrap();
    model
}

fn batch() -> (Tensor, Tensor) {
    (uniform(1, &[4, 1, 32, 32], Device::Cpu), Tensor::from_slice(&[0i64, 1, 1, 0]))
}

fn draws() -> Draws {
    Draws::new(7, 0, 0)
}

fn copies(model: &Network) -> BTreeMap<String, Tensor> {
    model.state().into_iter().map(|(name, variable)| (name, variable.detach().copy())).collect()
}

#[test]
fn without_mask_and_attack_the_other_image_is_the_image() {
    let (model, (x, y)) = (network(), batch());
    let objective = Objective { k: 0.0, epsilon: Epsilon::ZERO, ..Objective::SGA };
    let masked = objective.masked(&objective.generator(&model), &x, &y, &draws());
    assert_eq!(masked, x);
    assert_eq!(objective.attacked(&objective.generator(&model), &masked, &y, &draws()), masked);
    let losses = objective.loss(&model, &x, &y, &draws());
    assert!(losses.kl.double_value(&[]).abs() < 1e-7, "equal predictions do not diverge");
}

#[test]
fn making_the_other_image_leaves_the_model() {
    let (model, (x, y)) = (network(), batch());
    let before = copies(&model);
    for &generate_mode in GenerateMode::ALL {
        for norm in [Norm::Inf, Norm::Two] {
            let threat = ThreatModel { norm, init: Start::Uniform, ..ThreatModel::pgd(2) };
            let objective = Objective { generate_mode, threat, ..Objective::SGA };
            let masked = objective.masked(&objective.generator(&model), &x, &y, &draws());
            let attacked = objective.attacked(&objective.generator(&model), &masked, &y, &draws());
            assert_ne!(attacked, masked);
            assert!(!attacked.requires_grad() && !masked.requires_grad());
        }
    }
    assert_eq!(copies(&model), before);
    assert!(model.variables().trainable_variables().iter().all(|parameter| !parameter.grad().defined()));
}

#[test]
fn the_mask_takes_a_tenth_and_the_attack_keeps_its_bound() {
    let (model, (x, y)) = (network(), batch());
    let masked = Objective::SGA.masked(&Objective::SGA.generator(&model), &x, &y, &draws());
    let changed = masked.ne_tensor(&x).flatten(1, -1).sum_dim_intlist([1].as_slice(), false, Kind::Int64);
    assert_eq!(Vec::<i64>::try_from(changed).unwrap(), [102; 4], "⌊0.1·32·32⌋");
    let half = draws().fix("epsilon", Tensor::from_slice(&[0.5f32]));
    let attacked = Objective::SGA.attacked(&Objective::SGA.generator(&model), &masked, &y, &half);
    let size = (&attacked - &masked).abs().max().double_value(&[]);
    assert!((size - 0.03).abs() < 1e-6, "half of the way from 0.01 to 0.05: {size}");
    assert!(attacked.min().double_value(&[]) >= 0.0 && attacked.max().double_value(&[]) <= 1.0);
}

#[test]
fn a_permuted_batch_gives_permuted_masks() {
    let (model, (x, y)) = (network(), batch());
    let noise = uniform(2, &x.size(), Device::Cpu);
    let order = Tensor::from_slice(&[2i64, 0, 3, 1]);
    let permute = |t: &Tensor| t.index_select(0, &order);
    let mask = |x: &Tensor, y: &Tensor, noise: &Tensor| {
        Objective::SGA.masked(&Objective::SGA.generator(&model), x, y, &draws().fix("mask", noise.copy()))
    };
    assert_eq!(mask(&permute(&x), &permute(&y), &permute(&noise)), permute(&mask(&x, &y, &noise)));
}

#[test]
fn the_gradient_of_the_divergence_goes_through_both_predictions() {
    // Auxiliary BatchNorms are reached through x′ alone, the main ones through x alone.
    let (model, (x, y)) = (network(), batch());
    let objective = Objective { lambda: 3.0, bn_stats: BnStats::Auxiliary, ..Objective::SGA };
    let losses = objective.loss(&model, &x, &y, &draws());
    let state = model.state();
    let main = &state["bn1.weight"];
    let gradients = |loss: &Tensor, keep| {
        Tensor::run_backward(&[loss], &[main, &state["bn1_auxiliary.weight"]], keep, false)
    };
    let both = gradients(&losses.total, true);
    assert!(both.iter().all(|gradient| gradient.abs().max().double_value(&[]) > 0.0));
    // Subtracting cross-entropy's own gradient leaves that of the divergence through x.
    let natural = Objective { lambda: 0.0, ..objective }.loss(&model, &x, &y, &draws()).total;
    let ce = Tensor::run_backward(&[natural], &[main], false, false).remove(0);
    assert!((&both[0] - ce).abs().max().double_value(&[]) > 1e-6);
}

#[test]
fn only_the_chosen_statistics_move() {
    let (x, y) = batch();
    let after = |bn_stats, lambda| {
        let model = network();
        let _ = Objective { bn_stats, lambda, ..Objective::SGA }.loss(&model, &x, &y, &draws());
        copies(&model)
    };
    let natural = after(BnStats::Clean, 0.0);
    assert_eq!(after(BnStats::Clean, 1.0), natural, "x alone moves them");
    let both = after(BnStats::Both, 1.0);
    let auxiliary = after(BnStats::Auxiliary, 1.0);
    for (name, value) in &natural {
        let running = name.contains("running_");
        let second = name.contains("_auxiliary");
        assert_eq!(both[name] != *value, running && !second, "{name}");
        assert_eq!(auxiliary[name] != *value, running && second, "{name}");
    }
}

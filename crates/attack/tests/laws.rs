//! An attack stays in its ball and in [0, 1], and more steps hurt more.

use attack::{Epsilon, EpsilonSpace, Norm, Start, ThreatModel};
use nn::{Draws, Init, Network, Options, Pass, uniform};
use tch::{Device, Kind, Tensor};

const SIDE: i64 = 16;

/// Four images that use the whole of [0, 1], black and white borders included.
fn images() -> Tensor {
    (uniform(1, &[4, 1, SIDE, SIDE], Device::Cpu) * 1.4 - 0.2).clamp(0.0, 1.0)
}

/// A curved loss with a different slope at every pixel.
fn loss(x: &Tensor) -> Tensor {
    let slope = uniform(2, &[1, 1, SIDE, SIDE], Device::Cpu) - 0.5;
    ((x * &slope).sin() + (x - 0.3) * (x - 0.3) * slope * 0.5).sum(Kind::Float)
}

/// The gradient of a loss of x.
fn gradient(loss: impl Fn(&Tensor) -> Tensor) -> impl Fn(&Tensor) -> Tensor {
    move |x| {
        let x = x.detach().set_requires_grad(true);
        Tensor::run_backward(&[loss(&x)], &[&x], false, false).remove(0)
    }
}

fn every_model() -> Vec<ThreatModel> {
    let mut models = Vec::new();
    for &norm in Norm::ALL {
        for steps in [1, 5] {
            for &init in Start::ALL {
                let model = ThreatModel { norm, steps, init, ..ThreatModel::FGSM };
                models.extend(model.check());
                models.extend(ThreatModel { step_size: Some(1.7), ..model }.check());
            }
        }
    }
    assert_eq!(models.len(), 3 * 2 * 2 * 2 + 2, "norm 0 takes no random start and no step size");
    models
}

/// The norm of each image's change.
fn sizes(norm: Norm, change: &Tensor) -> Vec<f64> {
    let change = change.to_kind(Kind::Double).flatten(1, -1);
    let sizes = match norm {
        Norm::Inf => change.abs().amax([1].as_slice(), false),
        Norm::Two => (&change * &change).sum_dim_intlist([1].as_slice(), false, Kind::Double).sqrt(),
        Norm::One => change.abs().sum_dim_intlist([1].as_slice(), false, Kind::Double),
        Norm::Zero => change.ne(0.0).to_kind(Kind::Double).mean_dim([1].as_slice(), false, Kind::Double),
    };
    Vec::try_from(sizes).unwrap()
}

fn bounds(norm: Norm) -> [f64; 3] {
    match norm {
        Norm::Inf => [0.01, 0.05, 0.5],
        Norm::Two => [0.1, 1.0, 6.0],
        Norm::One => [0.5, 5.0, 60.0],
        Norm::Zero => [0.004, 0.1, 1.0],
    }
}

#[test]
fn every_attack_stays_in_its_ball_and_in_range_and_raises_the_loss() {
    let x = images();
    for model in every_model() {
        for epsilon in bounds(model.norm) {
            let adversarial = model.perturb(gradient(loss), &x, epsilon.into(), &Draws::new(0, 0, 0));
            let context = format!("{model:?}, ε = {epsilon}");
            assert!(!adversarial.requires_grad(), "{context}");
            assert!(adversarial.min().double_value(&[]) >= 0.0, "{context}");
            assert!(adversarial.max().double_value(&[]) <= 1.0, "{context}");
            // Norm 0 rounds its count of pixels up.
            let slack =
                if model.norm == Norm::Zero { 1.0 / (SIDE * SIDE) as f64 } else { epsilon * 1e-5 + 1e-7 };
            for size in sizes(model.norm, &(&adversarial - &x)) {
                assert!(size <= epsilon + slack, "{size} in {context}");
                assert!(size > 0.0, "{context}");
            }
            let gain = (loss(&adversarial) - loss(&x)).double_value(&[]);
            assert!(gain > 0.0, "{gain} in {context}");
        }
    }
}

#[test]
fn norm_0_changes_as_many_pixels_as_its_share_is_meant_to_be() {
    let x = uniform(3, &[2, 1, 20, 20], Device::Cpu) * 0.8 + 0.1;
    let model = ThreatModel { norm: Norm::Zero, ..ThreatModel::FGSM };
    for (epsilon, pixels) in [(0.05, 20), (0.0501, 21), (1.0, 400)] {
        let adversarial = model.perturb(Tensor::ones_like, &x, epsilon.into(), &Draws::new(0, 0, 0));
        let changed = adversarial.ne_tensor(&x).sum(Kind::Int64).int64_value(&[]);
        assert_eq!(changed, 2 * pixels, "{epsilon}"); // 0.05 is 0.0500000007 as an f32
    }
}

#[test]
fn a_bound_of_zero_changes_no_bit() {
    for model in every_model() {
        assert_eq!(model.perturb(gradient(loss), &images(), Epsilon::ZERO, &Draws::new(0, 0, 0)), images());
    }
}

#[test]
fn fgsm_is_the_clamped_sign() {
    let slope = gradient(loss)(&images());
    let expected = (images() + slope.sign() * 0.03).clamp(0.0, 1.0);
    let adversarial = ThreatModel::FGSM.perturb(gradient(loss), &images(), 0.03.into(), &Draws::new(0, 0, 0));
    assert!((adversarial - expected).abs().max().double_value(&[]) < 1e-7);
}

#[test]
fn norm_2_spends_its_bound_along_the_gradient() {
    let grey = Tensor::full([4, 1, SIDE, SIDE], 0.5, (Kind::Float, Device::Cpu));
    let slope = uniform(2, &[1, 1, SIDE, SIDE], Device::Cpu) - 0.5;
    let model = ThreatModel { norm: Norm::Two, ..ThreatModel::FGSM };
    let change =
        model.perturb(gradient(|x| (x * &slope).mean(Kind::Float)), &grey, 0.4.into(), &Draws::new(0, 0, 0))
            - &grey;
    let expected = &slope / slope.norm() * 0.4;
    assert!((change - expected).abs().max().double_value(&[]) < 1e-6);
}

#[test]
fn norm_0_moves_the_pixels_of_largest_gradient_to_an_end() {
    let grey = Tensor::full([4, 1, SIDE, SIDE], 0.5, (Kind::Float, Device::Cpu));
    let slope = uniform(2, &[1, 1, SIDE, SIDE], Device::Cpu) - 0.5;
    let model = ThreatModel { norm: Norm::Zero, ..ThreatModel::FGSM };
    let adversarial =
        model.perturb(gradient(|x| (x * &slope).mean(Kind::Float)), &grey, 0.1.into(), &Draws::new(0, 0, 0));
    let changed = adversarial.ne_tensor(&grey);
    assert_eq!(changed.sum(Kind::Int64).int64_value(&[]), 4 * 26, "⌈0.1·256⌉ of each image");
    let ends = slope.gt(0.0).to_kind(Kind::Float).expand_as(&grey).masked_select(&changed);
    assert_eq!(adversarial.masked_select(&changed), ends);
    let strength = slope.abs().expand_as(&grey);
    let weakest_moved = strength.masked_select(&changed).min().double_value(&[]);
    let strongest_kept = strength.masked_select(&changed.logical_not()).max().double_value(&[]);
    assert!(weakest_moved >= strongest_kept);
}

#[test]
fn the_normalised_unit_is_the_mean_standard_deviation() {
    let grey = Tensor::full([1, 1, SIDE, SIDE], 0.5, (Kind::Float, Device::Cpu));
    let model = ThreatModel { eps_space: EpsilonSpace::Normalised, ..ThreatModel::FGSM };
    let change = (model.perturb(gradient(loss), &grey, 0.1.into(), &Draws::new(0, 0, 0)) - &grey)
        .abs()
        .max()
        .double_value(&[]);
    assert!((change - 0.1 * (0.229 + 0.224 + 0.225) / 3.0).abs() < 1e-6, "{change}");
}

#[test]
fn random_starts_follow_their_draws_and_fill_the_ball() {
    for norm in [Norm::Inf, Norm::Two, Norm::One] {
        let grey = Tensor::full([64, 1, SIDE, SIDE], 0.5, (Kind::Float, Device::Cpu));
        let flat = |x: &Tensor| (x * 0.0).sum(Kind::Float);
        let model = ThreatModel { norm, init: Start::Uniform, ..ThreatModel::FGSM };
        let [a, b, c] = [0, 0, 1]
            .map(|step| model.perturb(gradient(flat), &grey, 0.3.into(), &Draws::new(0, 0, step)) - &grey);
        assert_eq!(a, b);
        assert_ne!(a, c);
        // In 256 dimensions nearly all of the volume is near the surface.
        let sizes = sizes(norm, &a);
        assert!(sizes.iter().all(|&size| size > 0.9 * 0.3 && size <= 0.3 + 1e-5), "{norm}: {sizes:?}");
        let mean = a.mean(Kind::Double).double_value(&[]).abs();
        assert!(mean < 5.0 * a.std(false).double_value(&[]) / 128.0, "{norm}: the two signs are alike");
    }
}

#[test]
fn more_steps_hurt_a_network_at_least_as_much_and_leave_it_as_it_was() {
    let options = Options { seed: 3, ..Options::default() };
    let (model, _) = Network::new(&options, &Init::Scratch).unwrap();
    let x = uniform(1, &[8, 1, 32, 32], Device::Cpu);
    let y = Tensor::from_slice(&[0i64, 1, 0, 1, 0, 1, 0, 1]);
    model.reestimate_statistics([x.shallow_clone()]).unwrap();
    let before: Vec<Tensor> = model.state().values().map(|v| v.detach().copy()).collect();
    let loss = |x: &Tensor| model.forward(x, Pass::Eval).cross_entropy_for_logits(&y);
    let hurt = |threat: ThreatModel| {
        loss(&threat.perturb(gradient(loss), &x, 0.02.into(), &Draws::new(0, 0, 0))).double_value(&[])
    };
    for &norm in &[Norm::Inf, Norm::Two] {
        let [fgsm, pgd] = [1, 10].map(|steps| hurt(ThreatModel { norm, ..ThreatModel::pgd(steps) }));
        let clean = loss(&x).double_value(&[]);
        assert!(clean < fgsm && fgsm <= pgd, "{norm}: {clean} {fgsm} {pgd}");
    }
    assert!(model.variables().trainable_variables().iter().all(|parameter| !parameter.grad().defined()));
    assert!(model.state().values().zip(&before).all(|(after, before)| after == before));
}

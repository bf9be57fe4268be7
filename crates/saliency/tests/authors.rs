//! FullGrad and Smooth-FullGrad are those of their authors' code, as `fixtures/authors.py` runs it.

use std::collections::BTreeMap;

use nn::{Init, Network, Options, uniform};
use saliency::{Explainer, FullGrad, SmoothFullGrad};
use tch::{Device, Kind, Tensor};

/// `network` of `crates/method/tests/fixtures/make.py`.
fn model() -> Network {
    let (model, _) = Network::new(&Options::default(), &Init::Scratch).unwrap();
    for (seed, (name, mut variable)) in (0..).zip(model.state()) {
        let shape = variable.size();
        let random = uniform(seed, &shape, Device::Cpu);
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
    model
}

/// The largest difference from the authors' map over the map's largest value.
fn apart(maps: &Tensor, name: &str) -> f64 {
    let kept: BTreeMap<String, Vec<Vec<f64>>> =
        serde_json::from_str(include_str!("fixtures/authors.json")).unwrap();
    let theirs = kept[name].iter().flatten().copied().collect::<Vec<f64>>();
    let theirs = Tensor::from_slice(&theirs).reshape([2, 22, 22]);
    let ours = maps.slice(1, 0, 64, 3).slice(2, 0, 64, 3).to_kind(Kind::Double);
    ((ours - &theirs).abs().max() / theirs.max()).double_value(&[])
}

#[test]
fn maps_are_those_of_the_authors() {
    let mut model = model();
    let x = uniform(1000, &[2, 1, 64, 64], Device::Cpu);
    let y = Tensor::from_slice(&[1i64, 0]);
    let noise = |sample: u64| uniform(2000 + sample, &x.size(), Device::Cpu) - 0.5;
    for (kind, bound) in [(Kind::Float, 1e-4), (Kind::Double, 2e-7)] {
        if kind == Kind::Double {
            model.double();
        }
        let plain = apart(&FullGrad.explain(&model, &x.to_kind(kind), &y), "fullgrad");
        assert!(plain < bound, "FullGrad in {kind:?}: {plain:.1e}");
        let noisy = (0..3).map(|sample| (&x + noise(sample)).to_kind(kind));
        let smooth = apart(&SmoothFullGrad::over(&model, noisy, &y), "smooth_fullgrad");
        assert!(smooth < bound, "Smooth-FullGrad in {kind:?}: {smooth:.1e}");
    }
}

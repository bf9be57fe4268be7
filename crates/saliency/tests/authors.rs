//! FullGrad and Smooth-FullGrad are those of their authors' code, as `fixtures/authors.py` runs it.

use std::collections::BTreeMap;

use nn::{Options, uniform};
use saliency::{Explainer, FullGrad, SmoothFullGrad};
use tch::{Device, Kind, Tensor};
use testkit::made_up;

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
    let mut model = made_up(&Options::default());
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

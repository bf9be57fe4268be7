//! Explanations add up, keep their shape, and leave the model as it was.

use nn::{Architecture, Init, Network, Options, Pass, Statistics, uniform};
use saliency::{
    CASCADE, EXPLAINERS, Explainer, FullGrad, IntegratedGradients, SaliencyOf, exchanged, explainer,
    input_gradient, redraw,
};
use tch::{Device, Kind, Tensor};

/// A network whose BatchNorms have nothing special: random weights, biases and running statistics.
fn model() -> Network {
    model_of(Architecture::ResNet18)
}

fn model_of(architecture: Architecture) -> Network {
    let options = Options { architecture, seed: 1, ..Options::default() };
    let (model, _) = Network::new(&options, &Init::Scratch).unwrap();
    let state = model.state();
    for (seed, (name, mut variable)) in (0..).zip(model.state()) {
        let random = uniform(seed, &variable.size(), Device::Cpu);
        let layer = name.rsplit_once('.').map_or("", |(layer, _)| layer);
        let batch_norm = state.contains_key(&format!("{layer}.running_var"));
        let values = match name.rsplit_once('.').map(|(_, kind)| kind) {
            Some("weight" | "running_var") if batch_norm => random + 0.5,
            Some("bias" | "running_mean") if batch_norm => random - 0.5,
            _ => continue,
        };
        tch::no_grad(|| variable.copy_(&values));
    }
    model
}

fn images() -> (Tensor, Tensor) {
    (uniform(100, &[4, 1, 64, 64], Device::Cpu), Tensor::from_slice(&[0i64, 1, 1, 0]))
}

/// Few and small, for explanations of many passes.
fn few() -> (Tensor, Tensor) {
    (uniform(101, &[3, 1, 40, 40], Device::Cpu), Tensor::from_slice(&[0i64, 1, 1]))
}

/// The completeness error of each image over max(1, |z|), the largest.
fn completeness_error(model: &Network, x: &Tensor, y: &Tensor) -> f64 {
    let parts = FullGrad::attribute(model, x, y);
    ((parts.total() - &parts.logit).abs() / parts.logit.abs().clamp_min(1.0)).max().double_value(&[])
}

#[test]
fn fullgrad_adds_up_to_the_logit() {
    let (x, y) = images();
    for (architecture, layers) in [(Architecture::ResNet18, 20), (Architecture::DenseNet121, 121)] {
        let mut model = model_of(architecture);
        assert_eq!(FullGrad.refuses(architecture), None);
        assert_eq!(FullGrad::attribute(&model, &x, &y).biases.len(), layers, "{architecture}");
        let single = completeness_error(&model, &x, &y);
        assert!(single <= 1e-3, "{architecture}: {single}");
        model.double();
        let double = completeness_error(&model, &x.to_kind(Kind::Double), &y);
        assert!(double <= 1e-9, "{architecture}: {double}");
    }
}

#[test]
fn fullgrad_refuses_where_it_would_not_add_up() {
    let (x, y) = images();
    let model = model_of(Architecture::EfficientNetB0);
    assert!(FullGrad.refuses(model.architecture()).is_some_and(|why| why.contains("SiLU")));
    let error = completeness_error(&model, &x, &y);
    assert!(error > 1e-2, "{error}: it adds up after all");
}

#[test]
fn the_parts_of_fullgrad_all_count() {
    let (x, y) = images();
    let parts = FullGrad::attribute(&model(), &x, &y);
    for (layer, part) in &parts.biases {
        assert!(part.abs().max().double_value(&[]) > 0.0, "{layer}");
    }
}

#[test]
fn integrated_gradients_tend_to_the_difference_from_black() {
    let mut model = model();
    model.double();
    let (x, y) = images();
    let (x, y) = (x.narrow(0, 0, 2).to_kind(Kind::Double), y.narrow(0, 0, 2));
    let logit = |x: &Tensor| model.forward(x, Pass::Eval).gather(1, &y.unsqueeze(1), false).squeeze_dim(1);
    let difference = logit(&x) - logit(&x.zeros_like());
    let [coarse, fine] = [2, 64].map(|steps| {
        let sum = IntegratedGradients { steps }.attribute(&model, &x, &y).flatten(1, -1);
        let sum = sum.sum_dim_intlist([1].as_slice(), false, Kind::Double);
        ((sum - &difference) / &difference).abs().max().double_value(&[])
    });
    assert!(fine < 0.02 && fine < coarse, "{coarse} {fine}");
    let sums = IntegratedGradients { steps: 1 }.adding_up(&model, &x, &y);
    let sums = sums.sum_dim_intlist([1, 2, 3].as_slice(), false, Kind::Double);
    let error = ((sums - &difference) / &difference).abs().max().double_value(&[]);
    assert!(error <= 0.05, "{error}");
}

/// The model but for its first three parts from the head down, which are as before training.
fn redrawn(model: &Network) -> Network {
    let (other, _) = Network::new(&Options::default(), &Init::Scratch).unwrap();
    other.restore(&model.copies()).unwrap();
    CASCADE[..3].iter().for_each(|part| redraw(&other, part, 2));
    other
}

/// N×H×W → N×HW, each map's sum 1.
fn shares(maps: &Tensor) -> Tensor {
    let maps = maps.flatten(1, -1);
    &maps / maps.sum_dim_intlist([1].as_slice(), true, Kind::Float)
}

#[test]
fn every_explainer_gives_maps_and_leaves_the_model() {
    let model = model();
    let (x, y) = few();
    let before: Vec<Tensor> = model.state().values().map(|v| v.detach().copy()).collect();
    for explainer in EXPLAINERS {
        let map = explainer.explain(&model, &x, &y);
        let name = explainer.name();
        assert_eq!(
            (map.size(), map.kind(), map.requires_grad()),
            (vec![3, 40, 40], Kind::Float, false),
            "{name}"
        );
        assert!(map.min().double_value(&[]) >= 0.0, "{name}");
        assert!(
            map.amax([1, 2].as_slice(), false).min().double_value(&[]) > 0.0,
            "{name}: every image has a map"
        );
        // Images are explained one by one, also inside a block without gradients, where evaluation stands.
        let order = Tensor::from_slice(&[2i64, 0, 1]);
        let more = Tensor::cat(&[x.index_select(0, &order), x.shallow_clone()], 0);
        let targets = Tensor::cat(&[y.index_select(0, &order), 1 - &y], 0);
        let again = tch::no_grad(|| explainer.explain(&model, &more, &targets));
        let expected = map.index_select(0, &order);
        let error = (again.narrow(0, 0, 3) - &expected).abs().max().double_value(&[])
            / expected.max().double_value(&[]);
        assert!(error < 1e-4, "{name}: {error}");
        // Their target and the weights matter.
        let others = [
            ("another target", again.narrow(0, 3, 3)),
            ("other weights", explainer.explain(&redrawn(&model), &x, &y)),
        ];
        for (what, other) in others {
            let moved =
                (shares(&map) - shares(&other)).abs().sum_dim_intlist([1].as_slice(), false, Kind::Float);
            // Of maps that sum to 1: a thousandth of their mass, at least.
            assert!(moved.min().double_value(&[]) > 2e-3, "{name}, {what}: {moved}");
        }
    }
    assert!(model.variables().trainable_variables().iter().all(|parameter| !parameter.grad().defined()));
    assert!(model.state().values().zip(&before).all(|(after, before)| after == before));
}

#[test]
fn the_other_architectures_have_maps_too() {
    let (x, y) = images();
    let (x, y) = (x.narrow(0, 0, 2).narrow(2, 0, 32).narrow(3, 0, 32), y.narrow(0, 0, 2));
    for architecture in [Architecture::DenseNet121, Architecture::EfficientNetB0] {
        let model = model_of(architecture);
        let before = model.copies();
        for explainer in EXPLAINERS.iter().filter(|explainer| explainer.refuses(architecture).is_none()) {
            let (map, name) = (explainer.explain(&model, &x, &y), explainer.name());
            assert_eq!(map.size(), [2, 32, 32], "{architecture}, {name}");
            let (least, most) = (map.min().double_value(&[]), map.max().double_value(&[]));
            // The positive part of Grad-CAM may be nothing.
            let bounds = least >= 0.0 && most.is_finite() && (most > 0.0 || name == "grad_cam");
            assert!(bounds, "{architecture}, {name}: {least} to {most}");
        }
        assert!(model.copies() == before, "{architecture}");
    }
}

#[test]
fn names_are_found_once_and_others_are_refused() {
    for known in EXPLAINERS {
        assert_eq!(explainer(known.name()).unwrap().meaning(), known.meaning());
    }
    let Err(error) = explainer("lime") else { panic!("it is not there") };
    let expected = "unknown explainer `lime`; allowed: fullgrad, smooth_fullgrad, gradient, integrated_gradients, grad_cam";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn the_input_gradient_is_the_slope_of_what_it_is_of() {
    let mut model = model();
    model.double();
    let (x, y) = images();
    let x = x.to_kind(Kind::Double);
    let direction = uniform(7, &x.size(), Device::Cpu).to_kind(Kind::Double) - 0.5;
    for &of in SaliencyOf::ALL {
        let value = |x: &Tensor| {
            let logits = model.forward(x, Pass::Eval);
            let rows = if of == SaliencyOf::TrueLogprob {
                logits.log_softmax(1, Kind::Double)
            } else {
                logits.copy()
            };
            let class = if of == SaliencyOf::PredLogit { logits.argmax(1, false) } else { y.copy() };
            rows.gather(1, &class.unsqueeze(1), false).sum(Kind::Double).double_value(&[])
        };
        let step = 1e-6;
        let slope = (value(&(&x + &direction * step)) - value(&(&x - &direction * step))) / (2.0 * step);
        let gradient = input_gradient(&model.frozen(Statistics::Running), &x, &y, of);
        let expected = (gradient * &direction).sum(Kind::Double).double_value(&[]);
        assert!((slope - expected).abs() < 1e-3 * expected.abs().max(1.0), "{of}: {slope} {expected}");
    }
}

#[test]
fn the_cascade_reaches_every_weight_once() {
    let model = model();
    let mut seen = std::collections::BTreeSet::new();
    for part in CASCADE {
        let before = model.copies();
        redraw(&model, part, 3);
        let moved = model.state().into_iter().filter(|(name, now)| *now != before[name]);
        for (name, _) in moved {
            assert!(seen.insert(name.clone()), "{part}: {name} twice");
        }
    }
    assert_eq!(seen.len(), model.state().len());
}

#[test]
fn pixels_are_exchanged_the_most_salient_first() {
    let (model, (x, y)) = (model(), few());
    let network = model.frozen(Statistics::Running);
    let black = x.zeros_like();
    let maps = uniform(5, &[3, 40, 40], Device::Cpu);
    let curve = exchanged(&network, &x, &black, &maps, &y);
    let probability = |x: &Tensor| {
        network.logits(x).softmax(1, Kind::Float).gather(1, &y.unsqueeze(1), false).squeeze_dim(1)
    };
    // Three tenths by hand: the pixels above the value at that place in order.
    let (sorted, _) = maps.flatten(1, -1).sort(1, true);
    let edge = sorted.select(1, 480).reshape([3, 1, 1]);
    let without = &x * maps.le_tensor(&edge).unsqueeze(1);
    for (tenths, image) in [(0, &x), (3, &without), (10, &black)] {
        let error = (curve.select(1, tenths) - probability(image)).abs().max().double_value(&[]);
        assert!(error < 1e-5, "{tenths}: {error}");
    }
    // The way back is the same curve, seen from its end, with the least salient first.
    let back = exchanged(&network, &black, &x, &(1 - &maps), &y).flip([1]);
    assert!((back - &curve).abs().max().double_value(&[]) < 1e-5);
}

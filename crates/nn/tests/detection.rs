//! Laws of networks that find boxes.

use std::collections::BTreeMap;

use nn::{Architecture, Error, Init, Network, Options, Pass, Precision, Statistics, uniform, write_tensors};
use tch::{Device, Kind, Tensor};

const OPTIONS: Options = Options { detects: true, seed: 1, ..Options::DEFAULT };

fn scratch(options: &Options) -> Network {
    Network::new(options, &Init::Scratch).unwrap().0
}

fn images(side: i64) -> Tensor {
    uniform(1, &[2, 1, side, side], Device::Cpu)
}

fn largest(difference: &Tensor) -> f64 {
    difference.abs().max().double_value(&[])
}

#[test]
fn every_place_of_three_levels_says_six_numbers() {
    for architecture in [Architecture::ResNet18, Architecture::ResNet34, Architecture::ResNet50] {
        let model = scratch(&Options { architecture, ..OPTIONS });
        assert!(model.detects() && model.classes() == 0);
        for (side, places) in [(64, 8 * 8 + 4 * 4 + 2 * 2), (100, 13 * 13 + 7 * 7 + 4 * 4)] {
            let output = model.forward(&images(side), Pass::TrainFrozen);
            assert_eq!(output.size(), [2, places, 6], "{architecture}, {side}");
            assert!(output.narrow(2, 1, 4).min().double_value(&[]) > 0.0, "distances are positive");
            let sure = output.narrow(2, 0, 1).sigmoid().mean(Kind::Double).double_value(&[]);
            assert!(
                (0.005..0.02).contains(&sure),
                "{architecture}: at first few places are findings: {sure}"
            );
        }
    }
}

#[test]
fn architectures_without_one_are_told() {
    for architecture in [Architecture::DenseNet121, Architecture::EfficientNetB0] {
        let error = Network::new(&Options { architecture, ..OPTIONS }, &Init::Scratch).unwrap_err();
        assert!(matches!(error, Error::CannotDetect(_)), "{error}");
    }
}

#[test]
fn a_checkpoint_is_read_back_and_a_classifier_gives_its_body() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let model = scratch(&Options { auxiliary: true, ..OPTIONS });
    let _ = model.forward(&images(64), Pass::Train);
    write_tensors(&model.state(), &path).unwrap();
    let loaded = Network::load(&path, Device::Cpu, Precision::F32).unwrap();
    assert_eq!(model.forward(&images(64), Pass::Eval), loaded.forward(&images(64), Pass::Eval));

    let classifier = scratch(&Options { seed: 9, ..Options::DEFAULT });
    write_tensors(&classifier.state(), &path).unwrap();
    let (model, missing) = Network::new(&OPTIONS, &Init::File(path)).unwrap();
    assert!(missing.iter().all(|name| name.starts_with("detection.")), "{missing:?}");
    assert_eq!(model.state()["layer4.1.conv2.weight"], classifier.state()["layer4.1.conv2.weight"]);
    assert_eq!(missing.len() + classifier.state().len() - 2, model.state().len());
}

#[test]
fn passes_move_what_they_say_and_gradients_reach_every_weight() {
    let model = scratch(&Options { auxiliary: true, ..OPTIONS });
    let before = model.copies();
    let moved = |model: &Network| -> Vec<String> {
        model
            .state()
            .into_iter()
            .filter(|(name, value)| *value != before[name])
            .map(|(name, _)| name)
            .collect()
    };
    let x = images(64);
    let [eval, frozen] = [Pass::Eval, Pass::TrainFrozen].map(|pass| model.forward(&x, pass));
    assert_eq!(moved(&model), [""; 0]);
    assert!(largest(&(&eval - &frozen)) > 1e-3);
    assert_eq!(model.forward(&x, Pass::Auxiliary), frozen);
    assert_eq!(model.forward(&x, Pass::Train), frozen);
    assert!(moved(&model).iter().all(|name| name.contains("running_")));
    model.forward(&x, Pass::Train).sum(Kind::Float).backward();
    for (name, value) in model.state() {
        let trained = !name.contains("running_") && !name.contains("auxiliary");
        assert_eq!(value.grad().defined(), trained, "{name}");
        assert!(!trained || largest(&value.grad()) > 0.0, "{name}");
    }
}

/// The gradient of the input is that of differences, in f64.
#[test]
fn the_frozen_network_gives_the_gradient_of_the_input() {
    let mut model = scratch(&OPTIONS);
    model.reestimate_statistics([images(64)]).unwrap();
    model.double();
    let x = images(64).to_kind(Kind::Double);
    let weights = uniform(3, &[2, 84, 6], Device::Cpu).to_kind(Kind::Double);
    let of = |output: &Tensor| (output * &weights).sum(Kind::Double);
    for (statistics, pass) in [(Statistics::Running, Pass::Eval), (Statistics::Batch, Pass::TrainFrozen)] {
        let frozen = model.frozen(statistics);
        assert_eq!(frozen.logits(&x), model.forward(&x, pass).detach());
        let gradient = frozen.input_gradient(&x, of);
        let tracked = x.copy().set_requires_grad(true);
        of(&model.forward(&tracked, pass)).backward();
        assert!(largest(&(&gradient - tracked.grad())) <= 1e-12 * largest(&gradient), "{statistics:?}");
        let step = uniform(4, &x.size(), Device::Cpu).to_kind(Kind::Double) * 1e-7;
        let value = |x: &Tensor| of(&frozen.logits(x)).double_value(&[]);
        let (slope, difference) =
            ((&gradient * &step).sum(Kind::Double).double_value(&[]), value(&(&x + &step)) - value(&x));
        assert!((slope / difference - 1.0).abs() < 1e-3, "{statistics:?}: {slope} {difference}");
    }
}

#[test]
fn a_head_drawn_anew_begins_as_every_head() {
    let model = scratch(&OPTIONS);
    let before: BTreeMap<String, Tensor> = model.copies();
    tch::no_grad(|| {
        for (name, mut value) in model.state() {
            if name.starts_with("detection.") {
                let _ = value.fill_(3.0);
            }
        }
    });
    model.redraw(OPTIONS.seed, |name| name.starts_with("detection."));
    assert!(model.copies() == before);
}

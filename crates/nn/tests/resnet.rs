//! Laws of the network: what each pass moves, and what files hold.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use nn::{Architecture, Error, Init, Network, Options, Pass, Precision, Statistics, uniform, write_tensors};
use tch::{Device, Kind, Tensor};

const OPTIONS: Options = Options { seed: 1, ..Options::DEFAULT };

fn scratch(options: &Options) -> Network {
    Network::new(options, &Init::Scratch).unwrap().0
}

fn images(seed: u64) -> Tensor {
    uniform(seed, &[4, 1, 64, 64], Device::Cpu)
}

/// Copies of every weight and running statistic.
fn state(model: &Network) -> BTreeMap<String, Tensor> {
    model.state().into_iter().map(|(name, tensor)| (name, tensor.detach().copy())).collect()
}

/// The names whose values differ.
fn moved(before: &BTreeMap<String, Tensor>, model: &Network) -> Vec<String> {
    let after = model.state().into_iter();
    after.filter(|(name, tensor)| *tensor != before[name]).map(|(name, _)| name).collect()
}

fn largest_difference(a: &Tensor, b: &Tensor) -> f64 {
    (a.to_kind(Kind::Double) - b.to_kind(Kind::Double)).abs().max().double_value(&[])
}

#[test]
fn it_has_the_parameters_of_a_resnet18_with_two_classes() {
    let model = scratch(&OPTIONS);
    let count: usize = model.variables().trainable_variables().iter().map(Tensor::numel).sum();
    assert_eq!(count, 11_177_538);
    assert_eq!(model.variables().len(), 62 + 40, "parameters and running statistics");
}

#[test]
fn scratch_weights_have_their_spread_and_follow_the_seed() {
    let model = scratch(&OPTIONS);
    let weights = state(&model);
    let std = weights["layer4.1.conv2.weight"].std(false).double_value(&[]);
    assert!((std / (2.0 / (512.0 * 9.0_f64)).sqrt() - 1.0).abs() < 0.01, "{std}");
    assert!(weights["fc.weight"].abs().max().double_value(&[]) <= 1.0 / 512_f64.sqrt());
    assert_eq!(weights["bn1.weight"], Tensor::ones([64], (Kind::Float, Device::Cpu)));
    assert!(moved(&weights, &scratch(&OPTIONS)).is_empty());
    let other = moved(&weights, &scratch(&Options { seed: 2, ..OPTIONS }));
    assert_eq!(other.len(), 20 + 2, "every convolution and the head");
}

#[test]
fn only_training_moves_running_statistics() {
    let model = scratch(&OPTIONS);
    let before = state(&model);
    let x = images(1);
    let [eval, frozen] = [Pass::Eval, Pass::TrainFrozen].map(|pass| model.forward(&x, pass));
    assert_eq!(moved(&before, &model), [""; 0]);
    let train = model.forward(&x, Pass::Train);
    assert_eq!(train, frozen, "both normalise with the batch's statistics");
    assert!(largest_difference(&train, &eval) > 1e-3);
    let names = moved(&before, &model);
    assert_eq!(names.len(), 40);
    assert!(names.iter().all(|name| name.contains("running_")), "{names:?}");

    // momentum: after one batch from mean 0, the running mean is a tenth of the batch's.
    let conv =
        model.normalise(&x).conv2d(&before["conv1.weight"], None::<&Tensor>, [2; 2], [3; 2], [1; 2], 1);
    let mean = conv.mean_dim([0, 2, 3].as_slice(), false, Kind::Float);
    assert!(largest_difference(&(mean * 0.1), &state(&model)["bn1.running_mean"]) < 1e-6);
}

#[test]
fn the_auxiliary_pass_has_its_own_batch_norms() {
    let model = scratch(&Options { auxiliary: true, ..OPTIONS });
    let before = state(&model);
    assert_eq!(before.len(), 102 + 80);
    assert_eq!(model.forward(&images(1), Pass::Auxiliary), model.forward(&images(1), Pass::TrainFrozen));
    let names = moved(&before, &model);
    assert_eq!(names.len(), 40);
    assert!(names.iter().all(|name| name.contains("_auxiliary.running_")), "{names:?}");
    model.forward(&images(1), Pass::Auxiliary).sum(Kind::Float).backward();
    let variables = model.state();
    assert!(variables["bn1_auxiliary.weight"].grad().defined());
    assert!(!variables["bn1.weight"].grad().defined());
}

#[test]
fn a_checkpoint_is_read_back_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|name| folder.path().join(name).with_extension("safetensors"));
    let model = scratch(&Options { auxiliary: true, ..OPTIONS });
    let _ = model.forward(&images(1), Pass::Train);
    write_tensors(&model.state(), &one).unwrap();
    let loaded = Network::load(&one, Device::Cpu, Precision::F32).unwrap();
    assert_eq!(moved(&state(&model), &loaded), [""; 0]);
    assert_eq!(model.forward(&images(2), Pass::Eval), loaded.forward(&images(2), Pass::Eval));
    write_tensors(&loaded.state(), &two).unwrap();
    assert!(fs::read(one).unwrap() == fs::read(two).unwrap(), "the same weights give the same bytes");
}

#[test]
fn weights_of_another_head_in_half_precision_are_taken_and_gaps_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("imagenet.safetensors");
    let source = state(&scratch(&Options { seed: 9, ..OPTIONS }));
    let mut stored: Vec<(&str, Tensor)> = source
        .iter()
        .filter(|(name, _)| !name.starts_with("fc.") && *name != "layer3.0.bn2.running_var")
        .map(|(name, tensor)| (name.as_str(), tensor.to_kind(Kind::Half).contiguous()))
        .collect();
    stored.push(("fc.weight", Tensor::zeros([1000, 512], (Kind::Half, Device::Cpu))));
    stored.push(("fc.bias", Tensor::zeros([1000], (Kind::Half, Device::Cpu))));
    Tensor::write_safetensors(&stored, &path).unwrap();

    let options = Options { auxiliary: true, ..OPTIONS };
    let (model, missing) = Network::new(&options, &Init::File(path.clone())).unwrap();
    assert_eq!(missing, ["fc.bias", "fc.weight", "layer3.0.bn2.running_var"]);
    let weights = state(&model);
    assert_eq!(weights["conv1.weight"], source["conv1.weight"].to_kind(Kind::Half).to_kind(Kind::Float));
    assert_eq!(weights["bn1_auxiliary.weight"], weights["bn1.weight"]);
    assert_eq!(weights["fc.weight"].size(), [2, 512]);

    stored.retain(|(name, _)| *name != "layer2.0.downsample.0.weight");
    Tensor::write_safetensors(&stored, &path).unwrap();
    let error = Network::new(&OPTIONS, &Init::File(path)).unwrap_err().to_string();
    assert!(error.contains("imagenet.safetensors: `layer2.0.downsample.0.weight` is not in it"), "{error}");
}

#[test]
fn files_that_are_no_weights_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.safetensors");
    fs::write(&garbage, "not tensors").unwrap();
    let load = |path| Network::load(path, Device::Cpu, Precision::F32).unwrap_err();
    let error = load(&garbage);
    assert!(matches!(&error, Error::Weights { path, .. } if *path == garbage), "{error}");
    let nowhere = Path::new("nowhere/model.safetensors");
    let error = load(nowhere);
    assert!(matches!(&error, Error::Io { path, .. } if path == nowhere), "{error}");
}

#[test]
fn reestimated_statistics_are_the_plain_average_over_batches() {
    let [all, one, two, three] = [(); 4].map(|()| scratch(&OPTIONS));
    for (model, seed) in [(&one, 1), (&two, 2), (&three, 3)] {
        assert_eq!(model.reestimate_statistics([images(seed)]).unwrap(), 1);
    }
    assert_eq!(all.reestimate_statistics((1..=3).map(images)).unwrap(), 3);
    let [all, one, two, three] = [all, one, two, three].map(|model| state(&model));
    for name in all.keys().filter(|name| name.contains("running_")) {
        let average = (&one[name] + &two[name] + &three[name]) / 3.0;
        let error = largest_difference(&all[name], &average);
        assert!(error < 1e-5 * average.abs().max().double_value(&[]).max(1.0), "{name}: {error}");
    }
    // One batch: evaluation is training, but for the unbiased variance (n = 4·2·2 in the last layer).
    let model = scratch(&OPTIONS);
    model.reestimate_statistics([images(1)]).unwrap();
    assert!(
        largest_difference(
            &model.forward(&images(1), Pass::Eval),
            &model.forward(&images(1), Pass::TrainFrozen)
        ) < 0.2
    );
}

#[test]
fn precision_changes_the_arithmetic_and_not_the_kind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let mut model = scratch(&OPTIONS);
    model.reestimate_statistics([images(1)]).unwrap();
    write_tensors(&model.state(), &path).unwrap();
    let single = model.forward(&images(2), Pass::Eval);
    let half = Network::load(&path, Device::Cpu, Precision::Bf16).unwrap().forward(&images(2), Pass::Eval);
    assert_eq!((single.kind(), half.kind()), (Kind::Float, Kind::Float));
    let error = largest_difference(&single, &half);
    assert!(error > 0.0 && error < 0.05, "bf16 has eight bits: {error}");
    model.double();
    let double = model.forward(&images(2).to_kind(Kind::Double), Pass::Eval);
    assert_eq!(double.kind(), Kind::Double);
    assert!(largest_difference(&single, &double) < 1e-4);
}

#[test]
fn taps_show_the_pass_they_are_of() {
    let model = scratch(&OPTIONS);
    model.reestimate_statistics([images(1)]).unwrap();
    let x = images(2);
    let taps = model.forward_with_taps(&model.normalise(&x));
    let difference = largest_difference(&taps.logits, &model.forward(&x, Pass::Eval));
    assert!(difference < 1e-5, "by rounding alone: {difference}");
    assert_eq!(taps.features.size(), [4, 512, 2, 2]);
    let names: Vec<_> = taps.layers.iter().map(|tap| tap.layer.as_str()).collect();
    assert_eq!((names.len(), names[0], names[20]), (21, "bn1", "fc"));
    for name in ["layer1.0.bn2", "layer2.0.downsample.1", "layer4.1.bn2"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    // Without its bias, a BatchNorm in evaluation is linear: it maps 0 to the bias.
    let weights = state(&model);
    let scale = &weights["bn1.weight"] / (&weights["bn1.running_var"] + 1e-5).sqrt();
    let expected = &weights["bn1.bias"] - &weights["bn1.running_mean"] * scale;
    assert!(largest_difference(&taps.layers[0].bias, &expected) < 1e-6);
}

#[test]
fn the_published_backbone_lacks_only_its_head() {
    let data = env::var_os("SGA_REAL_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let path = data.join("weights/resnet18-imagenet-backbone-fp16.safetensors");
    if !path.exists() {
        eprintln!("skipped: {} is absent", path.display());
        return;
    }
    let (model, missing) = Network::new(&OPTIONS, &Init::File(path)).unwrap();
    assert_eq!(missing, ["fc.bias", "fc.weight"]);
    assert!(model.state().values().all(|value| value.kind() == Kind::Float));
    model.reestimate_statistics([images(1), images(2)]).unwrap();
    let logits = model.forward(&images(3), Pass::Eval);
    assert!(logits.isfinite().all().int64_value(&[]) == 1 && logits.abs().max().double_value(&[]) < 10.0);
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A network whose BatchNorms all do something.
fn lively(options: &Options) -> Network {
    let model = scratch(options);
    let state = model.state();
    for (seed, (name, mut variable)) in (0..).zip(model.state()) {
        let layer = name.rsplit_once('.').map_or("", |(layer, _)| layer);
        if state.contains_key(&format!("{layer}.running_var")) {
            tch::no_grad(|| variable.copy_(&(uniform(seed, &variable.size(), Device::Cpu) + 0.5)));
        }
    }
    model
}

/// A curved scalar of logits.
fn scalar(logits: &Tensor) -> Tensor {
    (logits * Tensor::from_slice(&[1.0, -2.0]).to_kind(logits.kind())).sin().sum(logits.kind())
}

/// Logits and input gradient, by the network as it is trained.
fn by_autograd(model: &Network, x: &Tensor) -> (Tensor, Tensor) {
    let x = x.detach().set_requires_grad(true);
    let logits = model.forward(&x, Pass::Eval);
    let gradient = Tensor::run_backward(&[scalar(&logits)], &[&x], false, false).remove(0);
    (logits.detach(), gradient)
}

fn relative_difference(a: &Tensor, b: &Tensor) -> f64 {
    let distance = (a.to_kind(Kind::Double) - b.to_kind(Kind::Double)).norm();
    (distance / b.to_kind(Kind::Double).norm()).double_value(&[])
}

#[test]
fn folding_changes_neither_logits_nor_input_gradients_borders_included() {
    let mut model = lively(&OPTIONS);
    model.double();
    for (height, width) in [(64, 64), (33, 47), (32, 32)] {
        let x = uniform(7, &[3, 1, height, width], Device::Cpu).to_kind(Kind::Double);
        let (logits, gradient) = by_autograd(&model, &x);
        let folded = model.frozen(Statistics::Running);
        assert!(relative_difference(&folded.logits(&x), &logits) < 1e-12);
        let found = folded.input_gradient(&x, scalar);
        assert_eq!(found.size(), x.size());
        let difference = relative_difference(&found, &gradient);
        assert!(difference < 1e-12, "{height}×{width}: {difference}");
        let border = |t: &Tensor| t.narrow(2, 0, 3);
        let difference = relative_difference(&border(&found), &border(&gradient));
        assert!(difference < 1e-12, "border of {height}×{width}: {difference}");
    }
}

#[test]
fn folding_stays_within_the_rounding_of_each_format() {
    // A ReLU whose input is all but 0 may open or close by rounding, and the gradient jumps: its bound is wider.
    for (precision, of_logits, of_gradient) in [(Precision::F32, 1e-5, 0.02), (Precision::Bf16, 0.05, 0.3)] {
        let model = lively(&Options { precision, ..OPTIONS });
        let exact = lively(&OPTIONS);
        for side in [32, 64, 97] {
            let x = uniform(7, &[3, 1, side, side], Device::Cpu);
            let (logits, gradient) = by_autograd(&exact, &x);
            let folded = model.frozen(Statistics::Running);
            let difference = relative_difference(&folded.logits(&x), &logits);
            assert!(difference < of_logits, "logits, {precision}, {side}: {difference}");
            let difference = relative_difference(&folded.input_gradient(&x, scalar), &gradient);
            assert!(difference < of_gradient, "gradient, {precision}, {side}: {difference}");
        }
    }
}

#[test]
fn a_frozen_network_that_reads_the_batchs_statistics_moves_none() {
    let model = lively(&OPTIONS);
    let before = state(&model);
    let (x, frozen) = (images(1), model.frozen(Statistics::Batch));
    assert_eq!(frozen.logits(&x), model.forward(&x, Pass::TrainFrozen).detach());
    assert!(frozen.input_gradient(&x, scalar).abs().max().double_value(&[]) > 0.0);
    assert!(moved(&before, &model).is_empty());
}

#[test]
fn every_architecture_is_told_by_its_weights_and_frozen_passes_are_its_own() {
    let folder = tempfile::tempdir().unwrap();
    // Those of torchvision's builders with num_classes=2.
    let parameters = [11_177_538, 21_285_698, 23_512_130, 6_955_906, 4_010_110];
    for (&architecture, parameters) in Architecture::ALL.iter().zip(parameters) {
        let mut model = lively(&Options { architecture, ..OPTIONS });
        let count: usize = model.variables().trainable_variables().iter().map(Tensor::numel).sum();
        assert_eq!(count, parameters, "{architecture}");
        let path = folder.path().join(format!("{architecture}.safetensors"));
        write_tensors(&model.state(), &path).unwrap();
        let loaded = Network::load(&path, Device::Cpu, Precision::F32).unwrap();
        assert!(moved(&state(&model), &loaded).is_empty(), "{architecture}");

        model.double();
        let x = uniform(7, &[2, 1, 40, 33], Device::Cpu).to_kind(Kind::Double);
        let (logits, gradient) = by_autograd(&model, &x);
        let folded = model.frozen(Statistics::Running);
        assert!(relative_difference(&folded.logits(&x), &logits) < 1e-12, "{architecture}");
        assert!(relative_difference(&folded.input_gradient(&x, scalar), &gradient) < 1e-12, "{architecture}");
    }
}

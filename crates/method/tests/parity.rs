//! One step of every method is the step of plain PyTorch, as `fixtures/make.py` takes it.

use std::collections::{BTreeMap, BTreeSet};

use attack::ThreatModel;
use method::{Losses, Objective, TrainingMethod, Update, method};
use nn::{Architecture, Draws, Network, Options, Pass, uniform};
use serde::Deserialize;
use tch::{Device, Kind, Tensor, nn::OptimizerConfig};
use testkit::made_up;

const RATE: f64 = 0.05;

#[derive(Deserialize)]
struct Fixture {
    /// By architecture and pass.
    logits: BTreeMap<String, BTreeMap<String, Vec<[f64; 2]>>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    settings: Settings,
    /// Total, cross-entropy, divergence.
    losses: [f64; 3],
    /// Sum, sum of squares, first, middle and last entry, length of the change.
    variables: BTreeMap<String, [f64; 6]>,
}

#[derive(Deserialize)]
struct Settings {
    k: f64,
    lambda: f64,
    epsilon: f64,
    norm: String,
    steps: u32,
    bn_stats: String,
    generate_mode: String,
    saliency_of: String,
}

impl Settings {
    fn objective(&self) -> Objective {
        Objective {
            task: method::Task::Classes,
            k: self.k,
            lambda: self.lambda,
            epsilon: self.epsilon.into(),
            threat: ThreatModel { norm: self.norm.parse().unwrap(), ..ThreatModel::pgd(self.steps) },
            bn_stats: self.bn_stats.parse().unwrap(),
            generate_mode: self.generate_mode.parse().unwrap(),
            saliency_of: self.saliency_of.parse().unwrap(),
        }
        .check()
        .unwrap()
    }
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("fixtures/parity.json")).unwrap()
}

fn network(auxiliary: bool, kind: Kind) -> Network {
    network_of(Architecture::ResNet18, auxiliary, kind)
}

fn network_of(architecture: Architecture, auxiliary: bool, kind: Kind) -> Network {
    let mut model = made_up(&Options { architecture, auxiliary, ..Options::default() });
    if kind == Kind::Double {
        model.double();
    }
    model
}

fn batch(kind: Kind) -> (Tensor, Tensor) {
    (uniform(1000, &[6, 1, 64, 64], Device::Cpu).to_kind(kind), Tensor::from_slice(&[0i64, 1, 1, 0, 1, 0]))
}

fn checksum(value: &Tensor, before: &Tensor) -> [f64; 6] {
    let flat = value.detach().contiguous().to_kind(Kind::Double).flatten(0, -1);
    let change = &flat - before.contiguous().to_kind(Kind::Double).flatten(0, -1);
    let entry = |index: i64| flat.double_value(&[index]);
    let [sum, squares, change] =
        [flat.sum(Kind::Double), flat.square().sum(Kind::Double), change.norm()].map(|x| x.double_value(&[]));
    [sum, squares, entry(0), entry(flat.size()[0] / 2), entry(flat.size()[0] - 1), change]
}

#[test]
fn logits_are_torchvisions() {
    let fixture = fixture();
    let names: BTreeSet<&str> = Architecture::ALL.iter().map(|architecture| architecture.name()).collect();
    assert!(fixture.logits.keys().eq(names));
    for (architecture, passes) in fixture.logits {
        for (kind, tolerance) in [(Kind::Double, 1e-10), (Kind::Float, 1e-4)] {
            for (pass, expected) in &passes {
                let network = network_of(architecture.parse().unwrap(), false, kind);
                let pass = if pass == "eval" { Pass::Eval } else { Pass::Train };
                let expected = Tensor::from_slice2(expected);
                let logits = tch::no_grad(|| network.forward(&batch(kind).0, pass));
                let error = (logits - &expected).abs().max() / expected.abs().max();
                assert!(error.double_value(&[]) < tolerance, "{architecture}, {pass:?}, {kind:?}: {error:?}");
            }
        }
    }
}

#[test]
fn a_step_of_each_method_is_pytorchs() {
    for case in fixture().cases {
        let model = network(case.settings.bn_stats == "auxiliary", Kind::Double);
        let (x, y) = batch(Kind::Double);
        step(&case, &model, 1e-9, |update| {
            case.settings.objective().minibatch(&model, &x, &y, &draws(), update)
        });
    }
}

#[test]
fn in_single_precision_too_once_the_image_is_made() {
    // Which pixels are masked and the signs of the attack are decided in f64: rounding turns some of them (the next test
    // counts how many), and a turned sign is another image.
    for case in fixture().cases {
        let objective = case.settings.objective();
        let attacked = (objective.lambda > 0.0).then(|| changed(&case, Kind::Double).to_kind(Kind::Float));
        let model = network(case.settings.bn_stats == "auxiliary", Kind::Float);
        let (x, y) = batch(Kind::Float);
        step(&case, &model, 1e-5, |update| {
            let losses = objective.loss_against(&model, &x, &y, attacked.as_ref());
            update(&losses.total, &[]);
            losses
        });
    }
}

#[test]
fn single_precision_makes_the_same_image_but_for_a_few_pixels() {
    // One step, as in the paper: none to 0.8 % of the pixels differ, where a ReLU opened or closed by rounding. More steps
    // add up what rounding turned.
    let one_step = |case: &&Case| case.settings.lambda > 0.0 && case.settings.steps == 1;
    for case in fixture().cases.iter().filter(one_step) {
        let [single, double] =
            [Kind::Float, Kind::Double].map(|kind| changed(case, kind).to_kind(Kind::Double));
        let other = (&single - &double).abs().gt(1e-4).to_kind(Kind::Double).mean(Kind::Double);
        let share = other.double_value(&[]);
        assert!(share < 0.02, "{}: {share} of the pixels differ", case.name);
    }
}

fn draws() -> Draws {
    Draws::new(0, 0, 0).fix("mask", uniform(1001, &batch(Kind::Float).0.size(), Device::Cpu))
}

/// x′ of the case.
fn changed(case: &Case, kind: Kind) -> Tensor {
    let model = network(case.settings.bn_stats == "auxiliary", kind);
    let (objective, (x, y)) = (case.settings.objective(), batch(kind));
    let masked = objective.masked(&objective.generator(&model), &x, &y, &draws());
    objective.attacked(&objective.generator(&model), &masked, &y, &draws())
}

/// Takes the step of `case`: losses agree within `tolerance`, each variable within `tolerance` of its length.
fn step(case: &Case, model: &Network, tolerance: f64, minibatch: impl FnOnce(&mut Update<'_>) -> Losses) {
    let before: BTreeMap<_, _> =
        model.state().into_iter().map(|(name, variable)| (name, variable.detach().copy())).collect();
    let mut optimiser = tch::nn::sgd(0.9, 0.0, 0.0, false).build(model.variables(), RATE).unwrap();
    let losses = minibatch(&mut |loss, _| {
        optimiser.backward_step(loss);
        Vec::new()
    });

    for (found, expected) in [losses.total, losses.ce, losses.kl].iter().zip(case.losses) {
        let found = found.double_value(&[]);
        assert!((found - expected).abs() < tolerance, "{}: loss {found}, not {expected}", case.name);
    }
    let state = model.state();
    assert!(state.keys().eq(case.variables.keys()), "{}: the same variables", case.name);
    for (name, expected) in &case.variables {
        let found = checksum(&state[name], &before[name]);
        let context = format!("{}, {name}: {found:?}, not {expected:?}", case.name);
        let [sum, squares, entries @ .., change] = found;
        let [expected_sum, expected_squares, expected_entries @ .., expected_change] = *expected;
        let length = expected_squares.sqrt().max(1.0);
        for (found, expected) in entries.iter().zip(expected_entries) {
            assert!((found - expected).abs() < tolerance * expected.abs().max(1.0), "{context}");
        }
        // Two vectors d apart have sums at most √n·d apart, and squared lengths about 2·length·d.
        let root = (state[name].numel() as f64).sqrt();
        assert!((sum - expected_sum).abs() < tolerance * root * length, "{context}");
        assert!((squares - expected_squares).abs() < 2.0 * tolerance * length * length, "{context}");
        assert!(
            (change - expected_change).abs() < 300.0 * tolerance * expected_change.max(0.01),
            "{context}"
        );
    }
}

#[test]
fn the_presets_are_the_cases_of_their_names() {
    let middle = Draws::new(0, 0, 0).fix("epsilon", Tensor::from_slice(&[0.5]));
    for case in fixture().cases.iter().take(4) {
        let defaults = method(&case.name).unwrap().defaults;
        assert_eq!((defaults.k, defaults.lambda), (case.settings.k, case.settings.lambda), "{}", case.name);
        let drawn = defaults.epsilon.drawn(&middle, Device::Cpu).double_value(&[]);
        assert!((drawn - case.settings.epsilon).abs() < 1e-12 || case.name == "nt", "{}: {drawn}", case.name);
    }
}

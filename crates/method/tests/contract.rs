//! What every method in the registry must do, on tiny data. A new method is tested by its line in the registry.

use std::{collections::BTreeMap, ops::Range};

use attack::{Epsilon, EpsilonSpace, Norm, Start, ThreatModel};
use method::{BnStats, GenerateMode, METHODS, Method, Objective, Task, method};
use nn::{Architecture, Draws, Init, Network, Options, Sgd, uniform};
use saliency::SaliencyOf;
use schema::Truth;
use tch::{Device, Kind, Tensor};

/// The paper's methods.
const PAPER: [&str; 4] = ["nt", "at", "sg", "sga"];
/// Methods that see attacked images alone.
const ALONE: [&str; 3] = ["madry", "fast", "free"];
/// Methods whose loss is the paper's, with one x′ or another.
const AGREEMENT: [&str; 8] = ["at", "sg", "sga", "pgd-at", "trades", "sga-random-mask", "sga-abs", "asgt"];

fn network() -> Network {
    let options = Options { auxiliary: true, seed: 4, ..Options::default() };
    let (model, _) = Network::new(&options, &Init::Scratch).unwrap();
    model.reestimate_statistics([batch().0]).unwrap();
    model
}

/// Noise, brighter in class 1.
fn batch() -> (Tensor, Tensor) {
    let y = Tensor::from_slice(&[0i64, 1, 1, 0, 1, 0]);
    let brighter = y.to_kind(Kind::Float).reshape([6, 1, 1, 1]) * 0.3;
    (uniform(1, &[6, 1, 32, 32], Device::Cpu) * 0.6 + brighter, y)
}

/// A network and what it was at first: making one takes longer than training it.
struct Bench {
    model: Network,
    state: BTreeMap<String, Tensor>,
}

impl Bench {
    fn new() -> Self {
        let model = network();
        Self { state: model.copies(), model }
    }

    /// The losses (total, cross-entropy, divergence) of steps `from..to` on one minibatch.
    fn steps(
        &self,
        method: &Method,
        objective: Objective,
        sgd: &mut Sgd,
        steps: Range<u64>,
    ) -> Vec<[f64; 3]> {
        let built = (method.build)(objective.check().unwrap());
        let (x, y) = batch();
        let step = |step| {
            let draws = Draws::new(1, 0, step);
            let mut update = |loss: &Tensor, inputs: &[&Tensor]| sgd.descend(loss, inputs, 0.002);
            let losses = built.minibatch(&self.model, &x, &y, &draws, &mut update);
            [losses.total, losses.ce, losses.kl].map(|loss| loss.double_value(&[]))
        };
        steps.map(step).collect()
    }

    /// What the network is after step `step`.
    fn after(&self, method: &Method, objective: Objective, step: u64) -> BTreeMap<String, Tensor> {
        self.model.restore(&self.state).unwrap();
        self.steps(method, objective, &mut Sgd::new(&self.model, 0.9, 0.0), step..step + 1);
        self.model.copies()
    }
}

#[test]
fn its_cross_entropy_falls_and_it_remembers_nothing_that_a_checkpoint_does_not_hold() {
    let bench = Bench::new();
    for method in METHODS {
        let name = method.name;
        let threat = ThreatModel { steps: method.defaults.threat.steps.min(2), ..method.defaults.threat };
        let objective = Objective { threat, ..method.defaults };
        bench.model.restore(&bench.state).unwrap();
        let mut sgd = Sgd::new(&bench.model, 0.9, 0.0);
        let first = bench.steps(method, objective, &mut sgd, 0..1);
        let one_step = bench.model.copies();
        let velocities = sgd.state().into_iter().map(|(name, v)| (name, v.copy())).collect();
        let second = bench.steps(method, objective, &mut sgd, 1..2);
        let two_steps = bench.model.copies();
        let losses = [first[0], second[0]];
        assert!(losses.iter().flatten().all(|loss| loss.is_finite()), "{name}: {losses:?}");
        assert!(losses.iter().all(|[_, _, kl]| *kl >= 0.0), "{name}: {losses:?}");
        assert!(losses[1][1] < losses[0][1], "{name}: cross-entropy {losses:?}");
        assert!(two_steps.values().all(|value| value.isfinite().all().int64_value(&[]) == 1), "{name}");

        bench.model.restore(&one_step).unwrap();
        let mut sgd = Sgd::new(&bench.model, 0.9, 0.0);
        sgd.restore(&velocities).unwrap();
        assert_eq!(bench.steps(method, objective, &mut sgd, 1..2), second, "{name}: gone on with");
        assert!(bench.model.copies() == two_steps, "{name}: gone on with"); // assert_eq would print them
        let other_draws = bench.after(method, objective, 2);
        assert_eq!(other_draws == one_step, name == "nt", "{name}: other draws");
    }
}

#[test]
fn the_papers_methods_train_the_other_architectures() {
    for architecture in [Architecture::DenseNet121, Architecture::EfficientNetB0] {
        let options = Options { architecture, auxiliary: true, seed: 4, ..Options::default() };
        let (model, _) = Network::new(&options, &Init::Scratch).unwrap();
        model.reestimate_statistics([batch().0]).unwrap();
        let bench = Bench { state: model.copies(), model };
        for name in PAPER {
            let method = method(name).unwrap();
            bench.model.restore(&bench.state).unwrap();
            let mut sgd = Sgd::new(&bench.model, 0.9, 0.0);
            let losses = bench.steps(method, method.defaults, &mut sgd, 0..2);
            assert!(losses[1][1] < losses[0][1], "{architecture}, {name}: cross-entropy {losses:?}");
            assert_eq!(losses[0][2] > 0.0, name != "nt", "{architecture}, {name}: divergence {losses:?}");
        }
    }
}

#[test]
fn every_method_trains_on_four_classes_and_on_several_findings_at_once() {
    let classes = [0i64, 1, 2, 3, 3, 1];
    let brighter = Tensor::from_slice(&classes).to_kind(Kind::Float).reshape([6, 1, 1, 1]) * 0.15;
    let x = batch().0 * 0.5 + brighter;
    // As findings: at least class 1, 2, 3, and one that never holds.
    let holds = classes.iter().map(|class| vec![*class > 0, *class > 1, *class > 2, false]).collect();
    let (model, _) =
        Network::new(&Options { classes: 4, seed: 4, ..Options::default() }, &Init::Scratch).unwrap();
    model.reestimate_statistics([x.shallow_clone()]).unwrap();
    let before = model.copies();
    let tasks = [
        (Task::Classes, Tensor::from_slice(&classes)),
        (Task::Labels, Task::Labels.truth(&Truth::Findings(holds))),
    ];
    for (task, y) in &tasks {
        for method in METHODS.iter().filter(|method| *task == Task::Labels || PAPER.contains(&method.name)) {
            let threat = ThreatModel { steps: method.defaults.threat.steps.min(2), ..method.defaults.threat };
            let built = (method.build)(Objective { task: *task, threat, ..method.defaults });
            model.restore(&before).unwrap();
            let mut sgd = Sgd::new(&model, 0.9, 0.0);
            let falls = PAPER.contains(&method.name);
            // Of the others a single step of these few images may go either way.
            let steps = if falls { 2 } else { 1 };
            let step = |_| {
                let mut update = |loss: &Tensor, inputs: &[&Tensor]| sgd.descend(loss, inputs, 0.0005);
                let losses = built.minibatch(&model, &x, y, &Draws::new(1, 0, 0), &mut update);
                losses.ce.double_value(&[])
            };
            let losses: Vec<f64> = (0..steps).map(step).collect();
            let name = method.name;
            assert!(losses.iter().all(|loss| loss.is_finite()), "{task}, {name}: {losses:?}");
            assert!(!falls || losses[1] < losses[0], "{task}, {name}: cross-entropy {losses:?}");
        }
    }
}

#[test]
fn every_method_trains_a_network_that_finds_boxes() {
    // A bright square in every image but the last.
    let x = batch().0 * 0.5;
    let mut boxes = Vec::new();
    for image in 0..5 {
        let (left, up) = (4 + 2 * image, 14 - 2 * image);
        let _ = x.get(image).narrow(1, up, 12).narrow(2, left, 12).fill_(0.9);
        boxes.extend([left, up, left + 12, up + 12].map(|edge| edge as f32 / 32.0));
    }
    boxes.extend([f32::NAN; 4]);
    let y = Tensor::from_slice(&boxes).reshape([6, 1, 4]);
    let options = Options { detects: true, auxiliary: true, seed: 4, ..Options::default() };
    let (model, _) = Network::new(&options, &Init::Scratch).unwrap();
    model.reestimate_statistics([x.shallow_clone()]).unwrap();
    let before = model.copies();
    for method in METHODS {
        let threat = ThreatModel { steps: method.defaults.threat.steps.min(2), ..method.defaults.threat };
        let built = (method.build)(Objective { task: Task::Boxes, threat, ..method.defaults });
        model.restore(&before).unwrap();
        let mut sgd = Sgd::new(&model, 0.9, 0.0);
        let losses = [0, 1].map(|step| {
            let mut update = |loss: &Tensor, inputs: &[&Tensor]| sgd.descend(loss, inputs, 0.002);
            let losses = built.minibatch(&model, &x, &y, &Draws::new(1, 0, step), &mut update);
            [losses.ce, losses.kl].map(|loss| loss.double_value(&[]))
        });
        assert!(losses[1][0] < losses[0][0], "{}: loss and divergence {losses:?}", method.name);
        assert_eq!(losses[0][1] > 0.0, AGREEMENT.contains(&method.name), "{}: {losses:?}", method.name);
    }
}

#[test]
fn it_says_what_it_trains_against() {
    for method in METHODS {
        let attacks = !method.defaults.epsilon.is_zero();
        let built = (method.build)(method.defaults);
        assert_eq!(built.threat(), attacks.then_some((method.defaults.threat, 0.05)), "{}", method.name);
        let harmless = (method.build)(Objective { epsilon: Epsilon::ZERO, ..method.defaults });
        assert_eq!(harmless.threat(), None, "{}", method.name);
    }
}

#[test]
fn its_loss_touches_no_weight_and_no_gradient() {
    let (x, y) = batch();
    let Bench { model, state: before } = Bench::new();
    for method in METHODS {
        model.restore(&before).unwrap();
        let losses = (method.build)(method.defaults).loss(&model, &x, &y, &Draws::new(7, 0, 0));
        assert!(losses.total.requires_grad() && !losses.ce.requires_grad() && !losses.kl.requires_grad());
        assert!(!x.requires_grad(), "{}", method.name);
        for (name, value) in model.state() {
            assert!(!value.grad().defined(), "{}: {name}", method.name);
            assert!(value == before[&name] || name.contains(".running_"), "{}: {name} moved", method.name);
        }
    }
}

#[test]
fn without_what_makes_it_special_it_is_natural_training_bit_for_bit() {
    let bench = Bench::new();
    let natural = bench.after(method("nt").unwrap(), Objective { lambda: 0.0, ..Objective::SGA }, 0);
    for name in AGREEMENT {
        let method = method(name).unwrap();
        let harmless = Objective { lambda: 0.0, ..method.defaults };
        assert!(bench.after(method, harmless, 0) == natural, "{name}: λ = 0");
    }
    for name in ALONE {
        let method = method(name).unwrap();
        let threat = ThreatModel { steps: 1, ..method.defaults.threat };
        let harmless = Objective { epsilon: Epsilon::ZERO, threat, ..method.defaults };
        assert!(bench.after(method, harmless, 0) == natural, "{name}: ε = 0");
    }
}

#[test]
fn what_it_ignores_makes_no_difference() {
    let bench = Bench::new();
    for method in METHODS.iter().filter(|method| !method.ignores.is_empty()) {
        let threat = ThreatModel { steps: 1, ..method.defaults.threat };
        let plain = Objective { threat, ..method.defaults };
        let change = |name: &&str| match *name {
            "k" => Objective { k: 0.3, ..plain },
            "lambda" => Objective { lambda: 3.0, ..plain },
            "eps" => Objective { epsilon: 0.03.into(), ..plain },
            "steps" => Objective { threat: ThreatModel { steps: 2, ..threat }, ..plain },
            "start" => Objective { threat: ThreatModel { init: Start::Uniform, ..threat }, ..plain },
            "norm" => Objective { threat: ThreatModel { norm: Norm::Two, ..threat }, ..plain },
            "step_size" => Objective { threat: ThreatModel { step_size: Some(0.3), ..threat }, ..plain },
            "eps_space" => {
                Objective { threat: ThreatModel { eps_space: EpsilonSpace::Normalised, ..threat }, ..plain }
            }
            "bn_stats" => Objective { bn_stats: BnStats::Both, ..plain },
            "generate_mode" => Objective { generate_mode: GenerateMode::Train, ..plain },
            "saliency_of" => Objective { saliency_of: SaliencyOf::PredLogit, ..plain },
            other => panic!("say here how {other} is changed"),
        };
        let expected = bench.after(method, plain, 0);
        for changed in method.ignores.iter().map(change) {
            assert!(bench.after(method, changed, 0) == expected, "{}: {changed:?}", method.name);
        }
    }
}

#[test]
fn it_takes_attacks_of_every_order_and_of_one_or_many_steps() {
    let (x, y) = batch();
    let attacking = METHODS.iter().filter(|method| !method.defaults.epsilon.is_zero());
    let model = network();
    for method in attacking {
        let attacks = [(Norm::Zero, 0.02, 1), (Norm::One, 3.0, 2), (Norm::Two, 0.5, 1), (Norm::Inf, 0.03, 2)];
        for (norm, epsilon, steps) in attacks {
            let init = if norm == Norm::Zero { Start::Zero } else { method.defaults.threat.init };
            let threat = ThreatModel { norm, init, ..ThreatModel::pgd(steps) };
            let objective = Objective { threat, epsilon: epsilon.into(), ..method.defaults };
            let draws = Draws::new(7, 0, 0);
            let loss = |objective: Objective| {
                let losses = (method.build)(objective.check().unwrap()).loss(&model, &x, &y, &draws);
                losses.total.double_value(&[])
            };
            let harmless = Objective { epsilon: Epsilon::ZERO, ..objective };
            let (attacked, clean) = (loss(objective), loss(harmless));
            assert!(attacked.is_finite(), "{}, norm {norm}, {steps} steps", method.name);
            // `loss` of free is that of its start.
            let started = method.name == "free" && init == Start::Zero;
            assert_eq!(
                attacked.to_bits() == clean.to_bits(),
                started,
                "{}, norm {norm}, {steps} steps",
                method.name
            );
        }
    }
}

#[test]
fn free_takes_a_step_of_the_weights_with_each_replay() {
    let (free, bench) = (method("free").unwrap(), Bench::new());
    for replays in [1, 3] {
        let threat = ThreatModel { steps: replays, ..free.defaults.threat };
        let built = (free.build)(Objective { threat, ..free.defaults });
        bench.model.restore(&bench.state).unwrap();
        let (model, (x, y)) = (&bench.model, batch());
        let (mut sgd, mut seen) = (Sgd::new(model, 0.9, 0.0), Vec::new());
        built.minibatch(model, &x, &y, &Draws::new(7, 0, 0), &mut |loss, inputs| {
            seen.push(inputs[0].detach());
            sgd.descend(loss, inputs, 0.002)
        });
        assert_eq!(seen.len(), replays as usize);
        for attacked in &seen {
            let size = (attacked - &x).abs().max().double_value(&[]);
            assert!(size > 0.0 && size <= 0.05 + 1e-6, "{size}");
        }
        assert!(seen.windows(2).all(|pair| pair[0] != pair[1]), "the attack moves on");
    }
}

#[test]
fn the_attack_of_trades_raises_the_divergence_more_than_that_of_at() {
    let (model, (x, y)) = (network(), batch());
    let kl = |name: &str| {
        let objective = Objective { epsilon: 0.03.into(), threat: ThreatModel::pgd(10), ..Objective::SGA };
        let built = (method(name).unwrap().build)(Objective { k: 0.0, ..objective });
        built.loss(&model, &x, &y, &Draws::new(7, 0, 0)).kl.double_value(&[])
    };
    let (trades, at) = (kl("trades"), kl("at"));
    assert!(trades > 0.0 && trades > 0.9 * at, "{trades}, {at}");
}

#[test]
fn an_unknown_name_is_told_what_is_allowed() {
    let error = method("magic").unwrap_err().to_string();
    assert!(METHODS.iter().all(|method| error.contains(method.name)), "{error}");
}

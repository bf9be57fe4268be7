//! Runs from first weights to last ones: what they learn, where they stop, where they go on.

use std::{cell::Cell, path::Path, time::Duration};

use method::{Losses, Task, TrainingMethod, method};
use nn::{Augmentation, Draws, Images, Init, Network, Options, Pass, shuffled};
use tch::{Device, Tensor};
use trainer::{Checkpoints, Data, EarlyStop, Epoch, Error, Fitted, OnNan, Schedule, Settings, Watch, fit};

/// Counts minibatches, and leaves after some.
#[derive(Default)]
struct Follower {
    leave_after: Option<usize>,
    minibatches: Cell<usize>,
    resumed: Option<(usize, u64)>,
    passed_over: usize,
}
impl Watch for Follower {
    fn passes_over(&mut self, error: &Error) {
        assert!(error.to_string().contains("epoch-"), "{error}");
        self.passed_over += 1;
    }
    fn starts(&mut self, epochs: &[Epoch], images: u64) {
        self.resumed = (images > 0).then_some((epochs.len(), images));
    }
    fn minibatch(&mut self, _: usize, _: Option<f64>) {
        self.minibatches.set(self.minibatches.get() + 1);
    }
    fn epoch(&mut self, _: &Epoch, _: f64, _: bool) {}
    fn collapsed(&mut self, _: &Epoch) {}
    fn interrupted(&self) -> bool {
        self.leave_after.is_some_and(|most| self.minibatches.get() >= most)
    }
}

/// Dark and bright squares on noise.
fn images(count: usize, side: usize) -> (Images, Vec<bool>) {
    let positive: Vec<bool> = (0..count).map(|index| index % 2 == 1).collect();
    let noise = nn::uniform(9, &[(count * side * side) as i64], Device::Cpu) * 60.0;
    let noise: Vec<f32> = Vec::try_from(noise).unwrap();
    let pixels: Vec<u8> = noise
        .iter()
        .enumerate()
        .map(|(i, noise)| *noise as u8 + if positive[i / (side * side)] { 120 } else { 60 })
        .collect();
    let labels: Vec<i64> = positive.iter().map(|positive| i64::from(*positive)).collect();
    (Images::new(&pixels, &Tensor::from_slice(&labels), side as i64, Device::Cpu).unwrap(), positive)
}

fn settings(seed: u64) -> Settings {
    Settings {
        epochs: 2,
        batch: 8,
        rate: 0.01,
        schedule: Schedule::OneCycle,
        momentum: 0.9,
        weight_decay: 1e-4,
        augmentation: Augmentation::LIGHT,
        seed,
        on_nan: OnNan::Stop,
        early_stop: EarlyStop::None,
        accumulate: 1,
        recorded: false,
        checkpoint_every: Duration::from_hours(1),
    }
}

fn run(name: &str, settings: &Settings, folder: &Path, follower: &mut Follower) -> Result<Fitted, Error> {
    let method = method(name).unwrap();
    let method = (method.build)(method.defaults);
    run_method(method.as_ref(), settings, folder, follower)
}

fn run_method(
    method: &dyn TrainingMethod,
    settings: &Settings,
    folder: &Path,
    follower: &mut Follower,
) -> Result<Fitted, Error> {
    let options = Options { seed: 3, ..Options::default() };
    let (network, _) = Network::new(&options, &Init::Scratch).unwrap();
    let ((train, _), (validation, positive)) = (images(17, 32), images(8, 32));
    let figure = |outputs: &Tensor| {
        let scores = nn::rows(outputs).iter().map(|row| f64::from(row[1] - row[0])).collect::<Vec<_>>();
        metrics::auroc(&scores, &positive)
    };
    let data = Data { train: &train, validation: &validation, task: Task::Classes, figure: &figure };
    fit(&network, method, &data, settings, &Checkpoints::new(folder), follower)
}

fn straight(name: &str, settings: &Settings) -> Fitted {
    let folder = tempfile::tempdir().unwrap();
    run(name, settings, &folder.path().join("none"), &mut Follower::default()).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_does_not() {
    let [first, again, other] = [0, 0, 1].map(|seed| straight("sga", &settings(seed)));
    assert_eq!((&first.weights, &first.epochs), (&again.weights, &again.epochs));
    assert_ne!(first.weights, other.weights);
}

#[test]
fn methods_of_one_and_of_several_updates_learn_bright_from_dark() {
    for name in ["nt", "at", "sg", "sga", "free"] {
        let fitted = straight(name, &settings(0));
        assert!(fitted.best.validation_auroc > 0.9, "{name}: {:?}", fitted.epochs);
        assert_eq!(fitted.epochs.len(), 2);
    }
}

#[test]
fn a_step_that_could_be_recorded_comes_to_the_same_bits() {
    for name in ["sga", "free", "mixup"] {
        // Minibatches of 6, 6 and 5: the last is no repetition.
        let plain = Settings { batch: 6, epochs: 1, ..settings(2) };
        let [plain, recorded] = [false, true].map(|recorded| straight(name, &Settings { recorded, ..plain }));
        assert_eq!((plain.weights, plain.epochs), (recorded.weights, recorded.epochs), "{name}");
    }
}

#[test]
fn a_run_that_was_interrupted_anywhere_ends_in_the_same_bits() {
    let expected = straight("sga", &settings(5));
    for every in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        // Leaves after `every` more minibatches until there are none: two epochs have four, as 17 = 8 + 8 + 1.
        let mut sittings = 0;
        let fitted = loop {
            let mut follower = Follower { leave_after: Some(every.max(1)), ..Follower::default() };
            let result = run("sga", &settings(5), folder.path(), &mut follower);
            assert_eq!(follower.resumed.is_some(), sittings > 0);
            sittings += 1;
            match result {
                Err(Error::Interrupted) => {}
                result => break result.unwrap(),
            }
        };
        assert!(sittings > 1, "it was interrupted");
        assert_eq!((&fitted.weights, &fitted.epochs), (&expected.weights, &expected.epochs), "{every}");
    }
}

#[test]
fn several_minibatches_to_a_step_are_one_step_and_are_not_torn_apart() {
    let together = Settings { accumulate: 2, ..settings(5) };
    let expected = straight("nt", &together);
    assert_ne!(expected.weights, straight("nt", &settings(5)).weights);
    let more = straight("nt", &Settings { accumulate: 9, ..settings(5) });
    assert_eq!(more.weights, expected.weights, "an epoch has two: its last step is of what is left");
    let folder = tempfile::tempdir().unwrap();
    let mut follower = Follower { leave_after: Some(1), ..Follower::default() };
    assert!(matches!(run("nt", &together, folder.path(), &mut follower), Err(Error::Interrupted)));
    assert_eq!(follower.minibatches.get(), 2, "it leaves between two steps");
    let mut follower = Follower::default();
    let fitted = run("nt", &together, folder.path(), &mut follower).unwrap();
    assert_eq!(follower.resumed, Some((1, 17)));
    assert_eq!((fitted.weights, fitted.epochs), (expected.weights, expected.epochs));
}

#[test]
fn a_damaged_checkpoint_gives_way_to_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let expected = straight("at", &settings(6));
    for _ in 0..3 {
        let mut follower = Follower { leave_after: Some(1), ..Follower::default() };
        assert!(matches!(run("at", &settings(6), folder.path(), &mut follower), Err(Error::Interrupted)));
    }
    let mut left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    left.sort();
    assert_eq!(left.len(), 2, "the last two are kept: {left:?}");
    let tensors = left[1].join("tensors.safetensors");
    let bytes = std::fs::read(&tensors).unwrap();
    std::fs::write(&tensors, &bytes[..bytes.len() / 2]).unwrap();
    let mut follower = Follower::default();
    let fitted = run("at", &settings(6), folder.path(), &mut follower).unwrap();
    assert_eq!(follower.resumed, Some((1, 17)), "the second of three: the first epoch was done");
    assert_eq!(follower.passed_over, 1);
    assert_eq!(fitted.weights, expected.weights);
}

#[test]
fn damaged_checkpoints_do_not_push_out_good_ones() {
    let folder = tempfile::tempdir().unwrap();
    let part = |leave_after: usize| {
        let mut follower = Follower { leave_after: Some(leave_after), ..Follower::default() };
        let ended = run("nt", &settings(6), folder.path(), &mut follower);
        assert!(matches!(ended, Err(Error::Interrupted)), "after {leave_after}: {ended:?}");
        follower
    };
    part(2);
    part(1);
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        std::fs::write(entry.unwrap().path().join("tensors.safetensors"), "cut").unwrap();
    }
    let begun = part(1);
    assert_eq!((begun.resumed, begun.passed_over), (None, 2), "begun again");
    let follower = part(1);
    assert_eq!(follower.resumed, Some((0, 8)), "what was saved since is there");
}

#[test]
fn methods_that_attack_are_watched_and_the_others_are_not() {
    for (name, watched) in [("nt", false), ("sg", false), ("at", true), ("sga", true)] {
        let fitted = straight(name, &settings(0));
        for epoch in &fitted.epochs {
            assert_eq!(epoch.robust_accuracy.is_some(), watched, "{name}");
            assert!(epoch.robust_accuracy.is_none_or(|share| (0.0..=1.0).contains(&share)));
        }
    }
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_or_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let wild = Settings { rate: 1e30, schedule: Schedule::Constant, ..settings(0) };
    let error = run("nt", &wild, folder.path(), &mut Follower::default()).unwrap_err();
    let Error::Diverged { epoch: 1, step: 2, images, .. } = &error else { panic!("{error}") };
    assert_eq!(images.len(), 8);
    let order = shuffled(17, 0, 1);
    assert_eq!(images[0], order[8] as usize, "the second minibatch");
    assert!(error.to_string().contains("on_nan=skip"), "{error}");
    let skipping = Settings { on_nan: OnNan::Skip, ..wild };
    let error = run("nt", &skipping, folder.path(), &mut Follower::default()).unwrap_err();
    assert!(matches!(error, Error::Lost { epoch: 1 }), "weights that are no numbers predict none: {error}");
}

/// Natural training whose second minibatch overflows.
#[derive(Default)]
struct Overflowing(Cell<usize>);

impl TrainingMethod for Overflowing {
    fn loss(&self, model: &Network, x: &Tensor, y: &Tensor, _: &Draws) -> Losses {
        self.0.set(self.0.get() + 1);
        let x = if self.0.get() == 2 { x * f64::INFINITY } else { x.shallow_clone() };
        Losses::cross_entropy(Task::Classes.loss(&model.forward(&x, Pass::Train), y, model.world()))
    }
}

#[test]
fn a_minibatch_that_is_left_out_moves_no_running_statistic() {
    let folder = tempfile::tempdir().unwrap();
    let skipping = Settings { on_nan: OnNan::Skip, ..settings(0) };
    let method = Overflowing::default();
    let fitted = run_method(&method, &skipping, folder.path(), &mut Follower::default()).unwrap();
    assert_eq!(fitted.skipped, 1);
}

/// Natural training whose loss is never a number, though the predictions are.
struct Boundless;

impl TrainingMethod for Boundless {
    fn loss(&self, model: &Network, x: &Tensor, y: &Tensor, _: &Draws) -> Losses {
        let loss = Task::Classes.loss(&model.forward(x, Pass::Train), y, model.world());
        Losses::cross_entropy(loss * f64::INFINITY)
    }
}

#[test]
fn an_epoch_that_learns_from_nothing_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let skipping = Settings { on_nan: OnNan::Skip, ..settings(0) };
    let error = run_method(&Boundless, &skipping, folder.path(), &mut Follower::default()).unwrap_err();
    assert!(matches!(error, Error::LeftOut { epoch: 1 }), "{error}");
}

//! Several processes against one: sums, gradients, BatchNorm. Each test starts copies of itself.

use std::{
    env,
    process::{Child, Command},
};

use nn::{
    Architecture, Backend, Error, Init, Meeting, Network, Options, Pass, Place, Rows, Sgd, Share, World,
    uniform,
};
use tch::{Device, Kind, Tensor};

/// Does `work` in so many processes: copies of this test, and this process as rank 0.
fn together(test: &str, size: usize, work: impl Fn(World)) {
    let found = Place::of(|name| env::var(name).ok()).unwrap();
    let starts = found.is_none();
    let meeting = Meeting::find(found.unwrap_or_else(|| Place::here(size))).unwrap();
    let copies: Vec<Child> =
        (1..size).filter(|_| starts).map(|rank| copy(test, rank, meeting.place())).collect();
    tch::set_num_threads(1);
    work(meeting.join().unwrap());
    for (rank, mut copy) in (1..).zip(copies) {
        assert!(copy.wait().unwrap().success(), "rank {rank}");
    }
}

fn copy(test: &str, rank: usize, place: &Place) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]);
    command.env("RANK", rank.to_string()).env("WORLD_SIZE", place.size.to_string());
    command.env("MASTER_ADDR", &place.host).env("MASTER_PORT", place.port.to_string());
    command.spawn().unwrap()
}

#[test]
fn ranks_sum_decide_and_hear() {
    together("ranks_sum_decide_and_hear", 3, |world| {
        let rank = world.rank();
        let tensor = Tensor::from_slice(&[1.0f32, 10.0 * rank as f32, -0.5]);
        world.sum(&tensor);
        assert_eq!(Vec::<f32>::try_from(&tensor).unwrap(), [3.0, 30.0, -1.5]);
        assert_eq!(world.sum_of(&[rank as f64, 0.25]).unwrap(), [3.0, 0.75]);
        let tensor = Tensor::from_slice(&[7 + rank as i64; 5]);
        world.take_up(&tensor).unwrap();
        assert_eq!(Vec::<i64>::try_from(&tensor).unwrap(), [7; 5]);
        assert_eq!(world.decide([rank == 0, rank == 1]).unwrap(), [true, false]);
        assert_eq!(world.hear(["Röntgen", "", "a longer text"][rank]).unwrap(), "Röntgen");
        world.gather().unwrap();
    });
}

#[test]
fn without_gpus_numbers_go_by_gloo_and_nccl_says_that_it_cannot() {
    together("without_gpus_numbers_go_by_gloo_and_nccl_says_that_it_cannot", 2, |world| {
        assert_eq!(world.connect(Device::Cpu, Backend::Auto).unwrap(), Backend::Gloo);
        if nn::device("auto").unwrap() == Device::Cpu {
            let refused = world.connect(Device::Cpu, Backend::Nccl);
            assert!(matches!(refused, Err(Error::Nccl(_))), "{refused:?}");
        }
        assert_eq!(world.sum_of(&[1.0]).unwrap(), [2.0], "they still reach each other");
        world.end();
    });
}

fn network(architecture: Architecture, auxiliary: bool) -> Network {
    let options = Options { architecture, auxiliary, seed: 4, ..Options::default() };
    let mut network = Network::new(&options, &Init::Scratch).unwrap().0;
    network.double(); // in f32 rounding grows from layer to layer
    network
}

/// A step on each of these minibatches of so many images, of which these rows are passed here.
fn train(network: &Network, rows: impl Fn(usize) -> Rows, of: &[usize], side: i64) -> f64 {
    let mut sgd = Sgd::new(network, 0.9, 1e-2);
    let mut last = 0.0;
    for (step, of) in (0..).zip(of) {
        let rows = rows(*of);
        network.world().passes(rows);
        let x = uniform(step, &[*of as i64, 1, side, side], Device::Cpu).to_kind(Kind::Double);
        let x = x.narrow(0, rows.first as i64, rows.count as i64);
        let changed = network.forward(&(1.0 - &x), Pass::Auxiliary);
        let losses = (network.forward(&x, Pass::Train) - changed).square().mean(Kind::Double);
        let frozen = network.forward(&x, Pass::TrainFrozen).square().mean(Kind::Double);
        let loss = (losses + frozen) * rows.weight();
        sgd.descend(&loss, &[], 1e-2);
        last = network.world().sum_of(&[loss.double_value(&[])]).unwrap()[0];
    }
    last
}

fn largest_difference(a: &Network, b: &Network) -> f64 {
    let b = b.state();
    let of = |(name, a): (String, Tensor)| (a - &b[&name]).abs().max().double_value(&[]);
    a.state().into_iter().map(of).fold(0.0, f64::max)
}

/// Trains one network in all processes and one in this, and compares.
fn is_as_one(world: World, architecture: Architecture, of: &[usize], side: i64) {
    let mut joined = network(architecture, true);
    joined.join(world, true).unwrap();
    let loss = train(&joined, |of| world.share().rows(of), of, side);
    if !world.leads() {
        return;
    }
    let alone = network(architecture, true);
    let expected = train(&alone, |of| Share::WHOLE.rows(of), of, side);
    assert!((loss - expected).abs() < 1e-9 * expected.abs(), "{architecture}: {loss}, alone {expected}");
    let difference = largest_difference(&joined, &alone);
    assert!(difference < 1e-9, "{architecture}, {of:?}: {difference}");
    assert!(largest_difference(&joined, &network(architecture, true)) > 1e-3, "something moved");
}

#[test]
fn ranks_with_unequal_parts_or_none_train_as_one_process() {
    together("ranks_with_unequal_parts_or_none_train_as_one_process", 3, |world| {
        // Rank 0 has one image of five, and none of two; of two images with one value each BatchNorm would leave rounding alone.
        is_as_one(world, Architecture::ResNet18, &[5, 2], 64);
    });
}

#[test]
fn every_architecture_trains_as_one_process() {
    together("every_architecture_trains_as_one_process", 2, |world| {
        for architecture in [Architecture::DenseNet121, Architecture::EfficientNetB0] {
            is_as_one(world, architecture, &[6], 32);
        }
    });
}

#[test]
fn without_synchronised_batch_norm_all_end_in_one_state_that_is_another() {
    together("without_synchronised_batch_norm_all_end_in_one_state_that_is_another", 2, |world| {
        let alone = network(Architecture::ResNet18, true);
        train(&alone, |of| Share::WHOLE.rows(of), &[6, 6], 32);
        let mut joined = network(Architecture::ResNet18, true);
        joined.join(world, false).unwrap();
        train(&joined, |of| world.share().rows(of), &[6, 6], 32);
        joined.settle_statistics().unwrap();
        assert!(largest_difference(&joined, &alone) > 1e-6, "each BatchNorm saw half of the images");
        for (name, tensor) in joined.state() {
            let mean = tensor.detach() / 2.0;
            world.sum(&mean);
            let difference = (mean - tensor).abs().max().double_value(&[]);
            assert!(difference < 1e-12, "{name}: {difference}");
        }
    });
}

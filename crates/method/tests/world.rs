//! Methods in several processes against one, in double precision. The test starts copies of itself.

use std::{
    env,
    process::{Child, Command},
};

use method::{GenerateMode, Method, Objective, Task, method};
use nn::{Draws, Init, Meeting, Network, Options, Place, Sgd, Share, World, uniform};
use schema::{FractionBox, Truth};
use tch::{Device, Kind, Tensor};

/// Does `work` in two processes: a copy of this test, and this process as rank 0.
fn together(test: &str, work: impl Fn(World)) {
    let found = Place::of(|name| env::var(name).ok()).unwrap();
    let starts = found.is_none();
    let meeting = Meeting::find(found.unwrap_or_else(|| Place::here(2))).unwrap();
    let copy: Option<Child> = starts.then(|| copy(test, meeting.place()));
    tch::set_num_threads(1);
    work(meeting.join().unwrap());
    assert!(copy.is_none_or(|mut copy| copy.wait().unwrap().success()), "rank 1");
}

fn copy(test: &str, place: &Place) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]);
    command.env("RANK", "1").env("WORLD_SIZE", "2");
    command.env("MASTER_ADDR", &place.host).env("MASTER_PORT", place.port.to_string());
    command.spawn().unwrap()
}

fn network(task: Task) -> Network {
    let options = Options { seed: 4, detects: task == Task::Boxes, ..Options::default() };
    let mut network = Network::new(&options, &Init::Scratch).unwrap().0;
    network.double(); // in f32 a sign or a rank that rounding turns moves pixels
    network
}

/// What is to be learned of five images. One is of no class; boxes are in the second and the last, two in the one.
fn truth(task: Task) -> Tensor {
    if task == Task::Classes {
        return Tensor::from_slice(&[0i64, 1, -1, 0, 1]);
    }
    let of = |x0, y0, x1, y1| FractionBox::from_edges(x0, y0, x1, y1).unwrap();
    let (left, right) = (of(0.1, 0.2, 0.45, 0.8), of(0.55, 0.2, 0.9, 0.7));
    let boxes = [vec![], vec![left, right], vec![], vec![], vec![right]];
    task.truth(&Truth::Boxes(boxes.to_vec()))
}

/// The total loss, cross-entropy and divergence of two steps on five images, of which these are passed here.
fn losses(method: &Method, objective: Objective, network: &Network, share: Share) -> Vec<f64> {
    let (world, rows) = (network.world(), share.rows(5));
    let part = |tensor: Tensor| tensor.narrow(0, rows.first as i64, rows.count as i64);
    let x = part(uniform(1, &[5, 1, 32, 32], Device::Cpu).to_kind(Kind::Double));
    let y = part(truth(objective.task));
    let built = (method.build)(objective);
    let mut sgd = Sgd::new(network, 0.9, 1e-4);
    world.passes(rows);
    let step = |step| {
        let draws = Draws::new(1, 0, step).of(rows);
        let mut update =
            |loss: &Tensor, inputs: &[&Tensor]| sgd.descend(&(loss * rows.weight()), inputs, 0.001);
        let losses = built.minibatch(network, &x, &y, &draws, &mut update);
        [losses.total, losses.ce, losses.kl].map(|loss| loss.double_value(&[]) * rows.weight())
    };
    world.sum_of(&[0, 1].map(step).concat()).unwrap()
}

#[test]
fn two_processes_train_as_one() {
    together("two_processes_train_as_one", |world| {
        let objective = |name, task| Objective { task, ..method(name).unwrap().defaults };
        let of_batch = GenerateMode::Train;
        let runs = ["nt", "sga", "fast", "free", "mixup"].map(|name| (name, objective(name, Task::Classes)));
        let further = [
            ("sga", objective("sga", Task::Boxes)),
            ("sga", Objective { generate_mode: of_batch, ..objective("sga", Task::Classes) }),
            ("trades", Objective { generate_mode: of_batch, ..objective("trades", Task::Classes) }),
        ];
        for (name, objective) in runs.into_iter().chain(further) {
            let (method, task) = (method(name).unwrap(), objective.task);
            let mut joined = network(task);
            joined.join(world, true).unwrap();
            let found = losses(method, objective, &joined, world.share());
            if !world.leads() {
                continue;
            }
            let alone = network(task);
            let expected = losses(method, objective, &alone, Share::WHOLE);
            for (expected, found) in expected.iter().zip(&found) {
                let difference = (expected - found).abs();
                assert!(difference < 1e-9, "{name}, {objective:?}: {found}, alone {expected}");
            }
            let state = alone.state();
            for (name_of, weight) in joined.state() {
                let difference = (weight - &state[&name_of]).abs().max().double_value(&[]);
                assert!(difference < 1e-9, "{name}, {objective:?}, {name_of}: {difference}");
            }
        }
    });
}

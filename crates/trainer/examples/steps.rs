//! Trains on noise and prints images per second of each epoch as JSON: what `just bench-train` times.
//!
//! usage: steps method=sga size=224 batch=64 images=640 epochs=3 dtype=bf16 device=cpu threads=2 waits=false graphs=false
//!
//! With graphs=true a GPU replays a step that it has recorded; on a CPU nothing changes.
//!
//! With waits=true libtorch warns, from the second minibatch of an epoch to the last but one, of all that makes the host wait for
//! a GPU: there should be nothing but the loss that is read once a second.

use std::{
    env,
    error::Error,
    time::{Duration, Instant},
};

use method::{Task, method};
use nn::{Augmentation, Images, Init, Network, Options};
use testkit::Words;
use trainer::{Checkpoints, Data, EarlyStop, Epoch, OnNan, Schedule, Settings, Watch, fit};

/// Images that each epoch is validated on: few, since validation is not what is timed.
const VALIDATION: usize = 16;

/// Images per second of each epoch, and the seconds between its first two minibatches: on a GPU, what the host takes to
/// ask for one, as the device has only begun.
#[derive(Default)]
struct Rates {
    per_second: Vec<f64>,
    host: Vec<f64>,
    seen: Vec<Instant>,
    /// Minibatches of an epoch, where what waits is warned of.
    watched: Option<usize>,
}

impl Watch for Rates {
    fn passes_over(&mut self, _: &trainer::Error) {}
    fn starts(&mut self, _: &[Epoch], _: u64) {}
    fn minibatch(&mut self, _: usize, _: Option<f64>) {
        self.seen.push(Instant::now());
        if let Some(all) = self.watched {
            nn::warn_of_waiting(self.seen.len() + 1 < all);
        }
    }
    fn epoch(&mut self, _: &Epoch, images_per_second: f64, _: bool) {
        self.per_second.push(images_per_second);
        if let [first, second, ..] = self.seen[..] {
            self.host.push((second - first).as_secs_f64());
        }
        self.seen.clear();
    }
    fn collapsed(&mut self, _: &Epoch) {}
    fn interrupted(&self) -> bool {
        false
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let words = Words::of_process();
    let device = nn::device(&words.get::<String>("device")?)?;
    tch::set_num_threads(words.get("threads")?);
    let (side, images): (usize, usize) = (words.get("size")?, words.get("images")?);
    let options = Options { device, precision: words.get("dtype")?, ..Options::default() };
    let (network, _) = Network::new(&options, &Init::Scratch)?;
    let noise = |count: usize| {
        let pixels = nn::uniform(0, &[(count * side * side) as i64], tch::Device::Cpu) * 255.0;
        let pixels = Vec::<u8>::try_from(pixels.to_kind(tch::Kind::Uint8)).expect("bytes");
        let labels: Vec<i64> = (0..count as i64).map(|index| index % 2).collect();
        Images::new(&pixels, &tch::Tensor::from_slice(&labels), side as i64, device)
    };
    let (train, validation) = (noise(images)?, noise(VALIDATION)?);
    let settings = Settings {
        epochs: words.get("epochs")?,
        batch: words.get("batch")?,
        rate: 0.01,
        schedule: Schedule::Constant,
        momentum: 0.9,
        weight_decay: 1e-4,
        augmentation: Augmentation::LIGHT,
        seed: 0,
        on_nan: OnNan::Stop,
        early_stop: EarlyStop::None,
        accumulate: 1,
        recorded: words.get("graphs")?,
        checkpoint_every: Duration::MAX,
    };

    let method = method(&words.get::<String>("method")?)?;
    let method = (method.build)(method.defaults);
    let figure = |_: &tch::Tensor| Ok(0.5);
    let data = Data { train: &train, validation: &validation, task: Task::Classes, figure: &figure };
    let watched = words.get::<bool>("waits")?.then_some(images.div_ceil(settings.batch));
    let mut rates = Rates { watched, ..Rates::default() };
    if watched.is_some() && !nn::warn_of_waiting(false) {
        return Err("waits=true: this libtorch does not tell what waits for a GPU".into());
    }
    let nowhere = Checkpoints::new(env::temp_dir().join(format!("sga-steps-{}", std::process::id())));
    fit(&network, method.as_ref(), &data, &settings, &nowhere, &mut rates)?;
    println!("{}", serde_json::json!({ "rates": rates.per_second, "host": rates.host }));
    Ok(())
}

//! What the other ranks do: they train what rank 0 says, and tell nothing.

use std::process;

use serde::{Deserialize, Serialize};
use stage::{Failure, Fallible, Result};
use store::Key;
use trainer::{Checkpoints, Epoch, Error, Watch};

use crate::{
    ranks::Ranks,
    sets::Sets,
    train::{Question, course, datasets, is_of_all, network, told},
};

/// What rank 0 asks the others to train.
#[derive(Serialize, Deserialize)]
pub(crate) struct Command {
    /// The run's key, by which all know it, and that all are asked the same.
    pub(crate) key: String,
    /// Its batch, which `batch=auto` leaves to rank 0.
    pub(crate) batch: usize,
}

/// Trains with rank 0 until it says that there is no more.
pub(crate) fn follow(ranks: &Ranks) -> Result<()> {
    let ended = train_all(ranks);
    let Err(failure) = ended else { return Ok(()) };
    // Rank 0 tells what went wrong here; where another went before, it has nothing to tell of this one.
    let word = (!ranks.world.is_broken()).then_some(failure.message.as_str());
    match ranks.world.leave(word) {
        Ok(()) => process::exit(failure.exit as i32),
        Err(_) => Err(Failure::other(format!("rank {}: rank 0 is gone", ranks.world.rank()))
            .remedy("the same command goes on from the last checkpoint")),
    }
}

fn train_all(ranks: &Ranks) -> Result<()> {
    let sets = Sets::default();
    loop {
        let heard = ranks.world.hear("").or_other()?;
        let command: Option<Command> = serde_json::from_str(&heard).map_err(Failure::other)?;
        let Some(command) = command else {
            ranks.world.end();
            return Ok(());
        };
        train(ranks, &sets, &command)?;
    }
}

fn train(ranks: &Ranks, sets: &Sets, command: &Command) -> Result<()> {
    for run in &ranks.runs {
        let run = if run.settings.batch == 0 { &run.with_batch(command.batch) } else { run };
        let store = run.parameters.open_store()?;
        let datasets = datasets(&store, run.parameters.text("data"))?;
        let Question { action, init } = Question::of(&store, &datasets, run)?;
        let key: Key = action.key();
        if key.to_string() == command.key {
            let device = run.device()?;
            let set = sets.read(&store, &datasets, run, device)?;
            let network = network(run, device, &set, &init)?;
            let nowhere = Checkpoints::new(store.unfinished(&key)); // rank 0 reads and writes them
            return match course(run, &network, &set, &nowhere, &mut Silent) {
                Err(error) if !is_of_all(&error) => Err(told(error, run, &set.names)),
                _ => Ok(()),
            };
        }
    }
    Err(Failure::usage("it was asked for another training than rank 0, or its store holds other images")
        .remedy("start all processes with the same words and on the same store"))
}

/// Tells nobody.
struct Silent;

impl Watch for Silent {
    fn passes_over(&mut self, _: &Error) {}
    fn starts(&mut self, _: &[Epoch], _: u64) {}
    fn minibatch(&mut self, _: usize, _: Option<f64>) {}
    fn epoch(&mut self, _: &Epoch, _: f64, _: bool) {}
    fn collapsed(&mut self, _: &Epoch) {}
    fn interrupted(&self) -> bool {
        false
    }
}

//! The processes that train together: found in the environment, or started here.

use std::{env, time::Duration};

use nn::{Backend, Meeting, Place, World};
use serde_json::Value;
use stage::{Failure, Fallible, Program, Result, progress};
use tch::Device;

use crate::{copies::Copies, run::Run};

/// How long rank 0 waits for the last words of others, to tell who is gone.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How long copies may take to leave when all is done.
const LEAVING: Duration = Duration::from_secs(10);

/// All processes, this one among them, and the runs that they train.
pub(crate) struct Ranks {
    pub(crate) world: World,
    pub(crate) runs: Vec<Run>,
    copies: Copies,
}

impl Ranks {
    /// Meets the others where there are others; starts them where `world=` asks for more than the environment knows.
    pub(crate) fn meet(runs: Vec<Run>) -> Result<Self> {
        let asked = asked(&runs)?;
        let place = if asked == Some(1) { None } else { Place::of(|name| env::var(name).ok()).or_usage()? };
        let size = match (&place, asked) {
            (Some(Place { size, .. }), Some(asked)) if *size != asked => {
                return Err(Failure::usage(format!(
                    "world={asked}, and {size} processes were started together"
                ))
                .remedy("leave world= out; world=1 lets each train by itself"));
            }
            (Some(place), _) => place.size,
            (None, asked) => asked.unwrap_or(1),
        };
        let runs = runs.into_iter().map(|run| run.by(size)).collect::<Result<Vec<_>>>()?;
        let only_asks = runs.iter().any(|run| run.parameters.flag(Program::DRY_RUN.name));
        let mut ranks = Self { world: World::ALONE, runs, copies: Copies::default() };
        match place {
            Some(Place { rank, .. }) if only_asks && rank > 0 => ranks.runs.clear(), // rank 0 answers
            _ if only_asks || size == 1 => {}
            Some(place) => ranks.join(place, false)?,
            None => ranks.join(Place::here(size), true)?,
        }
        Ok(ranks)
    }

    fn join(&mut self, place: Place, start: bool) -> Result<()> {
        let (rank, local, local_size) = (place.rank, place.local, place.local_size);
        if rank > 0 {
            progress::silence();
        }
        let reached = "rank 0 must run, and its MASTER_ADDR and MASTER_PORT be reached from here";
        let meeting = Meeting::find(place).or_other().map_err(|failure| failure.remedy(reached))?;
        if start {
            self.copies = Copies::start(meeting.place())?;
        } else {
            let Place { size, host, port, .. } = meeting.place();
            progress::line(&format!("rank 0 of {size} waits for the others at {host}:{port}"));
        }
        self.world = meeting.join().or_other().map_err(|failure| failure.remedy(reached))?;
        nn::share(Device::Cpu, local_size);
        let mut gpu = None;
        for run in &mut self.runs {
            run.world = self.world;
            let device = run.parameters.required("device")?;
            if ["auto", "cuda"].contains(&device) && run.device()? != Device::Cpu {
                // Where the launcher shows each process its own GPU alone, that is the first.
                let own = if nn::device("cuda:1").is_ok() { local } else { 0 };
                run.parameters.replace("device", format!("cuda:{own}"));
            }
            gpu = gpu.or(Some(run.device()?).filter(|device| device.is_cuda()));
        }
        let backend = self.runs[0].parameters.required("backend")?.parse::<Backend>().or_usage()?;
        let connected = self.world.connect(gpu.unwrap_or(Device::Cpu), backend).or_other();
        connected.map_err(|failure| {
            failure.remedy("backend=gloo takes the numbers of GPUs through their hosts")
        })?;
        Ok(())
    }

    /// Tells the others that there is no more to train.
    pub(crate) fn dismiss(mut self) {
        if !self.world.is_broken() && self.world.hear(&Value::Null.to_string()).is_ok() {
            self.world.end();
            self.copies.end(LEAVING);
        }
    }
}

/// The number of processes that the words ask for.
fn asked(runs: &[Run]) -> Result<Option<usize>> {
    let of =
        |run: &Run| run.parameters.text("world").is_none().then(|| run.parameters.integer("world") as usize);
    let Some(first) = runs.first() else { return Ok(None) };
    if runs.iter().any(|run| of(run) != of(first)) {
        return Err(Failure::usage(
            "world= has several values: the same processes train all runs of a sweep",
        ));
    }
    if runs.iter().any(|run| run.parameters.text("backend") != first.parameters.text("backend")) {
        return Err(Failure::usage(
            "backend= has several values: the processes of a sweep are connected once",
        ));
    }
    Ok(of(first))
}

/// Who of the others is gone, and why.
pub(crate) fn lost(world: World, why: &str) -> Failure {
    let ended = world.ended(LAST_WORDS);
    let told = ended.iter().find_map(|(rank, word)| Some(format!("rank {rank}: {}", word.as_ref()?)));
    let silent: Vec<String> = ended.iter().map(|(rank, _)| rank.to_string()).collect();
    let size = world.size();
    let message = match (told, silent.as_slice()) {
        (Some(told), _) => told,
        (None, []) => format!("the {size} processes do not reach each other any more: {why}"),
        (None, [rank]) => format!("rank {rank} of {size} is gone: it was ended, or its machine is lost"),
        (None, ranks) => {
            format!(
                "ranks {} of {size} are gone: they were ended, or their machines are lost",
                ranks.join(", ")
            )
        }
    };
    Failure::other(message).remedy("the same command goes on from the last checkpoint")
}

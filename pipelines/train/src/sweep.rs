//! Several runs, one after another or at once.

use std::{collections::VecDeque, sync::Mutex, thread};

use nn::Precision;
use stage::{Failure, Program, Result, interrupt, progress};

use crate::{
    forecast::forecast,
    run::Run,
    sets::Sets,
    summary::{Trained, summarise},
    train::train,
};

/// Trains what is not there yet, `parallel` runs at a time. One that fails does not stop the others; when all have ended,
/// the first failure is the sweep's.
pub(crate) fn sweep(runs: &[Run]) -> Result<Vec<Trained>> {
    let parallel = runs.iter().map(|run| run.parallel).max().unwrap_or(1).min(runs.len());
    if parallel > 1 && runs.iter().any(|run| run.settings.recorded) {
        // What one run does first (cuDNN's search) spoils what another records.
        let message = "cuda_graphs=true is for one run at a time: parallel=1";
        return Err(Failure::usage(message).remedy("several runs at once keep a GPU busy without"));
    }
    let differ = |of: fn(&Run) -> bool| runs.iter().any(|run| of(run) != of(&runs[0]));
    if parallel > 1
        && (differ(|run| run.precision == Precision::Tf32)
            || differ(|run| run.parameters.flag("deterministic")))
    {
        let message =
            "dtype=tf32 and deterministic=true hold for all runs at a time, and here not all have them";
        return Err(Failure::usage(message).remedy("parallel=1, or two commands"));
    }
    let sets = Sets::default();
    if let Some(first) = runs.first().filter(|run| !run.parameters.flag(Program::DRY_RUN.name)) {
        if first.precision.is_imitated(first.device()?) {
            progress::line(
                "warning: this processor has no instructions for bf16; dtype=f32 is many times faster",
            );
        }
        if runs.len() > 1 {
            forecast(&first.parameters.open_store()?, runs, &sets)?;
        }
    }
    let waiting: Mutex<VecDeque<(usize, &Run)>> = Mutex::new(runs.iter().enumerate().collect());
    let ended: Mutex<Vec<(usize, Result<Option<Trained>>)>> = Mutex::default();
    let work = || {
        while let Some((index, run)) = next(&waiting) {
            if runs.len() > 1 && !run.parameters.flag(Program::JSON_PLAN.name) {
                progress::line(&format!("[{}/{}]", index + 1, runs.len()));
            }
            let result = train(run, &sets);
            if let Err(failure) = &result
                && runs.len() > 1
            {
                progress::line(&format!("[{}/{}] failed: {failure}", index + 1, runs.len()));
            }
            ended.lock().expect("nobody panics here").push((index, result));
        }
    };
    if parallel <= 1 {
        work();
    } else {
        let device = runs[0].device()?;
        thread::scope(|scope| {
            for _ in 0..parallel {
                scope.spawn(|| {
                    nn::share(device, parallel);
                    work();
                });
            }
        });
    }
    let mut ended = ended.into_inner().expect("nobody panics here");
    ended.sort_by_key(|(index, _)| *index);
    let left = runs.len() - ended.len();
    let mut trained = Vec::new();
    let mut failures = Vec::new();
    for (_, result) in ended {
        match result {
            Ok(one) => trained.extend(one),
            Err(failure) => failures.push(failure),
        }
    }
    let count = failures.len();
    match failures.into_iter().next() {
        None if left > 0 => {
            summarise(&trained);
            let message = format!("interrupted; {left} of {} runs were not begun", runs.len());
            Err(Failure::other(message).remedy("the same command goes on from there"))
        }
        None => Ok(trained),
        Some(first) if runs.len() == 1 => Err(first),
        Some(first) => {
            summarise(&trained);
            let message = format!("{count} of {} runs failed; the first: {}", runs.len(), first.message);
            Err(Failure { message, ..first })
        }
    }
}

fn next<'a>(waiting: &Mutex<VecDeque<(usize, &'a Run)>>) -> Option<(usize, &'a Run)> {
    let mut waiting = waiting.lock().expect("nobody panics here");
    // Without the other processes no run can be trained.
    if interrupt::asked() || waiting.front().is_some_and(|(_, run)| run.world.is_broken()) {
        return None;
    }
    waiting.pop_front()
}

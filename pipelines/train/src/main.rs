//! `sga-train`: trains a classifier on the training split and keeps the epoch that is best on the validation split.

mod batch;
mod copies;
mod figure;
mod follow;
mod forecast;
mod parameters;
mod ranks;
mod run;
mod sets;
mod streamed;
mod summary;
mod sweep;
mod teller;
mod train;
mod weights;

use std::process::ExitCode;

use stage::interrupt;

use crate::{ranks::Ranks, run::Run};

fn main() -> ExitCode {
    stage::main(&parameters::PROGRAM, |runs| {
        // All are checked before the first is trained: a mistake in the last must not cost a night.
        let runs = Run::distinct(runs.into_iter().map(Run::resolve).collect::<stage::Result<_>>()?);
        interrupt::defer();
        let ranks = Ranks::meet(runs)?;
        if !ranks.world.leads() {
            return follow::follow(&ranks);
        }
        let trained = sweep::sweep(&ranks.runs);
        ranks.dismiss();
        summary::summarise(&trained?);
        Ok(())
    })
}

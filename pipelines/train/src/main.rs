//! `sga-train`: trains a classifier on the training split and keeps the epoch that is best on the validation split.

mod parameters;
mod train;
mod weights;

use std::process::ExitCode;

fn main() -> ExitCode {
    stage::main(&parameters::PROGRAM, |runs| {
        // All are checked before the first is trained: a mistake in the last must not cost a night.
        let runs = runs.into_iter().map(parameters::Run::resolve).collect::<stage::Result<Vec<_>>>()?;
        let mut trained = Vec::new();
        for (index, run) in runs.iter().enumerate() {
            if runs.len() > 1 {
                print!("[{}/{}] ", index + 1, runs.len());
            }
            trained.extend(train::train(run)?);
        }
        train::summarise(&trained);
        Ok(())
    })
}

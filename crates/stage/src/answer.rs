//! One question of a stage, from the user's words to a named answer.

use std::path::Path;

use store::{RefName, Store};

use crate::{
    Action, Again, Made, Outcome, Parameters, Program, Result, Why, run_again, run_or_reuse, why::Detail,
};

/// Answers `action` and names the answer `<stage>/<name>`.
///
/// With `dry_run=true` nothing is done: whether it would run, and why, is said instead (`detail` tells what the change
/// of an input consists of). With `again=true` it is run although the
/// answer is there, and said whether the same came out.
pub fn answer(
    store: &Store,
    run: &Parameters,
    action: &Action,
    name: &str,
    detail: Detail<'_>,
    work: impl FnOnce(&Path) -> Result<Made>,
) -> Result<Option<Outcome>> {
    format!("{}/{name}", action.stage).parse::<RefName>()?; // a name that cannot be is told before the work
    if run.flag(Program::DRY_RUN.name) {
        let why = Why::of(store, action, name, detail)?;
        if run.flag(Program::JSON.name) {
            println!("{}", why.to_json(action, name));
        } else {
            println!("{}", why.to_text(action, name));
        }
        return Ok(None);
    }
    let outcome = if run.flag(Program::AGAIN.name) {
        let (outcome, again) = run_again(store, action, work)?;
        let stage = action.stage;
        match again {
            Again::First => eprintln!("{stage}: ran for the first time, there is nothing to compare with"),
            Again::Same => eprintln!("{stage}: ran again, the same came out"),
            Again::Other(said) => eprintln!("{said}"),
        }
        outcome
    } else {
        run_or_reuse(store, action, work)?
    };
    store.set_ref(action.stage, name, &outcome.key, &outcome.result)?;
    Ok(Some(outcome))
}

//! One question of a stage, from the user's words to a named answer.

use std::path::Path;

use store::Store;

use crate::{
    Action, Made, Outcome, Parameters, Program, Result, Why, action::run_again, run_or_reuse, why::Detail,
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
        run_again(store, action, work)?
    } else {
        run_or_reuse(store, action, work)?
    };
    store.set_ref(action.stage, name, &outcome.key, &outcome.result)?;
    Ok(Some(outcome))
}

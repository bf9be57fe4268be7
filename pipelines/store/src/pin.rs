//! `do=pin`, `do=unpin`: results that stay whatever happens to their names.

use stage::{Failure, Parameters, Result};
use store::{PIN, Store};

/// Pins the result that `ref=` names.
pub(crate) fn pin(store: &Store, run: &Parameters) -> Result<()> {
    let (note, name) = (run.required("name")?, run.required("ref")?);
    let unknown =
        || Failure::usage(format!("ref={name}: no result has this name")).remedy("`just ls` lists names");
    let (stage, of_stage) = name.split_once('/').ok_or_else(unknown)?;
    let (key, result) = store.resolve(stage, of_stage)?.ok_or_else(unknown)?;
    if let Some(target) = store.ref_target(PIN, note)?
        && target.key != key
    {
        return Err(Failure::usage(format!("name={note}: another result is pinned under this name"))
            .remedy(format!("choose another name, or `just store do=unpin name={note}` first")));
    }
    store.set_ref(PIN, note, &key, &result)?;
    println!("pinned as {note}: {name}; a collection keeps it until `just store do=unpin name={note}`");
    Ok(())
}

/// Removes a pin.
pub(crate) fn unpin(store: &Store, run: &Parameters) -> Result<()> {
    let note = run.required("name")?;
    if store.remove_ref(PIN, note)? {
        println!("unpinned: {note}");
        return Ok(());
    }
    let pins = store.refs_of(PIN)?.join(", ");
    Err(Failure::usage(format!("name={note}: there is no such pin")).remedy(format!("there are: {pins}")))
}

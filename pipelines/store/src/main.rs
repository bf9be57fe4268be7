//! `sga-store`: looks into the store, verifies it, frees space.

mod gc;
mod list;
mod status;
mod verify;

use std::process::ExitCode;

use stage::{Allowed, Parameter, Parameters, Program, Result};
use store::Store;

static PROGRAM: Program = Program {
    stage: "store",
    about: "Looks into the store, verifies it, frees space.",
    parameters: &[
        Parameter::unkeyed(
            "do",
            Allowed::Choice(&["list", "status", "verify", "gc"]),
            Some("list"),
            "list what has a name, tell what is up to date, read everything again, or free what no name reaches",
        ),
        Parameter::unkeyed("dry_run", Allowed::Flag, Some("true"), "gc: show what would go, delete nothing"),
        Parameter::unkeyed(
            "lease",
            Allowed::Integer(0, 100_000),
            Some("24"),
            "gc: keep what is younger than this many hours: a running stage may need it",
        ),
        Program::JSON,
        Program::STORE,
    ],
    examples: "  just store\n  just store do=verify\n  just store do=gc dry_run=false",
};

fn main() -> ExitCode {
    stage::main(&PROGRAM, |runs| runs.iter().try_for_each(|run| act(&run.open_store()?, run)))
}

/// Does what `do=` says: one module per word.
fn act(store: &Store, run: &Parameters) -> Result<()> {
    match run.required("do")? {
        "verify" => verify::verify(store),
        "status" => status::show(store, run),
        "gc" => gc::collect(store, run),
        _ => list::list(store),
    }
}

//! `sga-store`: looks into the store, verifies and repairs it, frees space, shares it.

mod add;
mod changes;
mod compare;
mod describe;
mod differ;
mod export;
mod gc;
mod kept;
mod list;
mod pin;
mod remove;
mod repair;
mod show;
mod status;
mod transfer;
mod unlock;
mod verify;

use std::process::ExitCode;

use stage::{Allowed, Parameter, Parameters, Program, Result};
use store::Store;

static PROGRAM: Program = Program {
    stage: "store",
    about: "Looks into the store, verifies and repairs it, frees space, shares it.",
    parameters: &[
        Parameter::unkeyed(
            "do",
            Allowed::Choice(&[
                "list", "show", "status", "verify", "repair", "compare", "gc", "remove", "pin", "unpin",
                "unlock", "push", "pull", "add", "changes", "export",
            ]),
            Some("list"),
            "what is there: list, show, status; is it whole: verify, repair, compare; what stays: gc, remove, \
             pin, unpin, unlock; a store elsewhere: push, pull; raw folders: add, changes, export",
        ),
        Parameter::unkeyed(
            "what",
            Allowed::Text("a name, a digest, or 6 digits or more of one"),
            None,
            "show, compare: a ref (train/sga-1a2b3c4d), an object or a key",
        ),
        Parameter::unkeyed(
            "dry_run",
            Allowed::Flag,
            Some("true"),
            "gc, remove, repair: show what would be done, change nothing",
        ),
        Parameter::unkeyed(
            "remote",
            Allowed::Path,
            None,
            "push, pull, verify: the store elsewhere, also s3://BUCKET/PREFIX or file:///PATH; AWS_… variables say how a bucket \
             is reached",
        ),
        Parameter::unkeyed(
            "force",
            Allowed::Flag,
            Some("false"),
            "push, pull: overwrite names moved on both sides",
        ),
        Parameter::unkeyed(
            "parallel",
            Allowed::Integer(1, 64),
            Some("8"),
            "push, pull, verify: how many objects travel at a time",
        ),
        Parameter::unkeyed(
            "lease",
            Allowed::Integer(0, 100_000),
            Some("24"),
            "gc: keep what is younger than this many hours: a running stage may need it",
        ),
        Parameter::unkeyed(
            "keep",
            Allowed::Other("all | last:N", gc::keep),
            Some("all"),
            "gc: which names stay: all, or of each stage the N last used; what is pinned stays besides",
        ),
        Parameter::unkeyed(
            "ref",
            Allowed::Text("STAGE/NAME"),
            None,
            "pin: the name of the result to keep; remove: the one to take away, with what was made of it; push, pull: the \
             one to take, with what it leads to (without it, all)",
        ),
        Parameter::unkeyed(
            "name",
            Allowed::Text("letters, digits, '.', '_', '=', ',', '-'"),
            None,
            "pin, unpin: what to call the pin; unlock: which lock; add, changes, export: what the folder is called, \
             siim-raw.1 being its first version",
        ),
        Parameter::unkeyed(
            "path",
            Allowed::Path,
            None,
            "add, changes: the folder (default: where it was when it was added last). Nothing in it is de-identified: \
             the store then holds its file names and whatever the files hold",
        ),
        Parameter::unkeyed(
            "out",
            Allowed::Path,
            None,
            "export: where to write the folder to; absent or empty. Files are not synced to the disk one by one",
        ),
        Program::JSON,
        Program::STORE,
    ],
    examples: "  just ls\n  just show train/sga-1a2b3c4d\n  just store do=verify\n  just store do=repair dry_run=false\n  \
        just store do=pin name=paper ref=train/sga-1a2b3c4d\n  just store do=remove ref=train/sga-1a2b3c4d dry_run=false\n  just store do=gc keep=last:5 dry_run=false\n  \
        just push remote=s3://group/sga\n  just pull remote=/shared/sga ref=train/sga-1a2b3c4d\n  \
        just store do=add path=/data/siim name=siim-raw\n  just store do=export name=siim-raw.1 out=/data/back",
};

fn main() -> ExitCode {
    stage::main(&PROGRAM, |runs| runs.iter().try_for_each(run))
}

fn run(run: &Parameters) -> Result<()> {
    match run.required("do")? {
        "verify" if run.has("remote") => transfer::check(run),
        // A store that is not there is found out before one is made here.
        "pull" => transfer::pull(run),
        _ => act(&open(run)?, run),
    }
}

/// Opens the store; what would take names away needs one that lies here.
fn open(run: &Parameters) -> Result<Store> {
    let drops_names = ["remove", "unpin"].contains(&run.required("do")?) || run.required("keep")? != "all";
    match run.required("do")? {
        "add" => run.make_store(),
        _ if drops_names => run.open_own_store(),
        _ => run.open_store(),
    }
}

/// Does what `do=` says: one module per word.
fn act(store: &Store, run: &Parameters) -> Result<()> {
    match run.required("do")? {
        "show" => show::show(store, run),
        "push" => transfer::push(store, run),
        "status" => status::show(store, run),
        "verify" => verify::verify(store, run),
        "repair" => repair::repair(store, run),
        "compare" => compare::compare(store, run),
        "gc" => gc::collect(store, run),
        "remove" => remove::remove(store, run),
        "pin" => pin::pin(store, run),
        "unpin" => pin::unpin(store, run),
        "unlock" => unlock::unlock(store, run),
        "add" => add::add(store, run),
        "changes" => changes::changes(store, run),
        "export" => export::export(store, run),
        _ => list::list(store, run),
    }
}

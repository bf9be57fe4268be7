//! `do=unlock`: shows locks, and takes one from a machine that is gone.

use stage::{Column, Failure, Parameters, Result, Table};
use store::Store;

/// Without `name=` lists the locks; with it removes one.
pub(crate) fn unlock(store: &Store, run: &Parameters) -> Result<()> {
    let held = store.held_locks()?;
    let Some(word) = run.text("name") else {
        let mut table = Table::new(["lock", "held by", "state"].map(Column::text));
        for (name, holder) in &held {
            let state = match (holder.is_here(), holder.is_dead()) {
                (_, true) => "its process is gone: the next stage takes it",
                (true, _) => "its process runs",
                (false, _) => "another machine or container: only you know",
            };
            table.row([short(name), &holder.to_string(), state]);
        }
        table.print();
        println!("\n`just store do=unlock name=…` removes the lock of a machine that is gone");
        return Ok(());
    };
    let mut fitting = held.iter().filter(|(name, _)| name.starts_with(word));
    let (Some((name, holder)), None) = (fitting.next(), fitting.next()) else {
        return Err(Failure::usage(format!("name={word}: not the beginning of exactly one lock's name"))
            .remedy("`just store do=unlock` lists the locks"));
    };
    if holder.is_here() && !holder.is_dead() {
        return Err(Failure::usage(format!("lock {} is held by {holder}, which still runs", short(name)))
            .remedy(format!("wait, or end it: kill {}", holder.pid)));
    }
    if store.unlock(name, holder)? {
        println!("unlocked: {} (was held by {holder})", short(name));
    } else {
        println!("lock {} is free or has a new holder", short(name));
    }
    Ok(())
}

fn short(name: &str) -> &str {
    let is_key = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_key { &name[..8] } else { name }
}

//! `do=gc`: frees what no name reaches.

use std::time::Duration;

use indicatif::HumanBytes;
use stage::{Parameters, Result};
use store::Store;

/// Prints what can go and, unless `dry_run`, deletes it.
pub(crate) fn collect(store: &Store, run: &Parameters) -> Result<()> {
    let lease = Duration::from_secs(run.integer("lease") as u64 * 3600);
    let free = store.unreachable(lease)?;
    let what = format!(
        "{} results and {} objects, {}",
        free.results.len(),
        free.objects.len(),
        HumanBytes(free.bytes)
    );
    if run.flag("dry_run") {
        println!("would free {what}; `just store do=gc dry_run=false` does");
    } else {
        store.collect(&free)?;
        println!("freed {what}");
    }
    Ok(())
}

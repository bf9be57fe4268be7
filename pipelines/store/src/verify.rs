//! `do=verify`: reads everything again.

use indicatif::HumanBytes;
use stage::{Exit, Failure, Result, progress};
use store::Store;

/// Prints what is damaged; fails if anything is.
pub(crate) fn verify(store: &Store) -> Result<()> {
    let bar = progress::bytes("verifying", store.size());
    let found = store.verify(|bytes| bar.inc(bytes))?;
    bar.finish_and_clear();
    println!("{} objects, {} read", found.objects, HumanBytes(found.bytes));
    for damage in &found.damage {
        println!("damaged: {}: {}", damage.path.display(), damage.what);
    }
    match found.damage.len() {
        0 => Ok(()),
        count => {
            Err(Failure::new(Exit::Store, format!("{count} damaged files in {}", store.root().display()))
                .remedy(
                    "delete the files named above and run the stages again: what is missing is made anew",
                ))
        }
    }
}

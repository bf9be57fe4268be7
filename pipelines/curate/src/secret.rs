//! A new secret for the names of patients and images.

use stage::Result;
use store::Store;

const CONSEQUENCES: &str = "\
With a new secret
- patients, studies and images get other names: names in earlier tables, scores and models lead nowhere any more;
- the next ingest writes every shard again; pixels are taken from the store, not decoded;
- splits follow the publisher's patient numbers, not the names: a patient stays in its split, except one whom
  a near-duplicate had moved or kept: that is decided anew;
- ingests from before cannot be compared with later ones;
- the list of patients who withdrew consent has a secret of its own and holds: they stay out;
- shards from before stay in the store under their old names until `just store do=gc`.
The old secret is overwritten; copies of it elsewhere still link old names to patients.";

/// Replaces the store's secret, or says what that leads to.
pub(crate) fn rotate(store: &Store, dry_run: bool) -> Result<()> {
    println!("{CONSEQUENCES}");
    if dry_run {
        println!("Nothing was changed; `just rotate-secret dry_run=false` does it.");
        return Ok(());
    }
    store.put_private(Store::SECRET, &rand::random::<[u8; 32]>())?;
    println!("The secret is a new one. Run `just ingest` for every data set.");
    Ok(())
}

//! `do=list`: what has a name.

use indicatif::HumanBytes;
use stage::{Column, Result, Table};
use store::Store;

/// Prints a table of all refs.
pub(crate) fn list(store: &Store) -> Result<()> {
    let [text, number] = [Column::text, Column::number];
    let mut table = Table::new([text("stage"), text("name"), text("key"), number("files"), number("size")]);
    for stage in store.stages()? {
        for name in store.refs_of(&stage)? {
            let Some((key, result)) = store.resolve(&stage, &name)? else { continue };
            let bytes: u64 = result.outputs.values().map(|digest| digest.size).sum();
            let (files, size) = (result.outputs.len().to_string(), HumanBytes(bytes).to_string());
            table.row([stage.clone(), name, key.short(), files, size]);
        }
    }
    table.print();
    println!("\n{}: {} of objects", store.root().display(), HumanBytes(store.size()));
    Ok(())
}

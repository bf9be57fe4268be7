//! Files that ingests set aside.

use cohort::{Dataset, SetAside};
use schema::Quarantined;
use stage::{Column, Fallible, Parameters, Result, Table};
use store::Store;

/// Prints the files, at most `limit=` of each data set, and how many there are for each reason.
pub(crate) fn show(store: &Store, datasets: &[Dataset], run: &Parameters) -> Result<()> {
    let limit = run.integer("limit") as usize;
    let text = Column::text;
    let mut table = Table::new(
        ["data set", "path", "reason", "detail", "transfer syntax", "photometric", "modality"].map(text),
    );
    let mut lines = Vec::new();
    let set_aside = SetAside::of(store).or_other()?;
    for dataset in datasets {
        let name = &dataset.manifest.dataset;
        let files = dataset.quarantined(store).or_other()?;
        for file in files.iter().take(limit) {
            let Quarantined { image_id, reason, detail, transfer_syntax, photometric, modality, .. } = file;
            let stated = |tag: &Option<String>| tag.clone().unwrap_or_else(|| "-".to_owned());
            table.row([
                name.clone(),
                set_aside.path(name, image_id).map_or_else(|| format!("image {image_id}"), str::to_owned),
                reason.clone(),
                detail.clone(),
                stated(transfer_syntax),
                stated(photometric),
                stated(modality),
            ]);
        }
        let more = files.len().saturating_sub(limit);
        let shown =
            if more > 0 { format!("; {more} more with limit={}", files.len()) } else { String::new() };
        lines.push(format!("{name}: {} files set aside{shown}", files.len()));
        lines.extend(
            dataset.manifest.quarantined.iter().map(|(reason, files)| format!("  {reason}: {files}")),
        );
    }
    table.print();
    println!();
    for line in lines {
        println!("{line}");
    }
    println!("A file is tried again when it changes, or when a decoder does.");
    Ok(())
}

//! What a folder has that the last ingest had not, and the other way round.

use std::collections::{BTreeMap, HashMap};

use cohort::{Dataset, Withdrawn};
use schema::ImageId;
use stage::{Fallible, Result};
use store::Store;

use crate::listed::{Listed, Listing};

/// Files named one by one; more are only counted.
const NAMED: usize = 10;

/// A line for each kind of change with its count, then one for each of the first files; files known to be left out are
/// no change.
pub(crate) fn changed_files(
    store: &Store,
    last: &Dataset,
    listing: &Listing,
    withdrawn: &Withdrawn,
) -> Result<Vec<String>> {
    let mut known: HashMap<String, (String, String)> = HashMap::new();
    last.each_entry(store, |entry| {
        known.insert(entry.image_id.to_string(), (entry.fingerprint, entry.source_digest));
    })
    .or_other()?;
    let aside = last.quarantined(store).or_other()?;
    let mut aside: HashMap<&ImageId, &str> =
        aside.iter().map(|file| (&file.image_id, file.digest.as_str())).collect();
    let mut changes: Vec<(&str, String)> = Vec::new();
    let images = listing.images.iter().filter(|image| !withdrawn.has_file(&image.file));
    for Listed { record, file, image_id, fingerprint } in images {
        let path = record.path.display().to_string();
        // Tables of earlier versions name paths.
        let set_aside = aside.remove(image_id).or_else(|| aside.remove(&ImageId::from_stored(&path)));
        let what = match (known.remove(&image_id.to_string()), set_aside) {
            (Some((print, _)), _) if print == *fingerprint => continue,
            (Some((_, digest)), _) if digest == file.to_string() => "the tables say something else of",
            (Some(_), _) => "other content:",
            (None, Some(digest)) if digest == file.to_string() => continue,
            (None, Some(_)) => "other content, set aside before:",
            (None, None) => "new:",
        };
        changes.push((what, path));
    }
    changes.extend(known.into_keys().map(|image| ("gone:", format!("the file of image {image}"))));
    changes.extend(
        aside.into_keys().map(|image| ("gone, set aside before:", format!("the file of image {image}"))),
    );
    changes.sort();

    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (what, _) in &changes {
        *counts.entry(what).or_default() += 1;
    }
    let mut lines: Vec<String> = counts.iter().map(|(what, count)| format!("{what} {count} files")).collect();
    lines.extend(changes.iter().take(NAMED).map(|(what, path)| format!("{what} {path}")));
    if changes.len() > NAMED {
        lines.push(format!("… and {} more", changes.len() - NAMED));
    }
    Ok(lines)
}

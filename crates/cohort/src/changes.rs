//! What a change of shards means: which images came, went, or are others.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use schema::{ImageId, IndexEntry, read_index};
use store::{Digest, Record, Store};

use crate::{
    Error, history,
    outputs::{INDEX, SHARD},
};

/// Images named one by one; more are only counted.
const NAMED: usize = 10;

/// What happened to the images between two sets of shards: a line for each source and split, then one for each of the
/// first images. Says so when the indices of an earlier set are gone.
pub fn changed_images(store: &Store, before: &[Digest], now: &[Digest]) -> Result<Vec<String>, Error> {
    let (was, is): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), now.iter().collect());
    let indices = indices(&store.records());
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    let mut unknown = 0;
    for (shards, entries) in [(was.difference(&is), &mut old), (is.difference(&was), &mut new)] {
        for shard in shards {
            match index_of(store, &indices, shard) {
                Some(index) => entries.extend(
                    read_index(&store.object(index)?)?
                        .into_iter()
                        .map(|entry| (entry.image_id.clone(), entry)),
                ),
                None => unknown += 1,
            }
        }
    }
    let mut lines = Vec::new();
    if unknown > 0 {
        lines.push(format!("{unknown} files whose images are not known any more"));
    }
    let changes = changes(&old, &new);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (_, entry, what) in &changes {
        *counts.entry(format!("{} {}: {}", entry.source, entry.split.name(), what.kind())).or_default() += 1;
    }
    lines.extend(counts.into_iter().map(|(what, count)| format!("{what} {count} images")));
    lines.extend(changes.iter().take(NAMED).map(|(image, entry, what)| {
        let file = entry.source_digest.get(..12).unwrap_or(&entry.source_digest);
        format!("{} image {image}, file sha256 {file}…", what.kind())
    }));
    if changes.len() > NAMED {
        lines.push(format!("… and {} more: `just diff` counts all", changes.len() - NAMED));
    }
    Ok(lines)
}

/// What happened to an image.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Added,
    Removed,
    Relabelled,
    Replaced,
    Described,
}

impl What {
    fn kind(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Relabelled => "relabelled",
            Self::Replaced => "other file of",
            Self::Described => "other facts of",
        }
    }
}

type Entries = BTreeMap<ImageId, IndexEntry>;

fn changes<'a>(old: &'a Entries, new: &'a Entries) -> Vec<(&'a ImageId, &'a IndexEntry, What)> {
    let removed = old.iter().filter(|(image, _)| !new.contains_key(*image));
    let mut changes: Vec<_> = removed.map(|(image, entry)| (image, entry, What::Removed)).collect();
    for (image, entry) in new {
        let what = match old.get(image) {
            None => What::Added,
            Some(was) if was.label != entry.label => What::Relabelled,
            Some(was) if was.source_digest != entry.source_digest => What::Replaced,
            Some(was) if was != entry => What::Described,
            Some(_) => continue,
        };
        changes.push((image, entry, what));
    }
    changes
}

/// The index of each shard of every ingest whose result is among these, be it without a name: two stores that were brought
/// together may have called two ingests alike.
pub(crate) fn indices(records: &[Record]) -> HashMap<Digest, Digest> {
    let mut indices = HashMap::new();
    for Record { result, .. } in records {
        if !["ingest", history::STAGE].contains(&&*result.stage) {
            continue;
        }
        let known = result.inputs.iter().filter_map(|(name, shard)| Some((name, shard.first()?)));
        for (name, shard) in known.chain(&result.outputs) {
            let index = name.strip_suffix(SHARD).map(|place| format!("{place}{INDEX}"));
            if let Some(index) = index.and_then(|index| result.outputs.get(&index)) {
                indices.insert(*shard, *index);
            }
        }
    }
    indices
}

/// The index of a shard, where it is there.
pub(crate) fn index_of<'a>(
    store: &Store,
    indices: &'a HashMap<Digest, Digest>,
    shard: &Digest,
) -> Option<&'a Digest> {
    indices.get(shard).filter(|index| store.reaches(index).unwrap_or(false))
}

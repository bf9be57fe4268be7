//! Pixels that the store has already, in whatever split and data set they lie.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    str::FromStr,
};

use cohort::outputs::{INDEX, QUARANTINE, SHARD};
use schema::{IndexEntry, Quarantined, StoredImages, read_identities, read_index, read_quarantine};
use serde_json::{Map, Value};
use stage::Result;
use store::{Digest, Store};

use crate::{bucket::shard_failure, read::Decoded, refusal::BOX_OUTSIDE};

/// A look-up from a file's digest to what was made of it with the same decoders, size and fit.
#[derive(Default)]
pub(crate) struct Known {
    shards: Vec<Files>,
    images: HashMap<Digest, Row>,
    refused: HashMap<String, Quarantined>,
}

/// A shard and its index.
#[derive(Clone, Copy)]
pub(crate) struct Files {
    pub(crate) shard: Digest,
    pub(crate) index: Digest,
}

/// Where a stored image lies: which shard, which row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    shard: usize,
    row: usize,
}

impl Known {
    /// What all ingests that have a name made with these pixel parameters. A damaged ingest is passed over: what it had
    /// is decoded again.
    pub(crate) fn of(store: &Store, pixels: &Map<String, Value>) -> Result<Self> {
        let mut known = Self::default();
        for name in store.refs_of("ingest")? {
            let Ok(Some((_, result))) = store.resolve("ingest", &name) else { continue };
            if are_of(&result.document["parameters"], pixels) {
                known.add_outputs(store, &result.outputs);
            }
        }
        Ok(known)
    }

    /// Adds what an ingest made: its files by name. What another version wrote differently is passed over.
    fn add_outputs(&mut self, store: &Store, outputs: &BTreeMap<String, Digest>) {
        for (name, shard) in outputs {
            let Some(place) = name.strip_suffix(SHARD) else { continue };
            let Some(index) = outputs.get(&format!("{place}{INDEX}")) else { continue };
            let identities = store.object(index).ok().and_then(|path| read_identities(&path).ok());
            let Some(identities) = identities else { continue };
            let files = identities.iter().map(|image| image.source_digest.as_str());
            self.add(Files { shard: *shard, index: *index }, files);
            let Some(quarantine) = outputs.get(&format!("{place}{QUARANTINE}")) else { continue };
            let refused = store.object(quarantine).ok().and_then(|path| read_quarantine(&path).ok());
            self.add_refused(refused.into_iter().flatten());
        }
    }

    /// Adds files that were set aside for what they are themselves.
    pub(crate) fn add_refused(&mut self, refused: impl Iterator<Item = Quarantined>) {
        let of_the_file = refused.filter(|file| file.reason != BOX_OUTSIDE);
        self.refused.extend(of_the_file.map(|file| (file.digest.clone(), file)));
    }

    /// Adds a shard whose images were made of the files with these digests, row by row.
    pub(crate) fn add<'a>(&mut self, shard: Files, sources: impl Iterator<Item = &'a str>) {
        for (row, source) in sources.enumerate() {
            if let Ok(file) = Digest::from_str(source) {
                self.images.insert(file, Row { shard: self.shards.len(), row });
            }
        }
        self.shards.push(shard);
    }

    /// Where the image of this file lies.
    pub(crate) fn image(&self, file: &Digest) -> Option<Row> {
        self.images.get(file).copied()
    }

    /// Why this file was set aside before.
    pub(crate) fn refused(&self, file: &Digest) -> Option<&Quarantined> {
        self.refused.get(&file.to_string())
    }
}

/// Whether an ingest of these parameters made such pixels.
pub(crate) fn are_of(parameters: &Value, pixels: &Map<String, Value>) -> bool {
    pixels.iter().all(|(name, value)| parameters.get(name) == Some(value))
}

/// Reads stored images; keeps the shards open that it has read of.
pub(crate) struct Reader<'a> {
    store: &'a Store,
    known: &'a Known,
    shards: HashMap<usize, (Vec<IndexEntry>, StoredImages)>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(store: &'a Store, known: &'a Known) -> Self {
        Self { store, known, shards: HashMap::new() }
    }

    /// The stored images at these places, in their order.
    pub(crate) fn read(&mut self, places: &[Row]) -> Result<Vec<Decoded>> {
        let mut wanted: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for place in places {
            wanted.entry(place.shard).or_default().push(place.row);
        }
        let mut images = BTreeMap::new();
        for (shard, mut rows) in wanted {
            rows.sort_unstable();
            rows.dedup();
            let files = self.known.shards[shard];
            let (_, stored) = match self.shards.entry(shard) {
                Entry::Occupied(open) => open.into_mut(),
                Entry::Vacant(vacant) => {
                    let entries = read_index(&self.store.object(&files.index)?).map_err(shard_failure)?;
                    let images =
                        StoredImages::open(&self.store.object(&files.shard)?).map_err(shard_failure)?;
                    vacant.insert((entries, images))
                }
            };
            let pngs = stored.read(&rows).map_err(shard_failure)?;
            images.extend(rows.into_iter().map(|row| Row { shard, row }).zip(pngs));
        }
        let decoded = places.iter().map(|place| Decoded {
            traits: self.shards[&place.shard].0[place.row].traits.clone(),
            png: images[place].clone(),
        });
        Ok(decoded.collect())
    }
}

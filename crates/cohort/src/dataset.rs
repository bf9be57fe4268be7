//! An ingested data set.

use std::path::Path;

use schema::{
    Identity, IndexEntry, Manifest, Quarantined, Shard, Split, Work, read_identities, read_images,
    read_index, read_quarantine,
};
use store::{ActionResult, Digest, Store};

use crate::{
    Error, History,
    outputs::{INDEX, MANIFEST, QUARANTINE, SHARD},
};

/// An ingested data set: its manifest and where its shards are.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// What is in it.
    pub manifest: Manifest,
    /// The ingest's result.
    pub result: ActionResult,
}

impl Dataset {
    /// The data set of this name, as it was last ingested.
    pub fn open(store: &Store, name: &str) -> Result<Self, Error> {
        let Some((_, result)) = store.resolve("ingest", name)? else {
            return Err(Error::NoDataset { name: name.to_owned(), known: store.refs_of("ingest")? });
        };
        Self::of(store, result)
    }

    /// The data set of this name as it was last ingested, also where shards of it are lost or damaged: what it knew of each
    /// image stands in its indices. If it has no name any more, the newest of its [`History`]; `None` if it has none.
    pub fn remembered(store: &Store, name: &str) -> Result<Option<Self>, Error> {
        let history = History::of(store, name)?.names.pop();
        let names = [Some(("ingest", name)), history.as_deref().map(|numbered| (History::STAGE, numbered))];
        for (stage, name) in names.into_iter().flatten() {
            if let Some(result) = store.recorded(stage, name)? {
                let dataset = Self::of(store, result)?;
                dataset.each_index(store, |_| Ok(()))?; // they are there
                return Ok(Some(dataset));
            }
        }
        Ok(None)
    }

    /// The data set whose manifest is among a result's outputs.
    pub fn of(store: &Store, result: ActionResult) -> Result<Self, Error> {
        let digest = result.output(MANIFEST)?;
        let manifest =
            serde_json::from_slice(&store.read(digest)?).map_err(|error| store::Error::Damaged {
                path: store.object_path(digest),
                what: format!("not a manifest of this version: {error}"),
            })?;
        Ok(Self { manifest, result })
    }

    /// Every data set in the store, by name.
    pub fn all(store: &Store) -> Result<Vec<Self>, Error> {
        store.refs_of("ingest")?.iter().map(|name| Self::open(store, name)).collect()
    }

    /// Calls `with` for what the ingest knows of each image, in the order of the shards.
    pub fn each_entry(&self, store: &Store, mut with: impl FnMut(IndexEntry)) -> Result<(), Error> {
        self.each_index(store, |index| {
            read_index(index)?.into_iter().for_each(&mut with);
            Ok(())
        })
    }

    /// Like [`Dataset::each_entry`], for a part that is read faster.
    pub fn each_identity(&self, store: &Store, mut with: impl FnMut(Identity)) -> Result<(), Error> {
        self.each_index(store, |index| {
            read_identities(index)?.into_iter().for_each(&mut with);
            Ok(())
        })
    }

    /// Calls `with` for the index of each shard, in the order of the shards.
    fn each_index(
        &self,
        store: &Store,
        mut with: impl FnMut(&Path) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for shard in &self.manifest.shards {
            let place = shard.name.strip_suffix(SHARD).unwrap_or(&shard.name);
            let Some(digest) = self.result.outputs.get(&format!("{place}{INDEX}")) else {
                return Err(Error::EarlierVersion { name: self.manifest.dataset.clone() });
            };
            with(&store.object(digest)?)?;
        }
        Ok(())
    }

    /// The stored images (PNG) at these positions of [`Dataset::entries`], ascending and each once.
    pub fn images(&self, store: &Store, positions: &[usize]) -> Result<Vec<Vec<u8>>, Error> {
        let (mut images, mut rest, mut first) = (Vec::with_capacity(positions.len()), positions, 0);
        for shard in &self.manifest.shards {
            let end = first + shard.images as usize;
            let (here, later) = rest.split_at(rest.partition_point(|position| *position < end));
            let rows: Vec<usize> = here.iter().map(|position| position - first).collect();
            if !rows.is_empty() {
                images.extend(read_images(&store.object(&self.digest(shard)?)?, &rows)?);
            }
            (rest, first) = (later, end);
        }
        Ok(images)
    }

    /// What the ingest knows of every image, in the order of the shards.
    pub fn entries(&self, store: &Store) -> Result<Vec<IndexEntry>, Error> {
        let mut entries = Vec::new();
        self.each_entry(store, |entry| entries.push(entry))?;
        Ok(entries)
    }

    /// The files that the ingest set aside, by image.
    pub fn quarantined(&self, store: &Store) -> Result<Vec<Quarantined>, Error> {
        Ok(read_quarantine(&store.object(self.result.output(QUARANTINE)?)?)?)
    }

    /// The parameters of the ingest, by name; codecs, role and the secret's fingerprint are among them.
    pub fn parameters(&self) -> &serde_json::Value {
        &self.result.document["parameters"]
    }

    /// How much of the ingest was work; `None` for one of an earlier version.
    pub fn work(&self) -> Option<Work> {
        serde_json::from_value(self.result.provenance.clone()).ok()
    }

    /// The digest of one of the data set's shards.
    pub fn digest(&self, shard: &Shard) -> Result<Digest, Error> {
        Ok(*self.result.output(&shard.name)?)
    }

    /// The shards of one split.
    pub fn shards(&self, split: Split) -> Result<Vec<Digest>, Error> {
        self.manifest.shards_of(split).map(|shard| self.digest(shard)).collect()
    }
}

/// The shards of one split of these data sets: the input of stages that read nothing else of them.
pub fn shards(datasets: &[Dataset], split: Split) -> Result<Vec<Digest>, Error> {
    let shards: Vec<_> = datasets.iter().map(|dataset| dataset.shards(split)).collect::<Result<_, _>>()?;
    Ok(shards.concat())
}

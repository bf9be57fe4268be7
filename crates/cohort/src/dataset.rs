//! An ingested data set.

use schema::{Manifest, Shard, Split};
use store::{ActionResult, Digest, Store};

use crate::Error;

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
        let digest = result.output("manifest.json")?;
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

    /// The digest of one of the data set's shards.
    pub fn digest(&self, shard: &Shard) -> Result<Digest, Error> {
        Ok(*self.result.output(&shard.name)?)
    }

    /// The shards of one split.
    pub fn shards(&self, split: Split) -> Result<Vec<Digest>, Error> {
        self.manifest.shards_of(split).map(|shard| self.digest(shard)).collect()
    }
}

/// Names the content of one split of these data sets: an input of stages that read nothing else of them.
pub fn fingerprint(datasets: &[Dataset], split: Split) -> Result<String, Error> {
    let mut lines = Vec::new();
    for dataset in datasets {
        lines.extend(dataset.shards(split)?.iter().map(|digest| format!("{digest}\n")));
    }
    lines.sort();
    Ok(Digest::of(lines.concat().as_bytes()).to_string())
}

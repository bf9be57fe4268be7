//! Which ingest a shard belongs to.

use std::collections::{BTreeMap, HashMap};

use schema::{IndexEntry, read_index};
use store::{Digest, Lineage, Node, Store};

use crate::{
    Error,
    outputs::{INDEX, SHARD},
    trace::ingest_of,
};

/// A shard in an ingest.
#[derive(Clone, Debug)]
pub struct Origin<'a> {
    /// The ingest's name: `siim` for the last one of a data set, `siim.2` for an earlier one.
    pub ingest: String,
    /// The shard's name among the ingest's outputs.
    pub name: String,
    /// The ingest.
    pub node: &'a Node,
    index: Option<Digest>,
}

/// The shards of all ingests that have a name.
#[derive(Clone, Debug)]
pub struct Origins<'a>(HashMap<Digest, Origin<'a>>);

impl<'a> Origins<'a> {
    /// Finds them; a shard of several ingests belongs to the last one of a data set, or else to the latest.
    pub fn of(lineage: &'a Lineage) -> Self {
        let mut ingests: BTreeMap<(bool, u64, String), &Node> = BTreeMap::new();
        for node in lineage.nodes() {
            if let Some(ingest) = ingest_of(node) {
                let last = node.name_of("ingest").is_some();
                let number = ingest.rsplit('.').next().and_then(|number| number.parse().ok()).unwrap_or(0);
                ingests.insert((last, number, ingest), node);
            }
        }
        let mut origins = HashMap::new();
        for ((_, _, ingest), node) in ingests {
            let made = node.record.result.outputs.iter();
            let kept =
                node.record.result.inputs.iter().filter_map(|(name, shards)| Some((name, shards.first()?)));
            for (name, shard) in made.chain(kept) {
                let Some(place) = name.strip_suffix(SHARD) else { continue };
                let index = node.record.result.outputs.get(&format!("{place}{INDEX}")).copied();
                let (ingest, name) = (ingest.clone(), name.clone());
                origins.insert(*shard, Origin { ingest, name, node, index });
            }
        }
        Self(origins)
    }

    /// Where this shard belongs.
    pub fn get(&self, shard: &Digest) -> Option<&Origin<'a>> {
        self.0.get(shard)
    }
}

impl Origin<'_> {
    /// What the ingest knows of the shard's images.
    pub fn entries(&self, store: &Store) -> Result<Vec<IndexEntry>, Error> {
        let index = self.index.ok_or_else(|| Error::EarlierVersion { name: self.ingest.clone() })?;
        Ok(read_index(&store.object(&index)?)?)
    }
}

//! Where some images are in the store, and what was made from them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::Path,
};

use schema::{IndexEntry, Quarantined, Split, read_index, read_quarantine};
use store::{Digest, Lineage, Node, Store};

use crate::{
    Error, History,
    outputs::{INDEX, QUARANTINE, SHARD},
};

/// A bucket of an ingest that holds images asked for.
#[derive(Clone, Debug)]
pub struct Holding {
    /// Its ingest: `siim` for the last one of a data set, `siim.2` for an earlier one; `None` for one without a name.
    pub ingest: Option<String>,
    /// Its shard's name among the ingest's outputs.
    pub name: String,
    /// Its shard, which an earlier ingest need not have any more.
    pub shard: Digest,
    /// Names the secret behind its keys.
    pub secret: String,
    /// The images, as the index knows them.
    pub images: Vec<IndexEntry>,
}

/// Where images are, over all ingests that the store knows.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The buckets that hold them.
    pub holdings: Vec<Holding>,
    /// Files of theirs that were set aside.
    pub set_aside: BTreeSet<Quarantined>,
    /// Shards, indices and tables of files set aside that tell of them.
    pub objects: HashSet<Digest>,
    /// What others have of their images too: the same key, file or picture of somebody else.
    pub shared: HashSet<String>,
}

/// How a result came to know of images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saw {
    /// It read shards that hold them, under these names of inputs: `train`, `validation`, `test`, `ood`.
    Itself(Vec<String>),
    /// It was made from what these results made.
    Through(Vec<String>),
    /// Which images it was made from is not known: an earlier version did not write it down, or the ingest is forgotten.
    Unknown,
}

impl Trace {
    /// Finds the images and files that are wanted.
    pub fn of(
        store: &Store,
        lineage: &Lineage,
        image: impl Fn(&IndexEntry) -> bool,
        file: impl Fn(&Quarantined) -> bool,
    ) -> Result<Self, Error> {
        let mut trace = Self::default();
        let mut indices: HashMap<Digest, Vec<IndexEntry>> = HashMap::new();
        let mut tables: HashMap<Digest, bool> = HashMap::new();
        let mut others: HashSet<String> = HashSet::new();
        for node in lineage.nodes() {
            let outputs = &node.record.result.outputs;
            if outputs.keys().any(|name| {
                name.strip_suffix(SHARD)
                    .is_some_and(|place| !outputs.contains_key(&format!("{place}{INDEX}")))
            }) {
                return Err(Error::EarlierVersion { name: node.name() });
            }
            for (name, digest) in outputs {
                if let Some(place) = name.strip_suffix(INDEX) {
                    if !indices.contains_key(digest) {
                        let (here, rest): (Vec<_>, Vec<_>) =
                            read_index(&store.object(digest)?)?.into_iter().partition(&image);
                        others.extend(rest.iter().flat_map(marks).map(str::to_owned));
                        indices.insert(*digest, here);
                    }
                    let images = &indices[digest];
                    let name = format!("{place}{SHARD}");
                    let kept = node.record.result.inputs.get(&name).and_then(|shard| shard.first());
                    if let (false, Some(shard)) = (images.is_empty(), outputs.get(&name).or(kept)) {
                        trace.objects.extend([*digest, *shard]);
                        let secret = node.record.result.document["parameters"]["secret"].as_str();
                        let secret = secret.unwrap_or_default().to_owned();
                        let (ingest, images) = (ingest_of(node), images.clone());
                        trace.holdings.push(Holding { ingest, name, shard: *shard, secret, images });
                    }
                } else if name.ends_with(QUARANTINE) {
                    if !tables.contains_key(digest) {
                        let rows = read_quarantine(&store.object(digest)?)?;
                        let here: Vec<_> = rows.into_iter().filter(&file).collect();
                        tables.insert(*digest, !here.is_empty());
                        trace.set_aside.extend(here);
                    }
                    if tables[digest] {
                        trace.objects.insert(*digest);
                    }
                }
            }
        }
        let own = trace.images().into_values();
        let own: HashSet<String> = own.flat_map(marks).map(str::to_owned).collect();
        trace.shared = own.intersection(&others).cloned().collect();
        Ok(trace)
    }

    /// Each image once.
    pub fn images(&self) -> BTreeMap<&str, &IndexEntry> {
        let all = self.holdings.iter().flat_map(|holding| &holding.images);
        all.map(|entry| (entry.image_id.as_str(), entry)).collect()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.holdings.is_empty() && self.set_aside.is_empty()
    }

    /// The results that are ingests, or parts of one, and tell of the images.
    pub fn ingests<'a>(&self, lineage: &'a Lineage) -> Vec<&'a Node> {
        let tells =
            |node: &&Node| node.record.result.outputs.values().any(|digest| self.objects.contains(digest));
        lineage.nodes().iter().filter(|node| is_data(node) && tells(node)).collect()
    }

    /// The results that were made from the images, directly or not, the nearest first.
    pub fn made_from<'a>(&self, lineage: &'a Lineage) -> Vec<(&'a Node, Saw)> {
        let nodes = lineage.descendants(&self.objects, |node| !is_data(node));
        let tainted: HashSet<&Digest> =
            nodes.iter().flat_map(|node| node.record.result.outputs.values()).collect();
        let saw = |node: &'a Node| {
            let inputs = node.inputs();
            let reads = |name: &&String| inputs[*name].iter().any(|digest| self.objects.contains(digest));
            let direct: Vec<String> = inputs.keys().filter(reads).cloned().collect();
            if !direct.is_empty() {
                return (node, Saw::Itself(direct));
            }
            let through = inputs.values().flatten().filter(|digest| tainted.contains(digest));
            let names: BTreeSet<String> = through
                .flat_map(|digest| lineage.producers(digest))
                .filter(|maker| nodes.iter().any(|node| node.record.path == maker.record.path))
                .map(Node::name)
                .collect();
            (node, Saw::Through(names.into_iter().collect()))
        };
        nodes.iter().map(|node| saw(node)).collect()
    }
}

/// What an image is found by: its key, its file and its pixels.
fn marks(entry: &IndexEntry) -> [&str; 3] {
    [entry.image_id.as_str(), &entry.source_digest, &entry.traits.pixel_digest]
}

/// The results of which it is not known whether they saw an image, and what was made from them: an earlier version did not
/// write down what they were made from, or no index of the shards is left.
pub fn of_unknown_origin(lineage: &Lineage) -> Vec<&Node> {
    let known: HashSet<&Digest> =
        lineage.nodes().iter().filter(|node| is_data(node)).flat_map(shards).collect();
    let reads = |node: &Node| {
        node.record.result.document["inputs"].as_object().is_some_and(|inputs| !inputs.is_empty())
    };
    let unknown = |node: &&Node| {
        let inputs = &node.record.result.inputs;
        let mut images = Split::ALL.iter().filter_map(|split| inputs.get(split.name())).flatten();
        !is_data(node) && (inputs.is_empty() && reads(node) || images.any(|shard| !known.contains(shard)))
    };
    let mut nodes: Vec<&Node> = lineage.nodes().iter().filter(unknown).collect();
    let outputs = nodes.iter().flat_map(|node| node.record.result.outputs.values().copied()).collect();
    let there: HashSet<&Path> = nodes.iter().map(|node| node.record.path.as_path()).collect();
    let made_from = lineage.descendants(&outputs, |node| !is_data(node)).into_iter();
    let further: Vec<&Node> = made_from.filter(|node| !there.contains(node.record.path.as_path())).collect();
    nodes.extend(further);
    nodes
}

/// The shards whose indices an ingest, a part of one, or the memory of one has.
fn shards(node: &Node) -> impl Iterator<Item = &Digest> {
    let result = &node.record.result;
    let own = result.outputs.iter().filter(|(name, _)| name.ends_with(SHARD)).map(|(_, digest)| digest);
    own.chain(result.inputs.iter().filter(|(name, _)| name.ends_with(SHARD)).flat_map(|(_, digests)| digests))
}

/// Whether a result is an ingest, a part of one, or the memory of one.
pub fn is_data(node: &Node) -> bool {
    let of_images = |name: &String| name.ends_with(INDEX) || name.ends_with(SHARD);
    node.record.result.outputs.keys().any(of_images)
}

/// The name of an ingest, if it has one.
pub(crate) fn ingest_of(node: &Node) -> Option<String> {
    node.name_of("ingest").or_else(|| node.name_of(History::STAGE)).map(str::to_owned)
}

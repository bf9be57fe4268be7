//! From a result to the files that it was made from.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use cohort::{Error, Origins, Trace, is_data};
use jiff::Timestamp;
use stage::{Fallible, Result};
use store::{ActionResult, Digest, Lineage, Node, Store, spelled};

use super::tree::{Data, Part, Row, Step, Tree};

/// Walks from results to what they were made from.
pub(super) struct Back<'a> {
    pub(super) store: &'a Store,
    pub(super) lineage: &'a Lineage,
    /// Whether every row is listed.
    pub(super) rows: bool,
}

impl Back<'_> {
    /// The tree of a result; `output` is the file of it that was pointed at.
    pub(super) fn tree(&self, node: &Node, output: Option<&str>) -> Result<Tree> {
        let origins = Origins::of(self.lineage);
        let mut made = self.made(node, &origins, &mut HashSet::new())?;
        if is_data(node) {
            made.from = self.own_images(node, output).or_other()?;
        }
        let outputs: HashSet<Digest> = match output.and_then(|name| node.record.result.outputs.get(name)) {
            Some(digest) => HashSet::from([*digest]),
            None if is_data(node) => node
                .record
                .result
                .outputs
                .values()
                .copied()
                .filter(|digest| origins.get(digest).is_some())
                .collect(),
            None => node.record.result.outputs.values().copied().collect(),
        };
        let users = self.lineage.descendants(&outputs, |user| !is_data(user));
        Ok(Tree {
            output: output.map(str::to_owned),
            shows: output
                .and_then(image_of)
                .map(|image| self.row(image, node, &origins))
                .transpose()?
                .flatten(),
            made,
            used_by: users.into_iter().map(Node::name).collect(),
        })
    }

    fn made(&self, node: &Node, origins: &Origins<'_>, told: &mut HashSet<String>) -> Result<Step> {
        told.insert(node.name());
        let ActionResult { stage, document, provenance, .. } = &node.record.result;
        let parameters = document["parameters"].as_object().into_iter().flatten();
        let seen = Timestamp::try_from(node.made).or_other()?;
        let stated = provenance["made"].as_str().and_then(|made| made.parse().ok());
        let made: Timestamp = stated.unwrap_or(seen);
        let mut from = Vec::new();
        if !is_data(node) {
            for (input, digests) in node.inputs() {
                self.parts(node, &input, &digests, origins, told, &mut from)?;
            }
        }
        Ok(Step {
            name: node.name(),
            stage: stage.clone(),
            version: document["version"].clone(),
            made: made.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            key: node.record.key.hex(),
            parameters: parameters.map(|(name, value)| (name.clone(), spelled(value))).collect(),
            provenance: provenance.clone(),
            from,
        })
    }

    /// What one input of a result is.
    fn parts(
        &self,
        node: &Node,
        input: &str,
        digests: &BTreeSet<Digest>,
        origins: &Origins<'_>,
        told: &mut HashSet<String>,
        parts: &mut Vec<Part>,
    ) -> Result<()> {
        let mut ingests: BTreeMap<(String, String), Vec<Digest>> = BTreeMap::new();
        let mut makers: BTreeMap<String, &Node> = BTreeMap::new();
        for digest in digests {
            if let Some(origin) = origins.get(digest) {
                let split = origin.name.split('-').next().unwrap_or_default().to_owned();
                ingests.entry((origin.ingest.clone(), split)).or_default().push(*digest);
            } else if let Some(maker) = self.lineage.producers(digest).first() {
                makers.insert(maker.name(), maker);
            } else if self.store.reaches(digest)?
                || node.record.result.inputs.values().flatten().any(|read| read == digest)
            {
                // What stands in the key document and nowhere else names a set of objects, or a folder.
                parts.push(Part::Object { input: input.to_owned(), digest: digest.to_string() });
            }
        }
        let read_images = !ingests.is_empty();
        for ((ingest, split), shards) in ingests {
            parts.push(Part::Images(self.images(input, ingest, split, &shards, origins).or_other()?));
        }
        for (name, maker) in makers {
            let input = input.to_owned();
            if is_data(maker) && read_images {
                continue; // an index or a manifest beside its shards
            }
            parts.push(if told.contains(&name) {
                Part::Again { input, name }
            } else {
                Part::Result { input, made: Box::new(self.made(maker, origins, told)?) }
            });
        }
        Ok(())
    }

    fn images(
        &self,
        input: &str,
        ingest: String,
        split: String,
        shards: &[Digest],
        origins: &Origins<'_>,
    ) -> Result<Data, Error> {
        let mut rows = Vec::new();
        let (mut patients, mut files, mut images) = (BTreeSet::new(), BTreeSet::new(), 0);
        for shard in shards {
            let Some(origin) = origins.get(shard) else { continue };
            for entry in origin.entries(self.store)? {
                images += 1;
                if self.rows {
                    rows.push(Row::of(&entry, &ingest, &origin.name, shard));
                }
                patients.insert(entry.patient_key);
                files.insert(entry.source_digest);
            }
        }
        Ok(Data {
            input: input.to_owned(),
            ingest,
            split,
            shards: shards.len(),
            images,
            patients: patients.len(),
            source_files: files.len(),
            rows,
        })
    }

    /// The images of an ingest itself, or of one shard of it.
    fn own_images(&self, node: &Node, output: Option<&str>) -> Result<Vec<Part>, Error> {
        let origins = Origins::of(self.lineage);
        let shards = node.record.result.outputs.iter().chain(
            node.record.result.inputs.iter().filter_map(|(name, digests)| Some((name, digests.first()?))),
        );
        let place = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        let chosen = output.map(place).filter(|place| place.contains('-'));
        let mut splits: BTreeMap<(String, String), Vec<Digest>> = BTreeMap::new();
        for (name, digest) in shards {
            if let Some(origin) = origins.get(digest)
                && chosen.as_ref().is_none_or(|chosen| place(name) == *chosen)
            {
                let split = name.split('-').next().unwrap_or_default().to_owned();
                splits.entry((origin.ingest.clone(), split)).or_default().push(*digest);
            }
        }
        let parts = splits.into_iter().map(|((ingest, split), shards)| {
            Ok(Part::Images(self.images("folder", ingest, split, &shards, &origins)?))
        });
        parts.collect()
    }

    /// The row of an image that a result shows, in the shards that it read.
    fn row(&self, image: &str, node: &Node, origins: &Origins<'_>) -> Result<Option<Row>> {
        let inputs: BTreeSet<Digest> = node.inputs().into_values().flatten().collect();
        let trace = Trace::of(self.store, self.lineage, |entry| entry.image_id.as_str() == image, |_| false)
            .or_other()?;
        let holding = trace.holdings.iter().find(|holding| inputs.contains(&holding.shard));
        Ok(holding.and_then(|holding| {
            let origin = origins.get(&holding.shard)?;
            Some(Row::of(&holding.images[0], &origin.ingest, &holding.name, &holding.shard))
        }))
    }
}

/// The image that a picture of the gallery shows: `<split>-<label>-<image>.png`.
fn image_of(output: &str) -> Option<&str> {
    let image = output.strip_suffix(".png")?.rsplit('-').next()?;
    image.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(image)
}

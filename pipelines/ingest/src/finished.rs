//! From finished buckets to the manifest.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

use cohort::outputs::{MANIFEST, QUARANTINE};
use schema::{
    About, Counts, IndexEntry, Joined, Manifest, Quarantined, Role, Shard, Withdrawal, Work, write_quarantine,
};
use serde_json::json;
use stage::{Failure, Made, Result};
use store::Digest;

use crate::{
    bucket::{Bucket, shard_failure, shard_name},
    listed::Listing,
    place::Place,
};

/// The buckets so far.
#[derive(Default)]
pub(crate) struct Finished {
    pub(crate) work: Work,
    joined: Joined,
    pub(crate) quarantined: Vec<Quarantined>,
    withdrawn: Withdrawal,
    shards: Vec<Shard>,
    counts: Counts,
    text_risk: u64,
    objects: BTreeMap<String, Digest>,
}

impl Finished {
    pub(crate) fn new(joined: Joined, quarantined: Vec<Quarantined>, withdrawn: Withdrawal) -> Self {
        Self { joined, quarantined, withdrawn, ..Self::default() }
    }

    pub(crate) fn take(&mut self, place: Place, bucket: Bucket) {
        if !bucket.entries.is_empty() {
            let images = bucket.entries.len() as u64;
            self.shards.push(Shard { split: place.0, bucket: place.1, name: shard_name(place), images });
        }
        self.counts.add(&bucket.entries);
        let risky = |entry: &&IndexEntry| entry.traits.text_risk == Some(true);
        self.text_risk += bucket.entries.iter().filter(risky).count() as u64;
        self.quarantined.extend(bucket.quarantined);
        self.objects.extend(bucket.objects);
        self.work.shards += 1;
        self.work.rebuilt += u64::from(bucket.rebuilt);
    }

    /// Writes the manifest and the table of files set aside.
    pub(crate) fn publish(
        mut self,
        folder: &Path,
        dataset: &str,
        role: Role,
        about: About,
        listing: &Listing,
    ) -> Result<Made> {
        if self.shards.is_empty() {
            let first = self.quarantined.first().map(|file| {
                let path = listing.paths(&HashSet::from([&file.image_id])).into_values().next();
                format!(", the first because {}: {}", path.unwrap_or_default(), file.detail)
            });
            return Err(Failure::data(format!(
                "{dataset}: not one of {} images could be read{}",
                self.quarantined.len(),
                first.unwrap_or_default()
            )));
        }
        self.work.quarantined = self.quarantined.len() as u64;
        let mut reasons = BTreeMap::new();
        for file in &self.quarantined {
            *reasons.entry(file.reason.clone()).or_default() += 1;
        }
        let manifest = Manifest {
            dataset: dataset.to_owned(),
            role,
            about,
            shards: self.shards,
            counts: self.counts.into_vec(),
            quarantined: reasons,
            joined: self.joined,
            text_risk: self.text_risk,
            withdrawn: self.withdrawn,
            notes: listing.notes.clone(),
        };
        write_quarantine(&folder.join(QUARANTINE), &self.quarantined).map_err(shard_failure)?;
        let manifest = serde_json::to_vec_pretty(&manifest).expect("a manifest is plain data");
        fs_err::write(folder.join(MANIFEST), manifest)?;
        Ok(Made { provenance: json!(self.work), objects: self.objects })
    }
}

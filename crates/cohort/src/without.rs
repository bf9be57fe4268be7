//! An ingest without some patients, written from the store alone.

use std::collections::{BTreeMap, HashSet};

use schema::{
    Counts, Manifest, PatientKey, Pixels, Quarantined, Work, read_index, read_quarantine, read_shard,
    write_index, write_quarantine, write_shard,
};
use store::{Digest, Store};

use crate::{
    Dataset, Error,
    outputs::{INDEX, MANIFEST, QUARANTINE, SHARD},
};

/// What is left of an ingest.
#[derive(Clone, Debug)]
pub struct Remainder {
    /// What is in it.
    pub manifest: Manifest,
    /// Its files by name, all in the store.
    pub outputs: BTreeMap<String, Digest>,
    /// The shards of an earlier ingest that stay as they were, by name.
    pub shards: BTreeMap<String, Vec<Digest>>,
    /// What was done.
    pub work: Work,
}

impl Dataset {
    /// Writes the data set without the images and files of these patients: the very files that an ingest of its folder
    /// makes when they withdraw. Of an earlier ingest, whose shards need not be there, the shards are left out.
    pub fn without(&self, store: &Store, patients: &HashSet<PatientKey>) -> Result<Remainder, Error> {
        let folder = store.temporary_folder()?;
        let mut left = Remainder {
            manifest: self.manifest.clone(),
            outputs: self.result.outputs.clone(),
            shards: self.result.inputs.clone(),
            work: Work::default(),
        };
        let (mut counts, mut text_risk) = (Counts::default(), 0);
        let (mut images, mut present, mut gone) = (HashSet::new(), HashSet::new(), Vec::new());
        let places: Vec<String> = self
            .result
            .outputs
            .keys()
            .filter_map(|name| Some(name.strip_suffix(INDEX)?.to_owned()))
            .collect();
        for place in places {
            let [shard, index, table] = [SHARD, INDEX, QUARANTINE].map(|file| format!("{place}{file}"));
            let mut entries = read_index(&store.object(self.result.output(&index)?)?)?;
            let mut aside = self.table(store, &table)?;
            let before = entries.len() + aside.len();
            entries.retain(|entry| {
                let stays = !patients.contains(&entry.patient_key);
                if !stays {
                    gone.push(entry.patient_key.clone());
                }
                stays
            });
            retain_others(&mut aside, patients);

            counts.add(&entries);
            text_risk += entries.iter().filter(|entry| entry.traits.text_risk == Some(true)).count() as u64;
            images.extend(entries.iter().map(|entry| entry.image_id.clone()));
            present.extend(entries.iter().map(|entry| entry.patient_key.clone()));
            left.work.reused += (entries.len() + aside.len()) as u64;
            if entries.len() + aside.len() == before {
                continue;
            }
            left.shards.remove(&shard);
            let [had_shard, _, had_table] = [&shard, &index, &table].map(|name| left.outputs.remove(name));
            left.manifest.shards.retain_mut(|known| {
                let this = known.name == shard;
                if this {
                    known.images = entries.len() as u64;
                }
                !this || !entries.is_empty()
            });
            if entries.is_empty() && aside.is_empty() {
                continue;
            }
            left.work.rebuilt += 1;
            let mut put = |name: String| -> Result<(), Error> {
                let digest = store.put_file(&folder.path().join(&name))?;
                left.outputs.insert(name, digest);
                Ok(())
            };
            if let Some(digest) = had_shard {
                let mut rows = read_shard(&store.object(&digest)?, Pixels::Read)?;
                rows.retain(|row| !patients.contains(&row.patient_key));
                write_shard(&folder.path().join(&shard), &rows)?;
                put(shard)?;
            }
            write_index(&folder.path().join(&index), &entries)?;
            put(index)?;
            if had_table.is_some() {
                write_quarantine(&folder.path().join(&table), &aside)?;
                put(table)?;
            }
        }
        let mut aside = self.table(store, QUARANTINE)?; // of all buckets, and files without a place
        gone.extend(retain_others(&mut aside, patients));
        write_quarantine(&folder.path().join(QUARANTINE), &aside)?;
        left.outputs.insert(QUARANTINE.to_owned(), store.put_file(&folder.path().join(QUARANTINE))?);

        let manifest = &mut left.manifest;
        manifest.counts = counts.into_vec();
        manifest.text_risk = text_risk;
        manifest.joined.patients.retain(|patient| present.contains(patient));
        manifest.joined.kept.retain(|patient, _| !patients.contains(patient));
        manifest.joined.conflicts.retain(|pair| pair.iter().all(|image| images.contains(image)));
        manifest.quarantined.clear();
        for file in &aside {
            *manifest.quarantined.entry(file.reason.clone()).or_default() += 1;
        }
        manifest.withdrawn.images += gone.len() as u64;
        manifest.withdrawn.patients += gone.iter().collect::<HashSet<_>>().len() as u64;
        left.work.quarantined = aside.len() as u64;
        left.work.shards = left.outputs.keys().filter(|name| name.ends_with(INDEX)).count() as u64;
        let text = serde_json::to_vec_pretty(manifest).expect("a manifest is plain data");
        left.outputs.insert(MANIFEST.to_owned(), store.put_bytes(&text)?);
        Ok(left)
    }

    /// A table of files set aside; an earlier ingest keeps that of the whole alone.
    fn table(&self, store: &Store, name: &str) -> Result<Vec<Quarantined>, Error> {
        let Some(digest) = self.result.outputs.get(name) else { return Ok(Vec::new()) };
        Ok(read_quarantine(&store.object(digest)?)?)
    }
}

/// Takes the files of these patients out; returns whose they were, once per file.
fn retain_others(files: &mut Vec<Quarantined>, patients: &HashSet<PatientKey>) -> Vec<PatientKey> {
    let mut gone = Vec::new();
    files.retain(|file| match &file.patient_key {
        Some(patient) if patients.contains(patient) => {
            gone.push(patient.clone());
            false
        }
        _ => true,
    });
    gone
}

//! One data set, from its folder to a manifest in the store.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use cohort::Dataset;
use rayon::prelude::*;
use schema::{
    About, Count, ImageRow, Label, Manifest, Quarantined, Role, Secret, Shard, Split, write_quarantine,
};
use serde_json::{Map, Value, json};
use stage::{Action, Failure, Fallible, Made, Parameters, Result, progress, run_or_reuse};
use store::Store;

use crate::{
    bucket::{self, Bucket, Context, Place},
    listed::{Listed, Listing},
    read::{Placed, Settings, quarantined},
    sources::Source,
};

/// Raised when the same listing and parameters would give another manifest.
const VERSION: u32 = 2;

/// What an ingest did, for the summary.
pub(crate) struct Ingested {
    pub(crate) manifest: Manifest,
    /// Files decoded, rows taken over.
    pub(crate) work: Work,
}

/// How much of an ingest was work.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// The folder and the parameters are those of the last time.
    Unchanged,
    /// What was done.
    Done {
        /// Files decoded.
        read: usize,
        /// Images taken over from the last ingest.
        reused: usize,
    },
}

/// Ingests one data set and names the result `ingest/<data set>`.
pub(crate) fn ingest(store: &Store, run: &Parameters, source: &Source) -> Result<Ingested> {
    let card = source.adapter.card();
    let secret = Secret::new(store.secret()?);
    let listing = Listing::of(store, &secret, source)?;
    let about =
        About { title: card.title.clone(), source: card.source.clone(), licence: card.licence.clone() };
    let rows = row_parameters(run, &secret);
    let mut parameters = rows.clone();
    parameters.extend(run.keyed());
    parameters.insert("role".to_owned(), json!(card.role));
    parameters.insert("about".to_owned(), json!(about));
    let action = Action {
        stage: "ingest",
        version: VERSION,
        parameters,
        inputs: BTreeMap::from([("listing".to_owned(), listing.fingerprint())]),
    };
    let mut work = Work::Unchanged;
    let outcome = run_or_reuse(store, &action, |folder| {
        let bar = progress::bar(&format!("{}: reading", card.name), listing.images.len() as u64, "images");
        let last =
            Dataset::open(store, &card.name).ok().filter(|last| bucket::same_rows(&last.result, &rows));
        let settings = Settings {
            size: run.required("size")?.parse().or_usage()?,
            fit: run.required("fit")?.parse().or_usage()?,
        };
        let context = Context {
            store,
            root: &source.root,
            secret: &secret,
            settings,
            parameters: rows,
            last,
            bar: &bar,
        };
        let (placed, unplaced) = place_all(run, card.role, source, &secret, &listing.images);
        let mut made = Finished::default();
        for (place, images) in &placed {
            made.take(*place, context.bucket(*place, images)?);
        }
        bar.finish_and_clear();
        work = Work::Done {
            read: made.read + unplaced.len(),
            reused: listing.images.len() - made.read - unplaced.len(),
        };
        made.quarantined.extend(unplaced);
        made.quarantined.extend(listing.unreadable.iter().cloned());
        made.publish(folder, &card.name, card.role, about, listing.notes.clone())
    })?;
    store.set_ref("ingest", &card.name, &outcome.key, &outcome.result)?;
    let manifest = Dataset::open(store, &card.name).or_other()?.manifest;
    Ok(Ingested { manifest, work })
}

/// The parameters on which a row depends, besides its image and label.
fn row_parameters(run: &Parameters, secret: &Secret) -> Map<String, Value> {
    let codecs: Map<String, Value> =
        imaging::CODECS.iter().map(|(name, version)| ((*name).to_owned(), (*version).into())).collect();
    Map::from_iter([
        ("size".to_owned(), json!(run.text("size"))),
        ("fit".to_owned(), json!(run.text("fit"))),
        ("codecs".to_owned(), codecs.into()),
        ("secret".to_owned(), secret.fingerprint().into()),
    ])
}

/// Finds every image's patient, and from it the split and the bucket.
fn place_all<'a>(
    run: &Parameters,
    role: Role,
    source: &Source,
    secret: &Secret,
    images: &'a [Listed],
) -> (BTreeMap<Place, Vec<Placed<'a>>>, Vec<Quarantined>) {
    let (seed, buckets) = (run.integer("split_seed") as u64, run.integer("buckets") as u64);
    let place = |listed: &'a Listed| {
        let patient = match &listed.record.patient {
            Some(patient) => patient.clone(),
            None => imaging::dicom_header(&source.root.join(&listed.record.path))
                .map_err(|error| quarantined(listed, error.reason(), &error))?
                .patient
                .ok_or_else(|| {
                    quarantined(listed, "no-patient", &"Patient ID (0010,0020) is empty: the split needs it")
                })?,
        };
        let key = secret.patient(&listed.record.source, &patient);
        let head = u64::from_str_radix(&key.as_str()[..8], 16).expect("a key is hexadecimal");
        let split = Split::of(role, &listed.record.source, &patient, seed);
        Ok(Placed { listed, patient, split, bucket: (head % buckets) as u32 })
    };
    let outcomes: Vec<Result<Placed<'a>, Quarantined>> = images.par_iter().map(place).collect();
    let mut placed: BTreeMap<Place, Vec<Placed<'a>>> = BTreeMap::new();
    let mut unplaced = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(image) => placed.entry((image.split, image.bucket)).or_default().push(image),
            Err(file) => unplaced.push(file),
        }
    }
    (placed, unplaced)
}

/// The buckets so far.
#[derive(Default)]
struct Finished {
    shards: Vec<Shard>,
    rows: Vec<ImageRow>,
    quarantined: Vec<Quarantined>,
    read: usize,
    objects: BTreeMap<String, store::Digest>,
}

impl Finished {
    fn take(&mut self, place: Place, bucket: Bucket) {
        if !bucket.rows.is_empty() {
            let images = bucket.rows.len() as u64;
            self.shards.push(Shard {
                split: place.0,
                bucket: place.1,
                name: bucket::shard_name(place),
                images,
            });
        }
        self.rows.extend(bucket.rows);
        self.quarantined.extend(bucket.quarantined);
        self.read += bucket.read;
        self.objects.extend(bucket.objects);
    }

    /// Writes the manifest and the table of files set aside.
    fn publish(
        self,
        folder: &Path,
        dataset: &str,
        role: Role,
        about: About,
        notes: Vec<String>,
    ) -> Result<Made> {
        if self.rows.is_empty() {
            let first = self
                .quarantined
                .first()
                .map(|file| format!(", the first because {}: {}", file.path, file.detail));
            return Err(Failure::data(format!(
                "{dataset}: not one of {} images could be read{}",
                self.quarantined.len(),
                first.unwrap_or_default()
            )));
        }
        let mut reasons = BTreeMap::new();
        for file in &self.quarantined {
            *reasons.entry(file.reason.clone()).or_default() += 1;
        }
        let manifest = Manifest {
            dataset: dataset.to_owned(),
            role,
            about,
            shards: self.shards,
            counts: counts(&self.rows),
            quarantined: reasons,
            notes,
        };
        write_quarantine(&folder.join("quarantine.parquet"), &self.quarantined).or_other()?;
        let manifest = serde_json::to_vec_pretty(&manifest).expect("a manifest is plain data");
        fs_err::write(folder.join("manifest.json"), manifest)?;
        Ok(Made { provenance: Value::Null, objects: self.objects })
    }
}

fn counts(rows: &[ImageRow]) -> Vec<Count> {
    let mut groups: BTreeMap<(Split, &str), Vec<&ImageRow>> = BTreeMap::new();
    for row in rows {
        groups.entry((row.split, &row.source)).or_default().push(row);
    }
    let of = |rows: &[&ImageRow], label| rows.iter().filter(|row| row.label == label).count() as u64;
    groups
        .into_iter()
        .map(|((split, source), rows)| Count {
            split,
            source: source.to_owned(),
            images: rows.len() as u64,
            patients: rows.iter().map(|row| &row.patient_key).collect::<BTreeSet<_>>().len() as u64,
            negative: of(&rows, Label::Negative),
            covid: of(&rows, Label::Covid),
        })
        .collect()
}

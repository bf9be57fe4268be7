//! One shard: the images of one bucket of patients of one split. Pixels that the store has are not decoded again.

use std::{
    collections::BTreeMap,
    panic::resume_unwind,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use cohort::outputs::{INDEX, QUARANTINE, SHARD};
use rayon::prelude::*;
use schema::{
    IndexEntry, Quarantined, Secret, ShardWriter, read_index, read_quarantine, write_index, write_quarantine,
};
use serde_json::{Map, Value};
use stage::{Action, Again, Failure, Input, Made, Outcome, Result, run_again, run_or_reuse, version};
use store::{Digest, FileDigests, Store};

use crate::{
    known::{Files, Known, Reader},
    place::{Place, Placed},
    progress::Progress,
    read::{Settings, contradicted, decode, row},
};

/// Images in memory at a time: enough to keep many cores busy, and no more for a large bucket than for a small one.
const AT_A_TIME: usize = 64;

/// Shards in work at a time.
const AT_ONCE: usize = 2;

/// What all buckets of an ingest share.
pub(crate) struct Context<'a> {
    pub(crate) store: &'a Store,
    pub(crate) root: &'a Path,
    pub(crate) digests: &'a FileDigests,
    pub(crate) secret: &'a Secret,
    pub(crate) settings: Settings,
    /// The parameters that a row depends on.
    pub(crate) parameters: Map<String, Value>,
    pub(crate) progress: &'a Progress,
    /// Files decoded so far.
    pub(crate) read: AtomicU64,
    /// Shards are made although they are there.
    pub(crate) again: bool,
}

/// A finished bucket.
pub(crate) struct Bucket {
    pub(crate) entries: Vec<IndexEntry>,
    pub(crate) quarantined: Vec<Quarantined>,
    /// Whether the shard was written now.
    pub(crate) rebuilt: bool,
    pub(crate) files: Files,
    /// The outputs under the names they have in the ingest's result.
    pub(crate) objects: BTreeMap<String, Digest>,
}

/// The name of one of a bucket's files among the outputs of the whole ingest.
fn output_name((split, bucket): Place, file: &str) -> String {
    format!("{}-{bucket:04}.{file}", split.name())
}

/// The name of a bucket's shard among the outputs of the whole ingest.
pub(crate) fn shard_name(place: Place) -> String {
    output_name(place, SHARD)
}

impl Context<'_> {
    /// All shards; while one is written, the next is decoded. In threads of their own: those of rayon take up another
    /// bucket while they wait inside one, and would then wait for its lock while they hold the first's.
    pub(crate) fn buckets(
        &self,
        placed: &BTreeMap<Place, Vec<Placed<'_>>>,
        known: &Known,
    ) -> Result<BTreeMap<Place, Bucket>> {
        let waiting = Mutex::new(placed.iter());
        let work = || {
            let mut done = Vec::new();
            while let Some((place, images)) = next(&waiting) {
                let bucket = self.bucket(*place, images, known);
                if bucket.is_err() {
                    while next(&waiting).is_some() {} // the other threads stop too
                }
                done.push((*place, bucket?));
            }
            Ok(done)
        };
        let done: Vec<Result<_>> = thread::scope(|scope| {
            let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        });
        Ok(done.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// The shard of these images.
    pub(crate) fn bucket(&self, place: Place, images: &[Placed<'_>], known: &Known) -> Result<Bucket> {
        let mut lines: Vec<String> =
            images.iter().map(|image| format!("{} {}\n", image.listed.fingerprint, image.patient)).collect();
        lines.sort();
        let mut parameters = self.parameters.clone();
        parameters.insert("split".to_owned(), place.0.name().into());
        let action = Action {
            stage: "ingest-shard",
            version: version::INGEST_SHARD,
            parameters,
            inputs: BTreeMap::from([(
                "images".to_owned(),
                Input::Outside(Digest::of(lines.concat().as_bytes()).to_string()),
            )]),
        };
        let mut rows = None;
        let make = |folder: &Path| {
            rows = Some(self.make(images, known, folder)?);
            Ok(Made::default())
        };
        let Outcome { result, .. } = if self.again {
            let (outcome, again) = run_again(self.store, &action, make)?;
            if let Again::Other(said) = again {
                eprintln!("{said}");
            }
            outcome
        } else {
            run_or_reuse(self.store, &action, make)?
        };
        let object = |name: &str| -> Result<PathBuf> { Ok(self.store.object(result.output(name)?)?) };
        let rebuilt = rows.is_some();
        let (entries, quarantined) = if let Some(rows) = rows {
            rows
        } else {
            self.progress.passed(images.len());
            let quarantined = read_quarantine(&object(QUARANTINE)?).map_err(shard_failure)?;
            (read_index(&object(INDEX)?).map_err(shard_failure)?, quarantined)
        };
        Ok(Bucket {
            entries,
            quarantined,
            rebuilt,
            files: Files { shard: *result.output(SHARD)?, index: *result.output(INDEX)? },
            objects: result
                .outputs
                .iter()
                .map(|(file, digest)| (output_name(place, file), *digest))
                .collect(),
        })
    }

    /// Writes a bucket's files; returns the rows of its index and its quarantine.
    fn make(
        &self,
        images: &[Placed<'_>],
        known: &Known,
        folder: &Path,
    ) -> Result<(Vec<IndexEntry>, Vec<Quarantined>)> {
        let mut images: Vec<&Placed<'_>> = images.iter().collect();
        images.sort_by(|a, b| a.listed.image_id.cmp(&b.listed.image_id));
        let mut shard = ShardWriter::create(&folder.join(SHARD)).map_err(shard_failure)?;
        let mut reader = Reader::new(self.store, known);
        let (mut entries, mut quarantined) = (Vec::new(), Vec::new());
        for images in images.chunks(AT_A_TIME) {
            let places: Vec<_> = images.iter().filter_map(|image| known.image(&image.listed.file)).collect();
            let mut stored = reader.read(&places)?.into_iter();
            let fresh: Vec<_> = images
                .par_iter()
                .map_init(Vec::new, |bytes, image| {
                    let listed = image.listed;
                    if known.image(&listed.file).is_some() || known.refused(&listed.file).is_some() {
                        self.progress.passed(1);
                        return Ok(None);
                    }
                    let decoded = decode(self.root, listed, self.digests, self.settings, bytes)?;
                    self.read.fetch_add(1, Relaxed);
                    self.progress.read(listed.file.size, decoded.is_err());
                    Ok(Some(decoded))
                })
                .collect::<Result<_>>()?;
            for (image, fresh) in images.iter().zip(fresh) {
                let outcome = match (fresh, known.refused(&image.listed.file)) {
                    (Some(outcome), _) => outcome,
                    (None, Some(file)) if known.image(&image.listed.file).is_none() => {
                        Err(Quarantined { image_id: image.listed.image_id.clone(), ..file.clone() })
                    }
                    (None, _) => Ok(stored.next().expect("one stored image per place")),
                };
                let outcome = match outcome {
                    Ok(decoded) => contradicted(image.listed, &decoded.traits).map_or(Ok(decoded), Err),
                    refused => refused,
                };
                match outcome {
                    Ok(decoded) => {
                        let (row, entry) = row(image, decoded, self.settings, self.secret);
                        shard.push(row).map_err(shard_failure)?;
                        entries.push(entry);
                    }
                    Err(file) => {
                        let patient_key = Some(image.patient.clone());
                        quarantined.push(Quarantined { patient_key, ..file });
                    }
                }
            }
        }
        shard.close().map_err(shard_failure)?;
        write_index(&folder.join(INDEX), &entries).map_err(shard_failure)?;
        write_quarantine(&folder.join(QUARANTINE), &quarantined).map_err(shard_failure)?;
        Ok((entries, quarantined))
    }
}

/// What comes next for whichever thread asks.
fn next<I: Iterator>(waiting: &Mutex<I>) -> Option<I::Item> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).next()
}

/// A shard that cannot be written is the file system's fault; one that cannot be read is damage.
pub(crate) fn shard_failure(error: schema::Error) -> Failure {
    match error {
        schema::Error::Io { path, source } => {
            let named = std::io::Error::new(source.kind(), format!("{}: {source}", path.display()));
            Failure::from(named)
        }
        schema::Error::Format { path, what } => store::Error::Damaged { path, what }.into(),
    }
}

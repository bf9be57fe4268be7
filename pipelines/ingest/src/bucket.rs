//! One shard: the images of one bucket of patients of one split. Rows of the last ingest whose images and labels have
//! not changed are taken over.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use cohort::Dataset;
use indicatif::ProgressBar;
use rayon::prelude::*;
use schema::{
    ImageRow, Pixels, Quarantined, Secret, Split, read_quarantine, read_shard, write_quarantine, write_shard,
};
use serde_json::{Map, Value};
use stage::{Action, Failure, Made, Outcome, Result, run_or_reuse};
use store::{ActionResult, Digest, Store};

use crate::read::{Placed, Settings, read};

/// Raised when the same file and parameters would give another row.
const VERSION: u32 = 2;

/// The files of a shard's result.
const SHARD: &str = "shard.parquet";
const QUARANTINE: &str = "quarantine.parquet";
/// `{row's image: fingerprint of what it was made of}`, quarantined files included.
const FINGERPRINTS: &str = "fingerprints.json";

/// What all buckets of an ingest share.
pub(crate) struct Context<'a> {
    pub(crate) store: &'a Store,
    pub(crate) root: &'a Path,
    pub(crate) secret: &'a Secret,
    pub(crate) settings: Settings,
    /// The parameters that a row depends on.
    pub(crate) parameters: Map<String, Value>,
    /// The last ingest of this data set with the same parameters.
    pub(crate) last: Option<Dataset>,
    pub(crate) bar: &'a ProgressBar,
}

/// A bucket's place.
pub(crate) type Place = (Split, u32);

/// A finished bucket.
pub(crate) struct Bucket {
    pub(crate) rows: Vec<ImageRow>,
    pub(crate) quarantined: Vec<Quarantined>,
    /// Files decoded now.
    pub(crate) read: usize,
    /// The outputs under the names they have in the ingest's result.
    pub(crate) objects: BTreeMap<String, Digest>,
}

/// The name of one of a bucket's files among the outputs of the whole ingest.
pub(crate) fn output_name((split, bucket): Place, file: &str) -> String {
    format!("{}-{bucket:04}.{file}", split.name())
}

/// The name of a bucket's shard among the outputs of the whole ingest.
pub(crate) fn shard_name(place: Place) -> String {
    output_name(place, SHARD)
}

impl Context<'_> {
    /// The shard of these images.
    pub(crate) fn bucket(&self, place: Place, images: &[Placed<'_>]) -> Result<Bucket> {
        let mut lines: Vec<String> =
            images.iter().map(|image| format!("{}\n", image.listed.fingerprint)).collect();
        lines.sort();
        let mut parameters = self.parameters.clone();
        parameters.insert("split".to_owned(), place.0.name().into());
        let action = Action {
            stage: "ingest-shard",
            version: VERSION,
            parameters,
            inputs: BTreeMap::from([(
                "images".to_owned(),
                Digest::of(lines.concat().as_bytes()).to_string(),
            )]),
        };
        let mut decoded = 0;
        let Outcome { result, .. } = run_or_reuse(self.store, &action, |folder| {
            decoded = self.make(place, images, folder)?;
            Ok(Made::default())
        })?;
        self.bar.inc((images.len() - decoded) as u64); // those decoded were counted one by one
        let object = |name: &str| self.store.object(result.output(name)?).map_err(Failure::from);
        Ok(Bucket {
            rows: read_shard(&object(SHARD)?, Pixels::Skip).map_err(shard_failure)?,
            quarantined: read_quarantine(&object(QUARANTINE)?).map_err(shard_failure)?,
            read: decoded,
            objects: result
                .outputs
                .iter()
                .map(|(file, digest)| (output_name(place, file), *digest))
                .collect(),
        })
    }

    /// Writes a bucket's files; returns how many images it had to decode.
    fn make(&self, place: Place, images: &[Placed<'_>], folder: &Path) -> Result<usize> {
        let (known_rows, known_quarantined) = self.known(place)?;
        let mut decoded = 0;
        let mut rows = Vec::new();
        let mut quarantined = Vec::new();
        let mut fresh = Vec::new();
        for image in images {
            let fingerprint = image.listed.fingerprint.as_str();
            let path = image.listed.record.path.display().to_string();
            if let Some(row) = known_rows.get(fingerprint) {
                rows.push(row.clone());
            } else if let Some(file) = known_quarantined.get(&(path, image.listed.file.to_string())) {
                quarantined.push(file.clone());
            } else {
                fresh.push(image);
            }
        }
        let outcomes: Vec<_> = fresh
            .par_iter()
            .map(|image| {
                let outcome = read(self.root, image, self.settings, self.secret);
                self.bar.inc(1);
                outcome
            })
            .collect();
        decoded += outcomes.len();
        for outcome in outcomes {
            match outcome {
                Ok(row) => rows.push(row),
                Err(file) => quarantined.push(file),
            }
        }
        let fingerprints: BTreeMap<&str, &str> = images
            .iter()
            .map(|image| (image.listed.image_id.as_str(), image.listed.fingerprint.as_str()))
            .collect();
        let fingerprints = serde_json::to_vec(&fingerprints).expect("names are plain data");
        fs_err::write(folder.join(FINGERPRINTS), fingerprints)?;
        write_shard(&folder.join(SHARD), &rows).map_err(shard_failure)?;
        write_quarantine(&folder.join(QUARANTINE), &quarantined).map_err(shard_failure)?;
        Ok(decoded)
    }

    /// What the last ingest knew of this bucket: rows by fingerprint, quarantined files by path and digest.
    #[expect(clippy::type_complexity, reason = "two maps, used once")]
    fn known(
        &self,
        place: Place,
    ) -> Result<(HashMap<String, ImageRow>, HashMap<(String, String), Quarantined>)> {
        let none = || (HashMap::new(), HashMap::new());
        let Some(Dataset { result, .. }) = &self.last else { return Ok(none()) };
        let object = |file: &str| -> Result<Option<std::path::PathBuf>> {
            let digest = result.outputs.get(&output_name(place, file));
            digest.map(|digest| self.store.object(digest).map_err(Failure::from)).transpose()
        };
        let (Some(shard), Some(quarantine), Some(fingerprints)) =
            (object(SHARD)?, object(QUARANTINE)?, object(FINGERPRINTS)?)
        else {
            return Ok(none());
        };
        let fingerprints: HashMap<String, String> =
            serde_json::from_slice(&fs_err::read(fingerprints)?).map_err(Failure::data)?;
        let rows = read_shard(&shard, Pixels::Read).map_err(shard_failure)?;
        let rows = rows
            .into_iter()
            .filter_map(|row| Some((fingerprints.get(row.image_id.as_str())?.clone(), row)))
            .collect();
        let files = read_quarantine(&quarantine).map_err(shard_failure)?;
        Ok((rows, files.into_iter().map(|file| ((file.path.clone(), file.digest.clone()), file)).collect()))
    }
}

/// A shard that cannot be written is the file system's fault; one that cannot be read is damage.
fn shard_failure(error: schema::Error) -> Failure {
    match error {
        schema::Error::Io { path, source } => {
            let named = std::io::Error::new(source.kind(), format!("{}: {source}", path.display()));
            Failure::from(named)
        }
        schema::Error::Format { path, what } => store::Error::Damaged { path, what }.into(),
    }
}

/// The part of an ingest's parameters on which rows depend, if `result` was made with the same.
pub(crate) fn same_rows(result: &ActionResult, parameters: &Map<String, Value>) -> bool {
    let made_with = &result.document["parameters"];
    parameters.iter().all(|(name, value)| made_with.get(name) == Some(value))
}

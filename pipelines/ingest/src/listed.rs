//! What an adapter listed, with each file's digest and the names under which it is known from here on.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    io,
    path::PathBuf,
};

use cohort::Withdrawn;
use imaging::Tags;
use rayon::{iter::Either, prelude::*};
use schema::{ImageId, ImageRecord, PatientId, PatientKey, Quarantined, Secret};
use serde_json::json;
use stage::{Failure, Result, progress};
use store::{Digest, FileDigests, Store};

use crate::{refusal::Refusal, sources::Source};

/// An image as listed: its record, its file's digest, and a digest of all that its row will be made of.
pub(crate) struct Listed {
    pub(crate) record: ImageRecord,
    pub(crate) file: Digest,
    pub(crate) image_id: ImageId,
    /// Names everything that the row depends on besides the parameters.
    pub(crate) fingerprint: String,
}

/// A folder as listed.
pub(crate) struct Listing {
    pub(crate) images: Vec<Listed>,
    /// What cannot be read, and its path in the folder.
    pub(crate) unreadable: Vec<(Quarantined, PathBuf)>,
    /// Patients of unreadable files who withdrew consent, once per file.
    pub(crate) withdrawn: Vec<PatientKey>,
    /// The collections that the images come from.
    pub(crate) sources: BTreeSet<String>,
    pub(crate) notes: Vec<String>,
    /// Knows which files are still those that were hashed.
    pub(crate) digests: FileDigests,
}

impl Listing {
    /// Lists a folder and hashes its images; files unchanged since the last time are not read again. Files of patients
    /// who withdrew consent are part of the folder, but not remembered.
    pub(crate) fn of(store: &Store, secret: &Secret, source: &Source, withdrawn: &Withdrawn) -> Result<Self> {
        let name = &source.adapter.card().name;
        if !source.root.is_dir() {
            let what = if source.root.exists() { "is not a folder" } else { "does not exist" };
            return Err(Failure::data(format!("{name}: {} {what}", source.root.display()))
                .remedy("path= names the folder, or a line of sga.toml"));
        }
        let listing =
            source.adapter.list(&source.root).map_err(|error| Failure::data(format!("{name}: {error}")))?;
        let paths: Vec<_> = listing.records.iter().map(|record| source.root.join(&record.path)).collect();
        let bar = progress::bar(&format!("{name}: hashing"), paths.len() as u64, "files");
        let gone = |record: &ImageRecord| {
            record.patient.as_ref().is_some_and(|patient| withdrawn.has(&record.source, patient))
        };
        let keep = |index: usize, file: &Digest| !gone(&listing.records[index]) && !withdrawn.has_file(file);
        let mut digests = FileDigests::open(store, name);
        let hashed = digests.digest_all(&paths, keep, || bar.inc(1))?;
        bar.finish_and_clear();

        let notes = notes(&listing);
        let sources = listing.records.iter().map(|record| record.source.clone()).collect();
        let (images, unreadable): (Vec<_>, Vec<_>) =
            listing.records.into_par_iter().zip(hashed).partition_map(|(record, digest)| match digest {
                Ok(file) => Either::Left(Listed::new(record, file, secret)),
                Err(error) => {
                    let patient_key =
                        record.patient.as_ref().map(|patient| secret.patient(&record.source, patient));
                    let refusal = Refusal::Unreadable(why(&error));
                    let image_id = secret.image(&record.source, &record.name);
                    let row = refusal.row(image_id, String::new(), Tags::default());
                    let is_gone = gone(&record);
                    Either::Right((Quarantined { patient_key, ..row }, record.path, is_gone))
                }
            });
        let gone_unreadable = unreadable
            .iter()
            .filter(|(.., is_gone)| *is_gone)
            .filter_map(|(file, ..)| file.patient_key.clone());
        let withdrawn = gone_unreadable.collect();
        let unreadable = unreadable.into_iter().map(|(file, path, _)| (file, path)).collect();
        let mut seen = HashSet::new();
        if let Some(twice) = images.iter().find(|image| !seen.insert(&image.image_id)) {
            return Err(Failure::data(format!("{name}: two images are called `{}`", twice.record.name)));
        }
        Ok(Self { images, unreadable, withdrawn, sources, notes, digests })
    }

    /// The paths of these images in the folder.
    pub(crate) fn paths(&self, wanted: &HashSet<&ImageId>) -> BTreeMap<String, String> {
        let images = self.images.iter().map(|image| (&image.image_id, &image.record.path));
        let unreadable = self.unreadable.iter().map(|(file, path)| (&file.image_id, path));
        let wanted = images.chain(unreadable).filter(|(image, _)| wanted.contains(image));
        wanted.map(|(image, path)| (image.to_string(), path.display().to_string())).collect()
    }

    /// Names the whole listing: an input of the ingest.
    pub(crate) fn fingerprint(&self) -> String {
        let mut lines: String =
            self.images.par_iter().map(|image| format!("{}\n", image.fingerprint)).collect();
        lines.extend(self.unreadable.iter().map(|(file, _)| format!("unreadable {}\n", file.image_id)));
        lines.extend(self.notes.iter().map(|note| format!("note {note}\n")));
        Digest::of(lines.as_bytes()).to_string()
    }
}

impl Listed {
    fn new(record: ImageRecord, file: Digest, secret: &Secret) -> Self {
        let image_id = secret.image(&record.source, &record.name);
        let patient = |id: &PatientId| secret.patient(&record.source, id);
        let document = json!([
            image_id,
            file,
            record.source,
            record.patient.as_ref().map(patient),
            record.study.as_ref().map(|study| secret.study(&record.source, study)),
            record.label,
            record.finding,
            record.view,
            record.modality,
            record.boxes,
            record.markers,
        ]);
        let fingerprint = Digest::of(document.to_string().as_bytes()).hex();
        Self { record, file, image_id, fingerprint }
    }
}

/// Why a file could not be read, without its path, which may name a patient.
fn why(error: &store::Error) -> String {
    match error {
        store::Error::Io(error) if error.kind() == io::ErrorKind::InvalidInput => "it is no file".to_owned(),
        store::Error::Io(error) => error.kind().to_string(),
        _ => "it cannot be read".to_owned(),
    }
}

fn notes(listing: &datasets::Listing) -> Vec<String> {
    let mut notes = Vec::new();
    if !listing.missing.is_empty() {
        notes.push(format!("{} images of the tables have no file in the folder", listing.missing.len()));
    }
    if !listing.unlisted.is_empty() {
        notes.push(format!("{} image files in the folder are in no table", listing.unlisted.len()));
    }
    if listing.whole_names > 0 {
        notes.push(format!(
            "{} pictures are taken for a patient each: no `_` or `-` in their names ends the patient's",
            listing.whole_names
        ));
    }
    notes.extend(listing.excluded.iter().map(|group| format!("{} left out: {}", group.rows, group.reason)));
    notes
}

//! Which split and which bucket an image belongs to.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use cohort::Dataset;
use rayon::prelude::*;
use schema::{PatientKey, Quarantined, Role, Secret, Split};
use stage::{Fallible, Result};
use store::Store;

use crate::{listed::Listed, refusal::Refusal};

/// A bucket's place.
pub(crate) type Place = (Split, u32);

/// An image whose patient is known, with the place that follows from it.
pub(crate) struct Placed<'a> {
    pub(crate) listed: &'a Listed,
    pub(crate) patient: PatientKey,
    pub(crate) split: Split,
    pub(crate) bucket: u32,
}

/// Where the last ingest had put patients and images: they stay there.
#[derive(Default)]
pub(crate) struct Before {
    /// Split of each patient.
    pub(crate) splits: HashMap<PatientKey, Split>,
    /// Patient of each image, by fingerprint: spares the look into its header.
    pub(crate) patients: HashMap<String, PatientKey>,
}

impl Before {
    pub(crate) fn of(store: &Store, last: Option<&Dataset>) -> Result<Self> {
        let mut before = Self::default();
        let Some(last) = last else { return Ok(before) };
        last.each_entry(store, |entry| {
            before.splits.insert(entry.patient_key.clone(), entry.split);
            before.patients.insert(entry.fingerprint, entry.patient_key);
        })
        .or_other()?;
        Ok(before)
    }
}

/// The rules of one ingest.
pub(crate) struct Rules<'a> {
    pub(crate) role: Role,
    pub(crate) seed: u64,
    pub(crate) buckets: u32,
    pub(crate) secret: &'a Secret,
    pub(crate) root: &'a Path,
    pub(crate) before: &'a Before,
}

impl Rules<'_> {
    /// Finds every image's patient, and from it the split and the bucket; images without a patient are set aside.
    pub(crate) fn place_all<'a>(
        &self,
        images: &'a [Listed],
    ) -> (BTreeMap<Place, Vec<Placed<'a>>>, Vec<Quarantined>) {
        let outcomes: Vec<_> = images.par_iter().map(|listed| self.place(listed)).collect();
        let mut placed: BTreeMap<Place, Vec<Placed<'a>>> = BTreeMap::new();
        let mut unplaced = Vec::new();
        for outcome in outcomes {
            match outcome {
                Ok(image) => placed.entry((image.split, image.bucket)).or_default().push(image),
                Err(file) => unplaced.push(*file),
            }
        }
        (placed, unplaced)
    }

    fn place<'a>(&self, listed: &'a Listed) -> Result<Placed<'a>, Box<Quarantined>> {
        let record = &listed.record;
        let at = |patient: PatientKey, split: Split| {
            let head = u32::from_str_radix(&patient.as_str()[..8], 16).expect("a key is hexadecimal");
            Placed { listed, bucket: head % self.buckets, patient, split }
        };
        if let Some(patient) = self.before.patients.get(&listed.fingerprint) {
            return Ok(at(patient.clone(), self.before.splits[patient]));
        }
        let patient = match &record.patient {
            Some(patient) => patient.clone(),
            None => self.patient_in_header(listed)?,
        };
        let key = self.secret.patient(&record.source, &patient);
        let split = self.before.splits.get(&key).copied();
        let split = split.unwrap_or_else(|| Split::of(self.role, &record.source, &patient, self.seed));
        Ok(at(key, split))
    }

    fn patient_in_header(&self, listed: &Listed) -> Result<schema::PatientId, Box<Quarantined>> {
        let path = self.root.join(&listed.record.path);
        let refuse = |refusal: Refusal| {
            let tags = fs_err::read(&path).map(|bytes| imaging::dicom_tags(&bytes)).unwrap_or_default();
            Box::new(refusal.row(&listed.record, listed.file.to_string(), tags))
        };
        let header = imaging::dicom_header(&path).map_err(|error| refuse(Refusal::Image(error)))?;
        header.patient.ok_or_else(|| refuse(Refusal::NoPatient))
    }
}

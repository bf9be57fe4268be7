//! Which split and which bucket an image belongs to.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
};

use cohort::{Dataset, Withdrawn};
use rayon::prelude::*;
use schema::{PatientKey, Quarantined, Role, Secret, Split, Withdrawal};
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
        last.each_identity(store, |image| {
            before.splits.insert(image.patient_key.clone(), image.split);
            before.patients.insert(image.fingerprint, image.patient_key);
        })
        .or_other()?;
        before.splits.extend(last.manifest.joined.kept.clone());
        Ok(before)
    }
}

/// What becomes of the images of a listing.
#[derive(Default)]
pub(crate) struct Places<'a> {
    pub(crate) placed: BTreeMap<Place, Vec<Placed<'a>>>,
    /// Images without a patient.
    pub(crate) unplaced: Vec<Quarantined>,
    /// Images whose patients withdrew consent: their keys, and the images' files.
    pub(crate) withdrawn: Vec<(PatientKey, &'a Listed)>,
}

/// The rules of one ingest.
pub(crate) struct Rules<'a> {
    pub(crate) role: Role,
    pub(crate) seed: u64,
    pub(crate) buckets: u32,
    pub(crate) secret: &'a Secret,
    pub(crate) root: &'a Path,
    pub(crate) before: &'a Before,
    pub(crate) withdrawn: &'a Withdrawn,
}

/// Why an image has no place.
enum Unplaced {
    NoPatient(Box<Quarantined>),
    Withdrawn(PatientKey),
}

impl Rules<'_> {
    /// Finds every image's patient, and from it the split and the bucket; images without a patient are set aside, those
    /// of patients who withdrew consent are left out.
    pub(crate) fn place_all<'a>(&self, images: &'a [Listed]) -> Places<'a> {
        let outcomes: Vec<_> = images.par_iter().map(|listed| (listed, self.place(listed))).collect();
        let mut places = Places::default();
        for (listed, outcome) in outcomes {
            match outcome {
                Ok(image) => places.placed.entry((image.split, image.bucket)).or_default().push(image),
                Err(Unplaced::NoPatient(file)) => places.unplaced.push(*file),
                Err(Unplaced::Withdrawn(patient)) => places.withdrawn.push((patient, listed)),
            }
        }
        places
    }

    fn place<'a>(&self, listed: &'a Listed) -> Result<Placed<'a>, Unplaced> {
        let record = &listed.record;
        let at = |patient: PatientKey, split: Split| {
            let head = u32::from_str_radix(&patient.as_str()[..8], 16).expect("a key is hexadecimal");
            Placed { listed, bucket: head % self.buckets, patient, split }
        };
        if let Some(patient) = self.before.patients.get(&listed.fingerprint) {
            if self.withdrawn.has_key(patient) || self.withdrawn.has_file(&listed.file) {
                return Err(Unplaced::Withdrawn(patient.clone()));
            }
            return Ok(at(patient.clone(), self.before.splits[patient]));
        }
        let patient = match &record.patient {
            Some(patient) => patient.clone(),
            None => self.patient_in_header(listed).map_err(Unplaced::NoPatient)?,
        };
        let key = self.secret.patient(&record.source, &patient);
        // A file of theirs is kept out whatever the data set calls its patient.
        if self.withdrawn.has(&record.source, &patient) || self.withdrawn.has_file(&listed.file) {
            return Err(Unplaced::Withdrawn(key));
        }
        let split = self.before.splits.get(&key).copied();
        let split = split.unwrap_or_else(|| Split::of(self.role, &record.source, &patient, self.seed));
        Ok(at(key, split))
    }

    fn patient_in_header(&self, listed: &Listed) -> Result<schema::PatientId, Box<Quarantined>> {
        let path = self.root.join(&listed.record.path);
        let refuse = |refusal: Refusal| {
            let tags = fs_err::read(&path).map(|bytes| imaging::dicom_tags(&bytes)).unwrap_or_default();
            Box::new(refusal.row(listed.image_id.clone(), listed.file.to_string(), tags))
        };
        let header = imaging::dicom_header(&path).map_err(|error| refuse(Refusal::Image(error)))?;
        header.patient.ok_or_else(|| refuse(Refusal::NoPatient))
    }
}

impl Places<'_> {
    /// How much is left out, with these unreadable files.
    pub(crate) fn withdrawal(&self, unreadable: &[PatientKey]) -> Withdrawal {
        let patients = self.withdrawn.iter().map(|(patient, _)| patient).chain(unreadable);
        Withdrawal {
            images: patients.clone().count() as u64,
            patients: patients.collect::<HashSet<_>>().len() as u64,
        }
    }
}

//! Patients as the user names them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use cohort::{Dataset, History, Withdrawn};
use schema::{PatientId, PatientKey, Secret};
use stage::{Failure, Fallible, Parameters, Result};
use store::Store;

pub(crate) const SECRET: &str = "copy the file `secret` of then into the store, or that of the store which this one was pulled from, and ask again";

/// The patients asked for, all of one source. Their numbers are never printed.
pub(crate) struct Asked {
    pub(crate) source: String,
    /// The other sources of the data sets that have it.
    pub(crate) beside: BTreeSet<String>,
    pub(crate) patients: Vec<PatientId>,
    pub(crate) secret: Secret,
    /// Where each stands in the file of `patients=`.
    lines: BTreeMap<PatientId, usize>,
}

/// Patients of a file of whom nothing was found.
#[derive(Default)]
pub(crate) struct Missing {
    /// Where they stand in it, from 1.
    pub(crate) lines: Vec<usize>,
    of: usize,
}

impl Missing {
    /// Prints it for people.
    pub(crate) fn print(&self) {
        if !self.lines.is_empty() {
            let lines: Vec<String> = self.lines.iter().map(ToString::to_string).collect();
            println!(
                "Nothing was found of {} of {} patients, in these lines: {}",
                lines.len(),
                self.of,
                lines.join(", ")
            );
        }
    }
}

impl Asked {
    /// Reads `patient=`, `patients=` and `source=`; `None` where neither patient is given.
    pub(crate) fn of(store: &Store, run: &Parameters) -> Result<Option<Self>> {
        let mut patients = Vec::new();
        if let Some(id) = run.text("patient") {
            patients.extend(PatientId::new(id)); // as it stands: numbers may hold commas
        }
        let mut lines = BTreeMap::new();
        if let Some(path) = run.text("patients") {
            let text = fs_err::read_to_string(Path::new(path)).or_usage()?;
            let text = text.trim_start_matches('\u{feff}'); // of Windows' editors
            for (number, line) in text.lines().enumerate() {
                if let Some(patient) = PatientId::new(line) {
                    patients.push(patient.clone());
                    lines.entry(patient).or_insert(number + 1);
                }
            }
        }
        if patients.is_empty() {
            let empty = run.has("patient") || run.has("patients");
            return if empty { Err(Failure::usage("no patient is named")) } else { Ok(None) };
        }
        patients.sort();
        patients.dedup();
        let (source, beside) = source(store, run.text("source"))?;
        let secret =
            store.private(Store::SECRET)?.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
                Failure::data("this store has no secret, so nobody can be found in it by number")
                    .remedy(SECRET)
            })?;
        Ok(Some(Self { source, beside, patients, lines, secret: Secret::new(secret) }))
    }

    /// Who of the file of patients is not among those found.
    pub(crate) fn missing(&self, found: &BTreeSet<&PatientKey>) -> Missing {
        let missing = self.lines.iter().filter(|(patient, _)| self.is_missing(patient, found));
        let mut lines: Vec<usize> = missing.map(|(_, line)| *line).collect();
        lines.sort_unstable();
        Missing { lines, of: self.lines.len() }
    }

    /// Whether nothing was found of one who has not withdrawn: they may stand under another source.
    pub(crate) fn misses(&self, found: &BTreeSet<&PatientKey>, withdrawn: &Withdrawn) -> bool {
        let withdrew = |patient: &PatientId| withdrawn.has(&self.source, patient);
        self.patients.iter().any(|patient| self.is_missing(patient, found) && !withdrew(patient))
    }

    fn is_missing(&self, patient: &PatientId, found: &BTreeSet<&PatientKey>) -> bool {
        !self.keys(patient).iter().any(|key| found.contains(key))
    }

    /// A patient's keys under the secret of now, as ingests of now and earlier ones made them.
    pub(crate) fn keys(&self, patient: &PatientId) -> Vec<PatientKey> {
        patient.spellings().iter().map(|id| self.secret.patient(&self.source, id)).collect()
    }
}

/// The collection asked for, one that the store knows, the only one where none is given; and the others of the same data sets.
fn source(store: &Store, given: Option<&str>) -> Result<(String, BTreeSet<String>)> {
    let mut known: Vec<BTreeSet<String>> = Vec::new();
    for name in store.refs_of("ingest")? {
        let mut ingests = vec![name.clone()];
        ingests.extend(History::of(store, &name).or_other()?.names);
        let mut of_dataset = BTreeSet::new();
        for ingest in ingests {
            let Dataset { manifest, .. } = History::open(store, &ingest).or_other()?;
            of_dataset.extend(manifest.counts.into_iter().map(|count| count.source));
        }
        known.push(of_dataset);
    }
    let all: BTreeSet<&String> = known.iter().flatten().collect();
    let list = all.iter().map(|source| source.as_str()).collect::<Vec<_>>().join(", ");
    let advice = format!("patients are told apart by source; the store has {list}");
    let source = match (given, all.len()) {
        (Some(source), _) if all.iter().any(|known| *known == source) => source.to_owned(),
        (Some(source), _) => {
            return Err(Failure::usage(format!("the store has no source `{source}`")).remedy(advice));
        }
        (None, 1) => all.into_iter().next().expect("there is one").clone(),
        (None, _) => return Err(Failure::usage("source=… is missing").remedy(advice)),
    };
    let beside = known.iter().filter(|of_dataset| of_dataset.contains(&source)).flatten();
    let beside = beside.filter(|other| **other != source).cloned().collect();
    Ok((source, beside))
}

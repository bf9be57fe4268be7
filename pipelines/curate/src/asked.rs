//! Patients as the user names them.

use std::{collections::BTreeSet, path::Path};

use cohort::{Dataset, History, Holding, Trace};
use schema::{IndexEntry, PatientId, PatientKey, Secret};
use stage::{Failure, Fallible, Parameters, Result, plural};
use store::{Lineage, Store};

const SECRET: &str = "copy the file `secret` of then into the store, or that of the store which this one was pulled from, and ask again";

/// The patients asked for, all of one source. Their numbers are never printed.
pub(crate) struct Asked {
    pub(crate) source: String,
    pub(crate) patients: Vec<PatientId>,
    pub(crate) secret: Secret,
}

impl Asked {
    /// Reads `patient=`, `patients=` and `source=`; `None` where neither patient is given.
    pub(crate) fn of(store: &Store, run: &Parameters) -> Result<Option<Self>> {
        let mut patients = Vec::new();
        if let Some(id) = run.text("patient") {
            patients.extend(PatientId::new(id));
        }
        if let Some(path) = run.text("patients") {
            let text = fs_err::read_to_string(Path::new(path)).or_usage()?;
            patients.extend(text.lines().filter_map(PatientId::new));
        }
        if patients.is_empty() {
            let empty = run.has("patient") || run.has("patients");
            return if empty { Err(Failure::usage("no patient is named")) } else { Ok(None) };
        }
        patients.sort();
        patients.dedup();
        let source = source(store, run.text("source"))?;
        let secret = store.private("secret")?.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
            Failure::data("this store has no secret, so nobody can be found in it by number").remedy(SECRET)
        })?;
        Ok(Some(Self { source, patients, secret: Secret::new(secret) }))
    }

    /// How many files of their source were read under another secret and not under this one: whether these are the
    /// patients' cannot be told.
    pub(crate) fn untold(&self, store: &Store, lineage: &Lineage) -> Result<usize> {
        let secret = self.secret.fingerprint();
        let of_source = |entry: &IndexEntry| entry.source == self.source;
        let all = Trace::of(store, lineage, of_source, |_| false).or_other()?;
        let (now, earlier): (Vec<_>, Vec<_>) =
            all.holdings.into_iter().partition(|holding| holding.secret == secret);
        let files = |holdings: Vec<Holding>| -> BTreeSet<String> {
            holdings.into_iter().flat_map(|holding| holding.images).map(|entry| entry.source_digest).collect()
        };
        Ok(files(earlier).difference(&files(now)).count())
    }

    /// Their keys.
    pub(crate) fn keys(&self) -> BTreeSet<PatientKey> {
        self.patients.iter().map(|patient| self.secret.patient(&self.source, patient)).collect()
    }
}

/// Fails where so many files may or may not be theirs.
pub(crate) fn check_told(untold: usize) -> Result<()> {
    if untold == 0 {
        return Ok(());
    }
    let message = format!(
        "whether {} of the store are of these patients cannot be told: read under another secret",
        plural(untold, "file")
    );
    Err(Failure::data(message).remedy(SECRET))
}

/// The collection asked for: one that the store knows, the only one where none is given.
fn source(store: &Store, given: Option<&str>) -> Result<String> {
    let mut known = BTreeSet::new();
    for name in store.refs_of("ingest")? {
        let mut ingests = vec![name.clone()];
        ingests.extend(History::of(store, &name).or_other()?.names);
        for ingest in ingests {
            let Dataset { manifest, .. } = History::open(store, &ingest).or_other()?;
            known.extend(manifest.counts.into_iter().map(|count| count.source));
        }
    }
    let list = known.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let advice = format!("patients are told apart by source; the store has {list}");
    match (given, known.len()) {
        (Some(source), _) if known.contains(source) => Ok(source.to_owned()),
        (Some(source), _) => {
            Err(Failure::usage(format!("the store has no source `{source}`")).remedy(advice))
        }
        (None, 1) => Ok(known.pop_first().expect("there is one")),
        (None, _) => Err(Failure::usage("source=… is missing").remedy(advice)),
    }
}

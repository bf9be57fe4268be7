//! Patients as the user names them.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::Path,
};

use cohort::{Dataset, History, Holding, Trace, Withdrawn};
use schema::{IndexEntry, PatientId, PatientKey, Secret};
use stage::{Failure, Fallible, Parameters, Result, plural};
use store::{Lineage, Store};

const SECRET: &str = "copy the file `secret` of then into the store, or that of the store which this one was pulled from, and ask again";

/// The patients asked for, all of one source. Their numbers are never printed.
pub(crate) struct Asked {
    pub(crate) source: String,
    pub(crate) patients: Vec<PatientId>,
    pub(crate) secret: Secret,
    /// Where each stands in the file of `patients=`.
    lines: BTreeMap<PatientId, usize>,
}

/// What the store holds of the patients.
pub(crate) struct Theirs {
    /// The patients' keys, also under earlier secrets as far as their files tell.
    pub(crate) keys: HashSet<PatientKey>,
    pub(crate) trace: Trace,
    /// Files in the store that may or may not be theirs.
    pub(crate) untold: usize,
    /// Their files that are other patients' too, by ingest.
    pub(crate) shared: BTreeMap<String, usize>,
}

impl Asked {
    /// Reads `patient=`, `patients=` and `source=`; `None` where neither patient is given.
    pub(crate) fn of(store: &Store, run: &Parameters) -> Result<Option<Self>> {
        let mut patients = Vec::new();
        if let Some(id) = run.text("patient") {
            if id.contains(',') {
                return Err(Failure::usage("patient= names one patient, and there is a comma in it")
                    .remedy("patients=FILE names several, a number a line"));
            }
            patients.extend(PatientId::new(id));
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
        let source = source(store, run.text("source"))?;
        let secret = store.private("secret")?.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
            Failure::data("this store has no secret, so nobody can be found in it by number").remedy(SECRET)
        })?;
        Ok(Some(Self { source, patients, lines, secret: Secret::new(secret) }))
    }

    /// Lines of the file of patients of whom nothing was found, and how many patients it has.
    pub(crate) fn not_found(&self, found: &BTreeSet<&PatientKey>) -> (Vec<usize>, usize) {
        let missing = self.lines.iter().filter(|(patient, _)| !found.contains(&self.key(patient)));
        let mut lines: Vec<usize> = missing.map(|(_, line)| *line).collect();
        lines.sort_unstable();
        (lines, self.lines.len())
    }

    /// What the store holds of them, under the secret of now and, where their files lead there, under earlier ones.
    pub(crate) fn theirs(&self, store: &Store, lineage: &Lineage) -> Result<Theirs> {
        let mut keys: HashSet<PatientKey> = self.patients.iter().map(|patient| self.key(patient)).collect();
        let trace = |keys: &HashSet<PatientKey>| {
            Trace::of(
                store,
                lineage,
                |entry| keys.contains(&entry.patient_key),
                |file| file.patient_key.as_ref().is_some_and(|key| keys.contains(key)),
            )
            .or_other()
        };
        let mut found = trace(&keys)?;
        let files: HashSet<String> =
            found.images().into_values().map(|entry| entry.source_digest.clone()).collect();
        let withdrawn = Withdrawn::of(store).or_other()?;
        let of_others = withdrawn.files_of_others_too(&self.source, &self.patients);
        let theirs = |file: &str| files.contains(file) || file.parse().is_ok_and(|file| of_others(&file));
        let same = Trace::of(store, lineage, |entry| theirs(&entry.source_digest), |_| false).or_other()?;
        let secret = self.secret.fingerprint();
        let (same, earlier): (Vec<_>, Vec<_>) =
            same.holdings.into_iter().partition(|holding| holding.secret == secret);
        let mut shared: BTreeMap<String, usize> = BTreeMap::new();
        for Holding { ingest, images, .. } in same {
            let others = images.iter().filter(|entry| !keys.contains(&entry.patient_key)).count();
            if let (Some(ingest), 1..) = (ingest, others) {
                *shared.entry(ingest).or_default() += others;
            }
        }
        let earlier = earlier.into_iter().flat_map(|holding| holding.images);
        let earlier = earlier.filter(|entry| files.contains(&entry.source_digest));
        let earlier: Vec<_> = earlier.map(|entry| entry.patient_key).collect();
        if !earlier.is_empty() {
            keys.extend(earlier);
            found = trace(&keys)?;
        }
        let untold = self.untold(store, lineage)?;
        Ok(Theirs { keys, trace: found, untold, shared })
    }

    /// How many files of their source were read under another secret and not under this one: whether these are the
    /// patients' cannot be told.
    fn untold(&self, store: &Store, lineage: &Lineage) -> Result<usize> {
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

    /// A patient's key under the secret of now.
    pub(crate) fn key(&self, patient: &PatientId) -> PatientKey {
        self.secret.patient(&self.source, patient)
    }
}

impl Theirs {
    /// Fails where files may be theirs, or are somebody else's as well.
    pub(crate) fn check_told(&self) -> Result<()> {
        if self.untold > 0 {
            let message = format!(
                "whether {} of the store are of these patients cannot be told: read under another secret",
                plural(self.untold, "file")
            );
            return Err(Failure::data(message).remedy(SECRET));
        }
        if self.shared.is_empty() {
            return Ok(());
        }
        let places: Vec<String> =
            self.shared.iter().map(|(ingest, files)| format!("{ingest} ({files})")).collect();
        Err(Failure::data(format!(
            "their files are other patients' too, and stay there: {}",
            places.join(", ")
        ))
        .remedy("if these are the same people, under an earlier number or source, forget them there as well: patient=… source=…"))
    }
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

//! What the store holds of some patients.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use cohort::{Holding, Trace, Withdrawn};
use schema::{IndexEntry, PatientKey};
use stage::{Failure, Fallible, Result, plural};
use store::{Lineage, Store};

use crate::asked::{Asked, SECRET};

/// What the store holds of the patients.
pub(crate) struct Theirs {
    /// The patients' keys, also under earlier secrets as far as their files tell.
    pub(crate) keys: HashSet<PatientKey>,
    pub(crate) trace: Trace,
    /// Files in the store that may or may not be theirs.
    pub(crate) untold: usize,
    /// Their files that are other patients' too, by ingest.
    pub(crate) shared: BTreeMap<String, usize>,
    /// Where nothing was found of one of them: the other sources of the same data sets.
    pub(crate) beside: BTreeSet<String>,
}

impl Theirs {
    /// Under the secret of now and, where their files lead there, under earlier ones.
    pub(crate) fn of(store: &Store, lineage: &Lineage, asked: &Asked) -> Result<Self> {
        let mut keys: HashSet<PatientKey> =
            asked.patients.iter().flat_map(|patient| asked.keys(patient)).collect();
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
        let of_others = withdrawn.files_of_others_too(&asked.source, &asked.patients);
        let theirs = |file: &str| files.contains(file) || file.parse().is_ok_and(|file| of_others(&file));
        let same = Trace::of(store, lineage, |entry| theirs(&entry.source_digest), |_| false).or_other()?;
        let secret = asked.secret.fingerprint();
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
        let untold = untold(store, lineage, asked)?;
        let mut theirs = Self { keys, trace: found, untold, shared, beside: BTreeSet::new() };
        if asked.misses(&theirs.found(), &withdrawn) {
            theirs.beside.clone_from(&asked.beside);
        }
        Ok(theirs)
    }

    /// Of whom something was found.
    pub(crate) fn found(&self) -> BTreeSet<&PatientKey> {
        let images = self.trace.holdings.iter().flat_map(|holding| &holding.images);
        let files = self.trace.set_aside.iter().filter_map(|file| file.patient_key.as_ref());
        images.map(|entry| &entry.patient_key).chain(files).collect()
    }

    /// Fails where files may be theirs, or are somebody else's as well.
    pub(crate) fn check_told(&self) -> Result<()> {
        if self.untold > 0 {
            let message = format!(
                "whether {} of the store are of these patients cannot be told: read under another secret",
                plural(self.untold, "file")
            );
            return Err(Failure::data(message).remedy(SECRET));
        }
        if !self.beside.is_empty() {
            let sources: Vec<&str> = self.beside.iter().map(String::as_str).collect();
            let message = format!(
                "nothing was found of one of them, and their data set has other sources: {}",
                sources.join(", ")
            );
            return Err(Failure::data(message).remedy("ask for them there as well: patient=… source=…"));
        }
        if self.shared.is_empty() {
            return Ok(());
        }
        let places: Vec<String> =
            self.shared.iter().map(|(ingest, files)| format!("{ingest} ({files})")).collect();
        Err(Failure::data(format!(
            "their files are other patients' too, and what was made of them there stands under these: {}",
            places.join(", ")
        ))
        .remedy("if these are the same people, under an earlier number or source, ask for them there as well: patient=… source=…"))
    }
}

/// How many files of their source were read under another secret and not under this one: whether these are the
/// patients' cannot be told.
fn untold(store: &Store, lineage: &Lineage, asked: &Asked) -> Result<usize> {
    let secret = asked.secret.fingerprint();
    let of_source = |entry: &IndexEntry| entry.source == asked.source;
    let all = Trace::of(store, lineage, of_source, |_| false).or_other()?;
    let (now, earlier): (Vec<_>, Vec<_>) =
        all.holdings.into_iter().partition(|holding| holding.secret == secret);
    let files = |holdings: Vec<Holding>| -> BTreeSet<String> {
        holdings.into_iter().flat_map(|holding| holding.images).map(|entry| entry.source_digest).collect()
    };
    Ok(files(earlier).difference(&files(now)).count())
}

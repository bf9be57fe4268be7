//! Patients who withdrew consent: no ingest brings them back.

use std::collections::{BTreeMap, BTreeSet};

use schema::{PatientId, PatientKey, Secret};
use serde::{Deserialize, Serialize};
use store::{Digest, Store};

use crate::Error;

/// The file beside the store's secret.
const FILE: &str = "withdrawn";

/// The store's list of patients who withdrew consent. It has a key of its own, so that it outlives a change of the
/// store's secret; nothing in it but keyed hashes and the names of collections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Withdrawn(Option<List>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct List {
    /// The key of `mark` and `files`, as hexadecimal digits.
    key: String,
    patients: BTreeSet<Member>,
    /// Files of these patients.
    files: BTreeSet<String>,
    /// By the mark of a patient, files that somebody else had as well: they stay, and may be the same person's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    of_others_too: BTreeMap<PatientKey, BTreeSet<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Member {
    source: String,
    /// The patient under the list's key.
    mark: PatientKey,
    /// The patient under the secret that the store had: what rows of that time are known by.
    patient_key: PatientKey,
}

impl List {
    fn secret(&self) -> Secret {
        let mut key = [0; 32];
        hex::decode_to_slice(&self.key, &mut key).expect("checked when it was read");
        Secret::new(key)
    }
}

impl Withdrawn {
    /// The list of this store.
    pub fn of(store: &Store) -> Result<Self, Error> {
        let Some(bytes) = store.private(FILE)? else { return Ok(Self(None)) };
        let damaged = |what: String| store::Error::Damaged { path: Self::path(store), what };
        let list: List = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        hex::decode_to_slice(&list.key, &mut [0; 32]).map_err(|error| damaged(error.to_string()))?;
        Ok(Self(Some(list)))
    }

    /// Changes the list as it is now, whole or not at all, and returns it; others who change it wait.
    pub fn change(store: &Store, change: impl FnOnce(&mut Self)) -> Result<Self, Error> {
        let _one_at_a_time = store.lock(FILE, |_| {})?;
        let mut list = Self::of(store)?;
        change(&mut list);
        list.save(store)?;
        Ok(list)
    }

    /// Where the list lies.
    pub fn path(store: &Store) -> std::path::PathBuf {
        store.root().join(FILE)
    }

    /// Whether nobody withdrew.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether this patient withdrew.
    pub fn has(&self, source: &str, patient: &PatientId) -> bool {
        self.0.as_ref().is_some_and(|list| {
            let secret = list.secret();
            let marks: Vec<_> = patient.spellings().iter().map(|id| secret.patient(source, id)).collect();
            list.patients.iter().any(|known| known.source == source && marks.contains(&known.mark))
        })
    }

    /// Whether the patient of this key withdrew, while the store had the secret that made the key.
    pub fn has_key(&self, patient: &PatientKey) -> bool {
        self.0.iter().flat_map(|list| &list.patients).any(|known| known.patient_key == *patient)
    }

    /// Whether this is known as a file of a patient who withdrew.
    pub fn has_file(&self, file: &Digest) -> bool {
        self.0.as_ref().is_some_and(|list| list.files.contains(&list.secret().file(&file.to_string())))
    }

    /// Tells the files that these patients had when they withdrew and others had as well.
    pub fn files_of_others_too(&self, source: &str, patients: &[PatientId]) -> impl Fn(&Digest) -> bool {
        let known = self.0.as_ref().filter(|list| !list.of_others_too.is_empty()).map(|list| {
            let secret = list.secret();
            let marks = patients.iter().map(|patient| secret.patient(source, patient));
            let files: BTreeSet<String> =
                marks.filter_map(|mark| list.of_others_too.get(&mark)).flatten().cloned().collect();
            (secret, files)
        });
        let known = known.filter(|(_, files)| !files.is_empty());
        move |file| {
            known.as_ref().is_some_and(|(secret, files)| files.contains(&secret.file(&file.to_string())))
        }
    }

    /// Names the patients of these collections: part of an ingest's key. `None` where none of them withdrew.
    pub fn fingerprint(&self, sources: &BTreeSet<String>) -> Option<String> {
        let patients = self.0.iter().flat_map(|list| &list.patients);
        let marks: BTreeSet<&str> = patients
            .filter(|patient| sources.contains(&patient.source))
            .map(|patient| patient.mark.as_str())
            .collect();
        let lines: String = marks.into_iter().flat_map(|mark| [mark, "\n"]).collect();
        (!lines.is_empty()).then(|| Digest::of(lines.as_bytes()).hex()[..16].to_owned())
    }

    /// Adds a patient; `secret` is the store's.
    pub fn add(&mut self, secret: &Secret, source: &str, patient: &PatientId) {
        let list = self.0.get_or_insert_with(|| List {
            key: hex::encode(rand::random::<[u8; 32]>()),
            patients: BTreeSet::new(),
            files: BTreeSet::new(),
            of_others_too: BTreeMap::new(),
        });
        let of_list = list.secret();
        for id in patient.spellings() {
            let (mark, patient_key) = (of_list.patient(source, &id), secret.patient(source, &id));
            list.patients.insert(Member { source: source.to_owned(), mark, patient_key });
        }
    }

    /// Adds files of patients who withdrew.
    pub fn add_files<'a>(&mut self, files: impl IntoIterator<Item = &'a Digest>) {
        let Some(list) = &mut self.0 else { return };
        let secret = list.secret();
        list.files.extend(files.into_iter().map(|file| secret.file(&file.to_string())));
    }

    /// Adds files of a patient who withdrew that others have as well.
    pub fn add_files_of_others_too<'a>(
        &mut self,
        source: &str,
        patient: &PatientId,
        files: impl IntoIterator<Item = &'a Digest>,
    ) {
        let Some(list) = &mut self.0 else { return };
        let secret = list.secret();
        let files: BTreeSet<String> = files.into_iter().map(|file| secret.file(&file.to_string())).collect();
        if !files.is_empty() {
            list.of_others_too.entry(secret.patient(source, patient)).or_default().extend(files);
        }
    }

    /// Writes the list.
    fn save(&self, store: &Store) -> Result<(), Error> {
        let Some(list) = &self.0 else { return Ok(()) };
        let text = serde_json::to_vec_pretty(list).expect("a list is plain data");
        Ok(store.put_private(FILE, &text)?)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_list_outlives_another_secret_and_tells_nobodys_number() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let [old, new] = [[1; 32], [2; 32]].map(Secret::new);
        let [one, other] = ["patient-0017", "patient-0018"].map(|id| PatientId::new(id).unwrap());
        let mut list = Withdrawn::of(&store).unwrap();
        assert!(list.is_empty() && !list.has("siim", &one));
        list.add(&old, "siim", &one);
        list.add_files([&Digest::of(b"file")]);
        list.save(&store).unwrap();

        let list = Withdrawn::of(&store).unwrap();
        assert!(list.has("siim", &one) && !list.has("siim", &other) && !list.has("elsewhere", &one));
        assert!(list.has_key(&old.patient("siim", &one)) && !list.has_key(&new.patient("siim", &one)));
        assert!(list.has_file(&Digest::of(b"file")) && !list.has_file(&Digest::of(b"other")));
        let sources = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(list.fingerprint(&sources(&["elsewhere"])), None);
        let alone = list.fingerprint(&sources(&["siim"]));
        let mut more = list.clone();
        more.add(&new, "siim", &one);
        assert_eq!(more.fingerprint(&sources(&["siim"])), alone, "the same patient under another secret");
        more.add(&new, "siim", &other);
        assert_ne!(more.fingerprint(&sources(&["siim", "elsewhere"])), alone);

        let shared = Digest::of(b"of others too");
        let mut more = list.clone();
        more.add_files_of_others_too("siim", &one, [&shared]);
        more.save(&store).unwrap();
        let text = fs_err::read_to_string(Withdrawn::path(&store)).unwrap();
        assert!(!text.contains(&shared.hex()) && text.contains("of_others_too"), "{text}");
        let more = Withdrawn::of(&store).unwrap();
        let of = |patients: &[PatientId], file: &Digest| more.files_of_others_too("siim", patients)(file);
        assert!(of(&[other.clone(), one.clone()], &shared) && !of(std::slice::from_ref(&other), &shared));
        assert!(!of(std::slice::from_ref(&one), &Digest::of(b"file")), "theirs alone");
        list.save(&store).unwrap();

        let text = fs_err::read_to_string(Withdrawn::path(&store)).unwrap();
        assert!(!text.contains("of_others_too"), "as earlier versions wrote it, and read again above");
        assert!(!text.contains("0017") && !text.contains(&Digest::of(b"file").hex()), "{text}");
        let mode = fs_err::metadata(Withdrawn::path(&store)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs_err::write(Withdrawn::path(&store), "{}").unwrap();
        assert!(matches!(Withdrawn::of(&store), Err(Error::Store(store::Error::Damaged { .. }))));
    }

    #[test]
    fn a_patient_of_an_earlier_ingest_stays_withdrawn_however_the_name_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let secret = Secret::new([1; 32]);
        let patient = PatientId::new("M\u{fc}ller").unwrap();
        let decomposed = patient.spellings().remove(1);
        let mut list = Withdrawn::of(&store).unwrap();
        list.add(&secret, "siim", &PatientId::new("17").unwrap());
        let known = list.0.as_mut().unwrap();
        let mark = known.secret().patient("siim", &decomposed);
        let patient_key = secret.patient("siim", &decomposed);
        known.patients.insert(Member { source: "siim".to_owned(), mark, patient_key });
        assert!(list.has("siim", &patient));
    }
}

//! Reading everything again.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use serde::Serialize;

use crate::{
    Digest, Holder, Record, RefName, RefTarget, Result, Store, action::read_json, lock::is_of_a_dead_process,
};

/// What is wrong with a thing in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// It is not as it was written, or cannot be read.
    Changed,
    /// Something leads to it, and it is not there.
    Missing,
    /// The store did not put it there.
    Foreign,
}

/// One thing that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Damage {
    /// The file, or for [`Fault::Foreign`] a folder.
    pub path: PathBuf,
    /// The kind of damage.
    pub fault: Fault,
    /// What is wrong with it, in words.
    pub what: String,
}

/// Something that is not damage but worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Warning {
    /// The file or folder.
    pub path: PathBuf,
    /// What is to be known of it.
    pub what: String,
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verification {
    /// Objects read.
    pub objects: usize,
    /// Bytes read.
    pub bytes: u64,
    /// What is wrong, each thing once, sorted by path.
    pub damage: Vec<Damage>,
    /// What follows from it: results of which an output is damaged or missing.
    pub incomplete: Vec<Record>,
    /// What follows from it: refs that lead to no complete result.
    pub broken: Vec<RefName>,
    /// What is no damage, sorted by path.
    pub warnings: Vec<Warning>,
}

impl Store {
    /// Hashes every object again, holds every result and ref to what names it, and looks for what does not belong here;
    /// `seen` is called with the size of each piece that was read, from several threads.
    ///
    /// Stages and collections may run meanwhile: what they put or take away is no damage. A ref that was deleted leaves
    /// no trace: to the store a name was forgotten.
    pub fn verify(&self, seen: impl Fn(u64) + Sync) -> Result<Verification> {
        let survey = self.survey();
        let mut found = Verification { objects: survey.objects.len(), ..Verification::default() };
        for path in survey.foreign {
            found.damaged(path, Fault::Foreign, "the store did not put it here");
        }
        for (path, why) in survey.unreadable {
            found.damaged(path, Fault::Changed, why);
        }
        found.check_objects(survey.objects, seen);
        let whole = self.check_results(&survey.results, &mut found)?;
        self.check_refs(&survey.refs, &whole, &mut found)?;
        for path in &survey.locks {
            match read_json::<Holder>(path) {
                Err(error) if path.exists() => found.damaged(path, Fault::Changed, error.to_string()),
                _ => {}
            }
        }
        self.check_own_files(&mut found);
        found.damage.sort();
        found.damage.dedup_by(|a, b| a.path == b.path);
        found.warnings.sort();
        Ok(found)
    }

    /// Returns the files of the results that are whole.
    fn check_results(
        &self,
        results: &[PathBuf],
        found: &mut Verification,
    ) -> Result<BTreeMap<PathBuf, Record>> {
        let bad: HashSet<PathBuf> = found.damage.iter().map(|damage| damage.path.clone()).collect();
        let mut whole = BTreeMap::new();
        let mut answers: BTreeMap<&Path, Vec<Record>> = BTreeMap::new();
        for path in results {
            let record = match Record::read(path) {
                Ok(record) => record,
                Err(_) if !path.exists() => continue, // collected just now
                Err(error) => {
                    found.damaged(path, Fault::Changed, error.to_string());
                    continue;
                }
            };
            let mut complete = true;
            for (name, digest) in &record.result.outputs {
                let object = self.object_path(digest);
                if bad.contains(&object) {
                    complete &= self.origin_has(digest)?;
                } else if !self.reaches(digest)? && path.exists() {
                    complete = false;
                    let what = format!("is missing: output {name} of {}", title(&record));
                    found.damaged(object, Fault::Missing, what);
                }
            }
            answers
                .entry(path.parent().expect("a result lies in a folder"))
                .or_default()
                .push(record.clone());
            if complete {
                whole.insert(path.clone(), record);
            } else {
                found.incomplete.push(record);
            }
        }
        for (folder, answers) in answers.into_iter().filter(|(_, answers)| answers.len() > 1) {
            let what = format!(
                "{} different results of the same {}: the stage is not deterministic; they differ in {}",
                answers.len(),
                answers[0].result.stage,
                differing(&answers).join(", ")
            );
            found.warnings.push(Warning { path: folder.to_owned(), what });
        }
        Ok(whole)
    }

    fn check_refs(
        &self,
        refs: &[(PathBuf, RefName)],
        whole: &BTreeMap<PathBuf, Record>,
        found: &mut Verification,
    ) -> Result<()> {
        for (path, name) in refs {
            let target: RefTarget = match read_json(path) {
                Ok(target) => target,
                Err(_) if !path.exists() => continue, // forgotten just now
                Err(error) => {
                    found.damaged(path, Fault::Changed, error.to_string());
                    found.broken.push(name.clone());
                    continue;
                }
            };
            let result = self.result_path(&target.key, &target.result);
            // It may have been made after the results were looked at.
            let record = match whole.get(&result) {
                Some(record) => Some(record.clone()),
                None => match Record::read(&result) {
                    Ok(record) if self.reaches_all(&record.result)? => Some(record),
                    _ => None,
                },
            };
            let damaged_output = found.incomplete.iter().any(|record| record.path == result);
            match record {
                Some(record) if !damaged_output => {
                    if record.target() != target {
                        found.damaged(path, Fault::Changed, "it does not fit the result that it names");
                        found.broken.push(name.clone());
                    }
                }
                _ => {
                    found.broken.push(name.clone());
                    if !result.exists() {
                        found.damaged(result, Fault::Missing, format!("is missing: ref {name} names it"));
                    }
                }
            }
        }
        Ok(())
    }

    fn check_own_files(&self, found: &mut Verification) {
        let secret = self.root().join(Self::SECRET);
        if let Ok(data) = fs_err::metadata(&secret) {
            if data.len() != 32 {
                found.damaged(&secret, Fault::Changed, "a secret has 32 bytes");
            } else if data.permissions().mode() & 0o077 != 0 {
                let what = "others can read it: chmod 600".to_owned();
                found.warnings.push(Warning { path: secret, what });
            }
        }
        let left = fs_err::read_dir(self.tmp()).into_iter().flatten().filter_map(std::result::Result::ok);
        for entry in left.filter(|entry| is_of_a_dead_process(&entry.file_name().to_string_lossy())) {
            let what = "left by a process that is gone; the next stage sweeps it away".to_owned();
            found.warnings.push(Warning { path: entry.path(), what });
        }
    }
}

impl Verification {
    fn check_objects(&mut self, mut objects: Vec<(PathBuf, String, u64)>, seen: impl Fn(u64) + Sync) {
        // The largest first, one by one: no core ends up with a long file while the others have nothing left.
        objects.sort_by_key(|(.., size)| std::cmp::Reverse(*size));
        let checked: Vec<(PathBuf, u64, Option<String>)> = objects
            .into_iter()
            .par_bridge()
            .map(|(path, hex, _)| match Digest::of_file_seen(&path, &seen) {
                Ok(digest) if digest.hex() == hex => (path, digest.size, None),
                Ok(digest) => {
                    let what = format!("its content does not match its name: it is that of {digest}");
                    (path, digest.size, Some(what))
                }
                Err(_) if !path.exists() => (path, 0, None), // collected just now
                Err(error) => (path, 0, Some(error.to_string())),
            })
            .collect();
        for (path, size, what) in checked {
            self.bytes += size;
            if let Ok(data) = fs_err::metadata(&path)
                && data.permissions().mode() & 0o222 != 0
            {
                let what =
                    format!("can be written to (mode {:04o}): chmod 444", data.permissions().mode() & 0o7777);
                self.warnings.push(Warning { path: path.clone(), what });
            }
            if let Some(what) = what {
                self.damaged(path, Fault::Changed, what);
            }
        }
    }

    fn damaged(&mut self, path: impl Into<PathBuf>, fault: Fault, what: impl Into<String>) {
        self.damage.push(Damage { path: path.into(), fault, what: what.into() });
    }
}

fn title(record: &Record) -> String {
    format!("{} result {}", record.result.stage, record.key.short())
}

/// The names of the outputs in which results differ.
pub(crate) fn differing(answers: &[Record]) -> Vec<String> {
    let pairs = answers.windows(2);
    let names: BTreeSet<&str> = pairs.flat_map(|pair| pair[0].result.differing(&pair[1].result)).collect();
    names.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ActionResult, Key};

    /// A store with a result of two outputs that has a name.
    fn store(folder: &Path) -> (Store, Record) {
        let store = Store::open(folder.join("s")).unwrap();
        let digests = [b"one", b"two"].map(|content| store.put_bytes(content).unwrap());
        let result = ActionResult {
            stage: "ingest".into(),
            document: serde_json::json!({"size": 256}),
            inputs: BTreeMap::new(),
            outputs: BTreeMap::from([("a".to_owned(), digests[0]), ("b".to_owned(), digests[1])]),
            provenance: serde_json::json!({"read": 2}),
        };
        let key = Key::of_document(&result.document);
        store.put_result(&key, &result).unwrap();
        store.set_ref("ingest", "siim", &key, &result).unwrap();
        let record = store.records().remove(0);
        (store, record)
    }

    #[test]
    fn flipped_and_missing_bytes_are_found_once_with_what_follows() {
        let folder = tempfile::tempdir().unwrap();
        let (store, record) = store(folder.path());
        assert_eq!(
            store.verify(|_| {}).unwrap(),
            Verification { objects: 2, bytes: 6, ..Verification::default() },
            "a clean store is clean"
        );

        let path = store.object_path(&record.result.outputs["a"]);
        fs_err::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        fs_err::write(&path, "onE").unwrap();
        for fault in [Fault::Changed, Fault::Missing] {
            let found = store.verify(|_| {}).unwrap();
            assert_eq!(
                found.damage.iter().map(|one| (&one.path, one.fault)).collect::<Vec<_>>(),
                [(&path, fault)]
            );
            assert_eq!(found.incomplete, std::slice::from_ref(&record));
            assert_eq!(found.broken.iter().map(ToString::to_string).collect::<Vec<_>>(), ["ingest/siim"]);
            assert_eq!(
                found.warnings.len(),
                usize::from(fault == Fault::Changed),
                "a writable object: {found:?}"
            );
            let _ = fs_err::remove_file(&path);
        }
    }

    #[test]
    fn what_a_running_stage_leaves_is_no_damage_and_two_answers_are_worth_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let (store, record) = store(folder.path());
        let work = store.temporary_folder().unwrap();
        fs_err::write(work.path().join("half"), "a shar").unwrap();
        let _lock = store.lock("key", |_| {}).unwrap();
        store.secret().unwrap();
        assert_eq!(
            (store.verify(|_| {}).unwrap().damage, store.verify(|_| {}).unwrap().warnings),
            (vec![], vec![])
        );

        let mut other = record.result.clone();
        other.outputs.insert("b".to_owned(), store.put_bytes(b"another two").unwrap());
        store.put_result(&record.key, &other).unwrap();
        let found = store.verify(|_| {}).unwrap();
        assert_eq!(found.damage, []);
        assert!(found.warnings[0].what.ends_with(" in b"), "{}", found.warnings[0].what);
    }
}

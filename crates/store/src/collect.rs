//! Freeing what no ref reaches.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::{
    ActionResult, PIN, Record, RefName, Result, Step, Store, action::read_json, if_there, object::RECENT,
};

/// What a stage takes up counts as made when the stage began, less this: such a file is only marked as young again when
/// it is older than [`RECENT`], and the clocks of a file server and of its clients differ.
const BEFORE_A_STAGE: Duration = Duration::from_secs(2 * RECENT.as_secs());

/// What a collection frees.
#[derive(Clone, Debug, PartialEq)]
pub struct Collection {
    /// Nothing younger than this goes.
    cutoff: SystemTime,
    /// Refs that go, whatever their age.
    pub refs: Vec<RefName>,
    /// Results that no other ref names: deleted before objects, so that none is ever left without its objects.
    pub results: Vec<Record>,
    /// Objects that no kept result names.
    pub objects: Vec<PathBuf>,
    /// Bytes of those objects.
    pub bytes: u64,
    /// Folders of what unfinished stages have so far, which nobody goes on with.
    pub unfinished: Vec<PathBuf>,
}

impl Store {
    /// What can be freed: results that no ref names and objects that no kept result names, all older than `lease` and
    /// older than every stage that runs now (it publishes objects some time before the ref that keeps them). A lease of
    /// zero is for when nothing else runs.
    ///
    /// Outputs are reached through results alone. Being an input of a result keeps nothing: what a model was trained on
    /// stays as long as the ingest that made it has a name.
    pub fn unreachable(&self, lease: Duration) -> Result<Collection> {
        self.unreachable_without(lease, Vec::new())
    }

    /// Like [`Store::unreachable`], as if these refs were gone; [`Store::collect`] removes them.
    pub fn unreachable_without(&self, lease: Duration, refs: Vec<RefName>) -> Result<Collection> {
        let cutoff = self.cutoff(lease)?;
        let named = self.named(|name| !refs.contains(name))?;
        let (freed, kept): (Vec<_>, Vec<_>) =
            self.result_files().into_iter().partition(|path| !named.contains(path) && older(path, cutoff));
        let mut reached = HashSet::new();
        for path in kept {
            let result: ActionResult = match read_json(&path) {
                Err(_) if !path.exists() => continue, // another collection was faster
                result => result?,
            };
            reached.extend(result.outputs.values().map(|digest| self.object_path(digest)));
        }
        let objects: Vec<PathBuf> = self
            .object_files()
            .into_iter()
            .filter(|path| !reached.contains(path) && older(path, cutoff))
            .collect();
        let bytes =
            objects.iter().filter_map(|path| fs_err::metadata(path).ok()).map(|data| data.len()).sum();
        let mut results = Vec::new();
        for path in freed {
            match Record::read(&path) {
                Err(_) if !path.exists() => {} // another collection was faster
                record => results.push(record?),
            }
        }
        let unfinished = self.old_unfinished(cutoff)?;
        Ok(Collection { cutoff, refs, results, objects, bytes, unfinished })
    }

    /// The refs beyond the `newest` ones of each stage, by when their results were made or last taken up. Pins, and names of
    /// what is pinned, are not among them.
    pub fn outdated(&self, newest: usize) -> Result<Vec<RefName>> {
        let mut outdated = Vec::new();
        let pinned = self.named(|name| name.stage == PIN)?;
        for stage in self.stages()?.into_iter().filter(|stage| stage != PIN) {
            let mut names = Vec::new();
            for name in self.refs_of(&stage)? {
                let Some(target) = self.ref_target(&stage, &name)? else { continue };
                let result = self.result_path(&target.key, &target.result);
                if pinned.contains(&result) {
                    continue;
                }
                let used = modified(&result);
                names.push((used, RefName { stage: stage.clone(), name }));
            }
            names.sort();
            names.truncate(names.len().saturating_sub(newest));
            outdated.extend(names.into_iter().map(|(_, name)| name));
        }
        Ok(outdated)
    }

    /// Deletes what [`Store::unreachable`] listed, but for what a stage has taken up since.
    pub fn collect(&self, collection: &Collection) -> Result<()> {
        for RefName { stage, name } in &collection.refs {
            self.remove_ref(stage, name)?;
        }
        if !collection.results.is_empty() {
            self.free_results(collection)?;
        }
        let folder = self.temporary_folder()?;
        for path in &collection.objects {
            if let Some(aside) = self.take_away(path, folder.path(), collection.cutoff)? {
                fs_err::remove_file(aside)?;
            }
        }
        self.drop_old_unfinished(&collection.unfinished, collection.cutoff)?;
        self.sweep_temporary()
    }

    /// Deletes the results that are still old and that no ref names by now. Refs are looked at after the results are
    /// away, as whoever sets a ref looks for the result afterwards (see [`Store::set_ref`]).
    fn free_results(&self, collection: &Collection) -> Result<()> {
        let folder = self.temporary_folder()?;
        let mut away = Vec::new();
        let outcome = collection.results.iter().try_for_each(|Record { path, .. }| {
            let aside = self.take_away(path, folder.path(), collection.cutoff)?;
            away.extend(aside.map(|aside| (path, aside)));
            Ok(())
        });
        let named = self.named(|_| true);
        for (path, aside) in away {
            if named.as_ref().map_or(true, |named| named.contains(path)) {
                let _ = fs_err::hard_link(&aside, path); // unless it has been made again
            }
        }
        outcome.and(named.map(|_| ()))
    }

    /// Moves a file that is older than `cutoff` into this folder, and returns where
    /// it is then. It is looked at once more when it is away: whoever takes it up marks it as young first and then looks
    /// whether it is still there.
    pub(crate) fn take_away(
        &self,
        path: &Path,
        folder: &Path,
        cutoff: SystemTime,
    ) -> Result<Option<PathBuf>> {
        if !older(path, cutoff) {
            return Ok(None);
        }
        self.steps().before(Step::Remove, path)?;
        let name =
            path.strip_prefix(self.root()).expect("a store's file").to_string_lossy().replace('/', "-");
        let aside = folder.join(name);
        if if_there(fs_err::rename(path, &aside))?.is_none() {
            return Ok(None); // another collection was faster
        }
        if older(&aside, cutoff) {
            return Ok(Some(aside));
        }
        let _ = fs_err::hard_link(&aside, path); // unless it has been made again
        fs_err::remove_file(&aside)?;
        Ok(None)
    }

    /// The files of the results that these refs name.
    fn named(&self, which: impl Fn(&RefName) -> bool) -> Result<HashSet<PathBuf>> {
        let mut named = HashSet::new();
        for name in self.all_refs()?.iter().filter(|name| which(name)) {
            if let Some(target) = self.ref_target(&name.stage, &name.name)? {
                named.insert(self.result_path(&target.key, &target.result));
            }
        }
        Ok(named)
    }

    /// Nothing younger is ever freed.
    fn cutoff(&self, lease: Duration) -> Result<SystemTime> {
        let leased = SystemTime::now() - lease;
        let running = self.oldest_lock()?.map(|since| SystemTime::from(since) - BEFORE_A_STAGE);
        Ok(running.map_or(leased, |running| leased.min(running)))
    }
}

/// Whether a file was last modified at `cutoff` or before; a file that is gone was not.
fn older(path: &Path, cutoff: SystemTime) -> bool {
    modified(path).is_some_and(|modified| modified <= cutoff)
}

/// When a file was last modified, which is when it was last taken up.
pub(crate) fn modified(path: &Path) -> Option<SystemTime> {
    fs_err::metadata(path).and_then(|data| data.modified()).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Digest, Key};

    #[test]
    fn what_a_ref_reaches_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let shared = store.put_bytes(b"shared").unwrap();
        for (name, named) in [("kept", true), ("old", false)] {
            let own = store.put_bytes(name.as_bytes()).unwrap();
            let result = ActionResult {
                stage: "train".into(),
                document: name.into(),
                inputs: BTreeMap::new(),
                outputs: BTreeMap::from([("own".to_owned(), own), ("shared".to_owned(), shared)]),
                provenance: serde_json::Value::Null,
            };
            let key = Key::of_document(&result.document);
            store.put_result(&key, &result).unwrap();
            if named {
                store.set_ref("train", name, &key, &result).unwrap();
            }
        }
        let leased = store.unreachable(Duration::from_hours(1)).unwrap();
        assert_eq!((leased.results.len(), leased.objects.len()), (0, 0), "all are young");
        let free = store.unreachable(Duration::ZERO).unwrap();
        assert_eq!((free.results.len(), free.objects.len(), free.bytes), (1, 1, 3));
        store.collect(&free).unwrap();
        assert!(store.verify(|_| {}).unwrap().damage.is_empty());
        assert!(store.resolve("train", "kept").unwrap().is_some());
    }

    fn age(store: &Store, digest: &Digest, seconds: u64) {
        let file = fs_err::File::open(store.object_path(digest)).unwrap();
        file.file().set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    }

    #[test]
    fn what_a_running_stage_may_need_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let [old, young] =
            [b"made long before".as_slice(), b"made by the stage"].map(|text| store.put_bytes(text).unwrap());
        age(&store, &old, 7200);
        let lock = store.lock("key", |_| {}).unwrap();
        let free = store.unreachable(Duration::ZERO).unwrap();
        assert_eq!(free.objects, [store.object_path(&old)]);
        store.collect(&free).unwrap();
        assert!(store.has(&young) && !store.has(&old));
        drop(lock);
        assert_eq!(store.unreachable(Duration::ZERO).unwrap().objects, [store.object_path(&young)]);
    }

    #[test]
    fn what_is_taken_up_again_after_the_listing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let digest = store.put_bytes(b"shared").unwrap();
        age(&store, &digest, 7200);
        let free = store.unreachable(Duration::from_hours(1)).unwrap();
        assert_eq!(free.objects.len(), 1);
        store.put_bytes(b"shared").unwrap(); // another stage makes the same bytes and finds them here
        store.collect(&free).unwrap();
        assert!(store.has(&digest));
    }

    fn named(store: &Store, name: &str, seconds: u64) {
        let result = ActionResult {
            stage: "train".into(),
            document: name.into(),
            inputs: BTreeMap::new(),
            outputs: BTreeMap::from([("model".to_owned(), store.put_bytes(name.as_bytes()).unwrap())]),
            provenance: serde_json::Value::Null,
        };
        let key = Key::of_document(&result.document);
        store.put_result(&key, &result).unwrap();
        store.set_ref("train", name, &key, &result).unwrap();
        let file = fs_err::File::open(store.result_path(&key, &result.fingerprint())).unwrap();
        file.file().set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
        age(store, &result.outputs["model"], seconds);
    }

    #[test]
    fn only_the_newest_names_stay_and_pins_besides() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        for (name, hours) in [("a", 9), ("b", 3), ("c", 6), ("d", 12)] {
            named(&store, name, hours * 3600);
        }
        let (key, result) = store.resolve("train", "d").unwrap().unwrap();
        store.set_ref(PIN, "paper", &key, &result).unwrap();
        let outdated = store.outdated(2).unwrap();
        assert_eq!(outdated.iter().map(ToString::to_string).collect::<Vec<_>>(), ["train/a"]);
        let free = store.unreachable_without(Duration::from_hours(1), outdated).unwrap();
        assert_eq!(free.results.len(), 1, "a goes");
        store.collect(&free).unwrap();
        assert_eq!(store.refs_of("train").unwrap(), ["b", "c", "d"], "d is pinned");
        assert!(store.resolve(PIN, "paper").unwrap().is_some());
        assert_eq!(store.verify(|_| {}).unwrap().damage, []);
    }

    #[test]
    fn an_input_alone_keeps_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        named(&store, "ingested", 7200);
        let (_, ingested) = store.resolve("train", "ingested").unwrap().unwrap();
        let result = ActionResult {
            document: "model".into(),
            inputs: BTreeMap::from([("train".to_owned(), ingested.outputs.values().copied().collect())]),
            outputs: BTreeMap::from([("model".to_owned(), store.put_bytes(b"weights").unwrap())]),
            ..ingested
        };
        let key = Key::of_document(&result.document);
        store.put_result(&key, &result).unwrap();
        store.set_ref("train", "model", &key, &result).unwrap();
        store.remove_ref("train", "ingested").unwrap();
        let free = store.unreachable(Duration::from_hours(1)).unwrap();
        assert_eq!((free.results.len(), free.objects.len()), (1, 1));
    }

    #[test]
    fn what_is_named_while_it_is_being_freed_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        named(&store, "model", 7200);
        let (key, result) = store.resolve("train", "model").unwrap().unwrap();
        store.remove_ref("train", "model").unwrap();
        let free = store.unreachable(Duration::from_hours(1)).unwrap();
        assert_eq!(free.results.len(), 1);
        // Another stage asks the same question and names the answer: before or after the result is taken away.
        for collected_first in [false, true] {
            if collected_first {
                store.remove(&free.results[0].path).unwrap();
            }
            store.set_ref("train", "again", &key, &result).unwrap();
            assert!(store.resolve("train", "again").unwrap().is_some(), "{collected_first}");
            store.free_results(&free).unwrap();
            assert!(store.resolve("train", "again").unwrap().is_some(), "{collected_first}");
        }
    }
}

//! Where the refs of a store elsewhere pointed when this store last agreed with it: what tells a ref that moved there
//! from one that moved here. Losing the memory makes every difference a conflict, nothing worse.

use std::collections::BTreeMap;

use store::{Digest, RefName, RefTarget, Result, Store};

use crate::Remote;

pub(crate) struct Sightings {
    file: String,
    seen: BTreeMap<String, RefTarget>,
}

impl Sightings {
    pub(crate) fn of(store: &Store, remote: &dyn Remote) -> Self {
        let file = format!("refs-of-{}.json", Digest::of(remote.address().as_bytes()).short());
        let seen = store.recall(&file).and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self { file, seen: seen.unwrap_or_default() }
    }

    pub(crate) fn get(&self, name: &RefName) -> Option<RefTarget> {
        self.seen.get(&name.to_string()).copied()
    }

    pub(crate) fn set(&mut self, name: &RefName, target: RefTarget) {
        self.seen.insert(name.to_string(), target);
    }

    pub(crate) fn save(&self, store: &Store) -> Result<()> {
        store.remember(&self.file, &serde_json::to_vec(&self.seen).expect("sightings are plain data"))
    }
}

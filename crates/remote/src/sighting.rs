//! Where the refs of a store elsewhere pointed when this store last agreed with it: what tells a ref that moved there
//! from one that moved here. Losing the memory makes every difference a conflict, nothing worse.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use store::{Digest, RefName, RefTarget, Result, Store};

use crate::Remote;

/// A ref as both stores agreed on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sighting {
    #[serde(flatten)]
    pub(crate) target: RefTarget,
    /// What [`Remote::refs`] said of it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mark: Option<String>,
}

/// All of them, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sightings(BTreeMap<String, Sighting>);

impl Sightings {
    pub(crate) fn of(store: &Store, remote: &dyn Remote) -> Self {
        let bytes = store.recall(&file(&remote.identity()));
        let seen = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self(seen.unwrap_or_default())
    }

    pub(crate) fn get(&self, name: &RefName) -> Option<&Sighting> {
        self.0.get(&name.to_string())
    }

    /// The names that were seen.
    pub(crate) fn names(&self) -> impl Iterator<Item = RefName> {
        self.0.keys().filter_map(|name| name.parse().ok())
    }

    /// Where all of them pointed.
    pub(crate) fn targets(&self) -> impl Iterator<Item = RefTarget> {
        self.0.values().map(|sighting| sighting.target)
    }

    /// Remembers these as well. Processes wait for each other, so that none forgets what another has seen.
    pub(crate) fn add(
        store: &Store,
        remote: &dyn Remote,
        seen: impl IntoIterator<Item = (RefName, Sighting)>,
    ) -> Result<()> {
        Self::change(store, remote, |all| {
            all.extend(seen.into_iter().map(|(name, sighting)| (name.to_string(), sighting)));
        })
    }

    /// Forgets these.
    pub(crate) fn forget(store: &Store, remote: &dyn Remote, names: &[RefName]) -> Result<()> {
        Self::change(store, remote, |all| {
            all.retain(|seen, _| names.iter().all(|name| name.to_string() != *seen));
        })
    }

    fn change(
        store: &Store,
        remote: &dyn Remote,
        change: impl FnOnce(&mut BTreeMap<String, Sighting>),
    ) -> Result<()> {
        let _lock = store.lock(&Digest::of(file(&remote.identity()).as_bytes()).hex(), |_| {})?;
        let before = Self::of(store, remote);
        let mut after = Self(before.0.clone());
        change(&mut after.0);
        if after == before {
            return Ok(());
        }
        store.remember(
            &file(&remote.identity()),
            &serde_json::to_vec(&after.0).expect("sightings are plain data"),
        )
    }
}

fn file(identity: &str) -> String {
    format!("refs-of-{}.json", Digest::of(identity.as_bytes()).short())
}

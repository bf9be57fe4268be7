//! Where files that were set aside lie: for the curator at this store, and nobody else.

use std::collections::{BTreeMap, HashSet};

use schema::ImageId;
use store::Store;

use crate::Error;

/// The file beside the store's secret. No push takes it along.
const FILE: &str = "set-aside";

/// The paths of the files that the last ingests set aside. Paths may name patients, so tables of such files hold keyed hashes
/// in their place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetAside(BTreeMap<String, BTreeMap<String, String>>);

impl SetAside {
    /// Those of this store; none where it was pulled.
    pub fn of(store: &Store) -> Result<Self, Error> {
        let Some(bytes) = store.private(FILE)? else { return Ok(Self::default()) };
        let damaged = |error: serde_json::Error| store::Error::Damaged {
            path: store.root().join(FILE),
            what: error.to_string(),
        };
        Ok(Self(serde_json::from_slice(&bytes).map_err(damaged)?))
    }

    /// The path of a file of a data set, in its folder; `None` where only the store that read it knows.
    pub fn path(&self, dataset: &str, image: &ImageId) -> Option<&str> {
        Some(self.0.get(dataset)?.get(image.as_str())?)
    }

    /// Remembers the files of a data set by image, in place of those of before.
    pub fn replace(store: &Store, dataset: &str, paths: BTreeMap<String, String>) -> Result<(), Error> {
        Self::change(store, |files| {
            files.insert(dataset.to_owned(), paths);
        })
    }

    /// Forgets these images' files in every data set.
    pub fn forget(store: &Store, images: &HashSet<&ImageId>) -> Result<(), Error> {
        let gone: HashSet<&str> = images.iter().map(|image| image.as_str()).collect();
        Self::change(store, |files| {
            for paths in files.values_mut() {
                paths.retain(|image, _| !gone.contains(image.as_str()));
            }
        })
    }

    fn change(
        store: &Store,
        change: impl FnOnce(&mut BTreeMap<String, BTreeMap<String, String>>),
    ) -> Result<(), Error> {
        let _one_at_a_time = store.lock(FILE, |_| {})?;
        let before = Self::of(store)?;
        let mut now = before.clone();
        change(&mut now.0);
        now.0.retain(|_, paths| !paths.is_empty());
        if now != before {
            let text = serde_json::to_vec_pretty(&now.0).expect("paths are plain text");
            store.put_private(FILE, &text)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_set_has_the_files_of_its_last_ingest_but_those_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("s")).unwrap();
        let [one, other] = ["1", "2"].map(ImageId::from_stored);
        let paths = |images: &[&ImageId]| {
            images.iter().map(|image| (image.to_string(), format!("{image}.dcm"))).collect()
        };
        SetAside::replace(&store, "siim", paths(&[&one])).unwrap();
        SetAside::replace(&store, "siim", paths(&[&one, &other])).unwrap();
        SetAside::replace(&store, "table", paths(&[&other])).unwrap();
        SetAside::forget(&store, &HashSet::from([&other])).unwrap();
        let files = SetAside::of(&store).unwrap();
        assert_eq!(files.path("siim", &one), Some("1.dcm"));
        assert_eq!([files.path("siim", &other), files.path("table", &other)], [None, None]);
    }
}

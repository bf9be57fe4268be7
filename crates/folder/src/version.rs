//! The versions of a folder, and their names.

use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use serde_json::json;
use store::{ActionResult, Digest, FileDigests, Key, Store};

use crate::{Listing, Result};

/// Under which stage the store keeps folders.
pub const STAGE: &str = "folder";

/// Raised when the same listing would be kept in another way.
const FORMAT: u32 = 1;

const LISTING: &str = "listing";

/// A kept folder.
#[derive(Clone, Debug)]
pub struct Version {
    /// What is in it.
    pub listing: Listing,
    /// The listing's digest: the folder's name by content.
    pub digest: Digest,
    /// Its packs.
    pub(crate) packs: Vec<Digest>,
    /// Every object, the listing's among them.
    pub(crate) result: ActionResult,
    key: Key,
}

impl Version {
    /// The version of this name: `<name>.<number>`, or `<name>` for the last one.
    pub fn open(store: &Store, name: &str) -> Result<Option<Self>> {
        let Some((key, result)) = store.resolve(STAGE, name)? else { return Ok(None) };
        Self::of(store, key, result).map(Some)
    }

    fn of(store: &Store, key: Key, result: ActionResult) -> Result<Self> {
        let digest = *result.output(LISTING)?;
        let listing = Listing::from_csv(&store.read(&digest)?)
            .map_err(|what| store::Error::Damaged { path: store.object_path(&digest), what })?;
        let packs = result.outputs.iter().filter(|(name, _)| name.starts_with("pack-"));
        let packs = packs.map(|(_, digest)| *digest).collect();
        Ok(Self { listing, digest, packs, result, key })
    }

    /// Publishes a version: the listing, its packs, the large files.
    pub(crate) fn publish(
        store: &Store,
        listing: &[u8],
        packs: impl IntoIterator<Item = Digest>,
        files: impl IntoIterator<Item = Digest>,
    ) -> Result<Self> {
        let digest = store.put_bytes(listing)?;
        let document = json!({ "stage": STAGE, "version": FORMAT, "listing": digest });
        let key = Key::of(document.to_string().as_bytes());
        if let Some(result) = store.result(&key)? {
            return Self::of(store, key, result); // kept before, perhaps in other packs
        }
        let mut result = ActionResult {
            stage: STAGE.to_owned(),
            document,
            inputs: [].into(),
            outputs: [(LISTING.to_owned(), digest)].into(),
            provenance: serde_json::Value::Null,
        };
        result.outputs.extend(packs.into_iter().map(|pack| (format!("pack-{}", pack.hex()), pack)));
        result.outputs.extend(files.into_iter().map(|file| (format!("file-{}", file.hex()), file)));
        store.put_result(&key, &result)?;
        Self::of(store, key, result)
    }

    /// Names it `<name>`, and `<name>.<number>` unless it is the last one of these. Returns the latter name.
    pub(crate) fn record(&self, store: &Store, name: &str) -> Result<String> {
        let last = versions(store, name)?.pop();
        let same = match &last {
            Some(last) => store.ref_target(STAGE, last)?.is_some_and(|target| target.key == self.key),
            None => false,
        };
        let numbered = match last {
            Some(last) if same => last,
            last => format!("{name}.{}", last.and_then(|last| number(name, &last)).unwrap_or(0) + 1),
        };
        store.set_ref(STAGE, &numbered, &self.key, &self.result)?;
        store.set_ref(STAGE, name, &self.key, &self.result)?;
        Ok(numbered)
    }
}

/// The names of a folder's versions, the first one first.
pub fn versions(store: &Store, name: &str) -> Result<Vec<String>> {
    let mut names = store.refs_of(STAGE)?;
    names.retain(|version| number(name, version).is_some());
    names.sort_by_key(|version| number(name, version));
    Ok(names)
}

fn number(name: &str, version: &str) -> Option<u64> {
    version.strip_prefix(name)?.strip_prefix('.')?.parse().ok()
}

/// What is known of the files of the folder of this name.
pub(crate) fn memory(store: &Store, name: &str) -> FileDigests {
    FileDigests::open(store, &format!("{STAGE}.{name}"))
}

/// Where the folder of this name lay when it was kept last.
pub fn root(store: &Store, name: &str) -> Option<PathBuf> {
    store.recall(&format!("{STAGE}.{name}.path")).map(|bytes| OsString::from_vec(bytes).into())
}

pub(crate) fn set_root(store: &Store, name: &str, root: &Path) -> Result<()> {
    let bytes = root.as_os_str().as_bytes();
    let name = format!("{STAGE}.{name}.path");
    if store.recall(&name).as_deref() == Some(bytes) { Ok(()) } else { Ok(store.remember(&name, bytes)?) }
}

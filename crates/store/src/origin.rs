//! The store that a store is a cache of.

use std::{fmt, path::PathBuf, sync::Arc};

use crate::{ActionResult, Digest, Error, Key, MARKS, RefName, RefTarget, Result, Store, steps::Unwatched};

/// The file that says what a store is a cache of.
pub(crate) const ORIGIN: &str = "origin";

/// What a cache asks of the store that it stands in front of. Calls come from several threads.
pub trait Origin: fmt::Debug + Send + Sync {
    /// Where it is: what opens it, and this cache with it.
    fn address(&self) -> &str;

    /// Whether it promised this object: by a result of its own, which it has only with its objects.
    fn promises(&self, digest: &Digest) -> bool;

    /// Whether it has this object. Asks every time.
    fn has(&self, digest: &Digest) -> Result<bool>;

    /// Brings an object into the cache.
    fn bring(&self, digest: &Digest) -> Result<()>;

    /// Brings the results under this key, without their objects.
    fn bring_results(&self, cache: &Store, key: &Key) -> Result<()>;

    /// Publishes what a name leads to that was set in the cache, and then the name.
    fn publish(&self, cache: &Store, name: &RefName, target: &RefTarget) -> Result<()>;
}

impl Store {
    /// Opens the store in `root`, which must be new or be a cache of `origin` already (its address, and whatever else
    /// tells it from others). It is a store by itself until it stands [in front of](Store::in_front_of) that origin.
    ///
    /// # Errors
    /// [`Error::NotAStore`] when it is something else.
    pub fn open_cache(root: impl Into<PathBuf>, origin: &str) -> Result<Self> {
        let store = Self::open_any(root.into(), Arc::new(Unwatched))?;
        let found = store.private(ORIGIN)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        match found {
            Some(found) if found == origin => Ok(store),
            Some(found) => Err(store.is_not(format!("it is a cache of {found}, not of {origin}"))),
            None if store.files().len() <= MARKS.len() => {
                store.put_private(ORIGIN, origin.as_bytes())?;
                Ok(store)
            }
            None => Err(store.is_not("it is a store by itself, not a cache".to_owned())),
        }
    }

    /// This store, as a cache of `origin`: what is not here is brought when it is needed, and what gets a name is
    /// published there.
    #[must_use]
    pub fn in_front_of(&self, origin: Arc<dyn Origin>) -> Self {
        let mut cache = self.clone();
        cache.origin = Some(origin);
        cache
    }

    /// The store that this one is a cache of.
    pub fn origin(&self) -> Option<&dyn Origin> {
        self.origin.as_deref()
    }

    /// What opens this store in another program: its folder, or the address of the store that it is a cache of.
    pub fn address(&self) -> String {
        self.origin().map_or_else(|| self.root().display().to_string(), |origin| origin.address().to_owned())
    }

    /// Whether an object is here, or can be brought.
    pub fn reaches(&self, digest: &Digest) -> Result<bool> {
        Ok(self.has(digest) || self.origin_has(digest)?)
    }

    /// Whether that holds of all outputs of a result.
    pub fn reaches_all(&self, result: &ActionResult) -> Result<bool> {
        for digest in result.outputs.values() {
            if !self.reaches(digest)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the store that this one is a cache of has an object; `false` for a store by itself.
    pub(crate) fn origin_has(&self, digest: &Digest) -> Result<bool> {
        let Some(origin) = self.origin() else { return Ok(false) };
        Ok(origin.promises(digest) || origin.has(digest)?)
    }

    /// Like [`Store::object`], but brings nothing.
    pub(crate) fn must_reach(&self, digest: &Digest) -> Result<()> {
        if self.reaches(digest)? { Ok(()) } else { Err(self.absent(digest)) }
    }

    pub(crate) fn is_not(&self, what: String) -> Error {
        Error::NotAStore { path: self.root().to_owned(), what }
    }
}

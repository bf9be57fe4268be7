//! A store elsewhere, as a local store sees it.

use std::{collections::BTreeMap, fmt, io::Write, path::Path};

use store::{Digest, Key, RefName, RefTarget, Result, Swap};

/// A store elsewhere: laid out as a local one, reached otherwise. Every call returns when it is done; calls come from
/// several threads at once. Whatever is given to it must be given in the order of publishing: objects, then results,
/// then refs.
pub trait Remote: fmt::Debug + Send + Sync {
    /// Where it is, for people.
    fn address(&self) -> &str;

    /// What tells it from every other store: its address and the server.
    fn identity(&self) -> String {
        self.address().to_owned()
    }

    /// Whether an object of this name and size is there. Does not read it.
    fn has(&self, digest: &Digest) -> Result<bool>;

    /// Writes an object's content into `into`, which checks what arrives: see [`store::Incoming`].
    fn fetch(&self, digest: &Digest, into: &mut dyn Write) -> Result<()>;

    /// Publishes the content of a file, which must be the object; `sent` is called with each count of bytes that has
    /// arrived. When this fails, nothing is visible there that is not whole.
    fn offer(&self, digest: &Digest, file: &Path, sent: &(dyn Fn(u64) + Sync)) -> Result<()>;

    /// The file of the result that a ref points to.
    fn result(&self, target: &RefTarget) -> Result<Option<Vec<u8>>>;

    /// The files of all results under a key.
    fn results(&self, key: &Key) -> Result<Vec<Vec<u8>>>;

    /// Publishes the file of a result, unless there is one; its outputs must have been published before.
    fn put_result(&self, target: &RefTarget, file: &[u8]) -> Result<()>;

    /// Every ref, with a mark that is another one when the ref has moved; `None` where the server gives none.
    fn refs(&self) -> Result<BTreeMap<RefName, Option<String>>>;

    /// Where a ref points to.
    fn ref_target(&self, name: &RefName) -> Result<Option<RefTarget>>;

    /// Moves a ref to a published result if it still points to `from` (`None`: if it does not exist).
    fn swap_ref(&self, name: &RefName, from: Option<&RefTarget>, to: &RefTarget) -> Result<Swap>;
}

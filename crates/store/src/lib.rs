//! A content-addressed store: objects, action results, refs, locks. It knows nothing of images.
//!
//! ```text
//! <store>/                       CACHEDIR.TAG inside
//!   format                       "sga store 1"
//!   secret                       32 random bytes, mode 0600; other private files lie beside it
//!   objects/sha256/ab/cdef…      immutable, mode 0444
//!   actions/sha256/ab/cdef…/     one folder per key, in it one file per distinct result: <outputs' hash>.json
//!   refs/<stage>/<name>          the human names: {"key": …, "result": …}
//!   locks/  tmp/  cache/         cache holds what can be made again
//! ```
//! Publishing order: objects, then the action result, then the ref; each is written aside, synced, and moved into
//! place. Whatever moment a run ends at, what can be seen is whole.

mod action;
mod collect;
mod digest;
mod error;
mod files;
mod layout;
mod lineage;
mod lock;
mod object;
mod publish;
mod refs;
mod steps;
mod verify;

pub use action::{ActionResult, Key};
pub use collect::Collection;
pub use digest::Digest;
pub use error::{Error, Result};
pub use files::FileDigests;
pub use layout::Store;
pub use lineage::{Lineage, Node};
pub use lock::{Holder, Lock};
pub use refs::RefTarget;
pub use steps::{Step, Steps};
pub use verify::{Damage, Verification};

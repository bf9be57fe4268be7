//! A content-addressed store: objects, action results, refs, locks. It knows nothing of images.
//!
//! ```text
//! <store>/                       CACHEDIR.TAG inside
//!   format                       "sga store 1"
//!   secret                       32 random bytes, mode 0600; other private files lie beside it
//!   origin                       in a cache: the store that it stands in front of
//!   objects/sha256/ab/cdef…      immutable, mode 0444
//!   actions/sha256/ab/cdef…/     one folder per key, in it one file per distinct result: <outputs' hash>.json
//!   refs/<stage>/<name>          the human names: {"key": …, "result": …}; stage `pin` holds the user's own
//!   locks/  tmp/  cache/         cache holds what can be made again
//!   unfinished/<key>/            what a stage that has not ended has so far
//!   damaged/<when>/              what a repair has set aside, with list.txt
//! ```
//! Publishing order: objects, then the action result, then the ref; each is written aside, synced, and moved into
//! place. Whatever moment a run ends at, what can be seen is whole.
//!
//! # Network file systems
//! No `flock`, no database, no memory map. What is asked of the file system:
//! - a rename within the store is atomic, and so is making a hard link, which fails where there is a file already: this
//!   publishes without replacing where `renameat2` is refused, as by NFS;
//! - a file that one machine has closed is whole on another that opens it (close-to-open consistency). A machine may
//!   see a *new* name late: then it waits, or does work again whose result is published once;
//! - clocks of machines and server agree within ten minutes: collections compare times of modification.
//!
//! A lock is a file that only one process can create and that says who did. A dead process of the same machine is known
//! to be dead, and its lock is taken over. Of a process on another machine, or in another container on this one, nothing
//! can be known: who waits is told its machine, number and time, and a user who knows that it is gone removes the lock ([`Store::unlock`]; `just store
//! do=unlock`). There is no lease that runs out: a machine that only sleeps would lose its lock and not know it.

mod absent;
mod action;
mod aside;
mod collect;
mod digest;
mod error;
mod evict;
mod files;
mod find;
mod incoming;
mod layout;
mod lineage;
mod lock;
mod memory;
mod object;
mod origin;
mod place;
mod publish;
mod refs;
mod steps;
mod survey;
mod unfinished;
mod verify;

pub use absent::if_there;
pub use action::{ActionResult, Key, Record, spelled};
pub use aside::Aside;
pub use collect::Collection;
pub use digest::{Digest, Hasher};
pub use error::{Error, Result, Trouble, is_forbidden, is_full};
pub use files::{FileDigests, Stat};
pub use find::{Found, SHORTEST_PREFIX};
pub use incoming::Incoming;
pub use layout::{MARKS, Store};
pub use lineage::{Lineage, Node};
pub use lock::{Holder, Lock};
pub use origin::Origin;
pub use refs::{PIN, RefName, RefTarget, Swap};
pub use steps::{Step, Steps};
pub use verify::{Damage, Fault, Verification, Warning};

//! A folder of files as a version in the store: kept, compared, written back.
//!
//! ```text
//! refs/folder/<name>.1, .2, …    every version; refs/folder/<name> is the last one
//! listing                        CSV: path, mode, content, target; equal folders have equal listings
//! pack-<hash>                    tar of small files, each under its digest; its first member lists them
//! file-<hash>                    one large file
//! ```
//! The objects hold what the files hold, and the listing holds their names. Nothing here is de-identified.
//!
//! A file's content, permissions and name are kept, links are kept as links, empty folders stay. Owners, times and
//! extended attributes are not kept; two names of one file become two files.

mod add;
mod changes;
mod error;
mod export;
mod listing;
mod pack;
mod packer;
mod repack;
mod scan;
mod version;
mod watch;

pub use add::{Added, Sizes, add};
pub use changes::{Changes, changes};
pub use error::{Error, Result};
pub use export::export;
pub use listing::{Content, Entry, Listing};
pub use version::{STAGE, Version, root, versions};
pub use watch::Watch;

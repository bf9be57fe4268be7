//! A store elsewhere, used through a cache on this machine.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use bytesize::ByteSize;
use indicatif::ProgressBar;
use remote::{Absent, Watch};
use store::Store;

use crate::{Failure, Result, env, progress};

/// What a cache may hold unless `SGA_CACHE_SIZE` says otherwise.
const SIZE: ByteSize = ByteSize::gb(20);

/// Where caches lie unless `SGA_CACHE` says otherwise.
const FOLDER: &str = ".sga-cache";

/// Whether a store is named by an address, not by its folder.
pub(crate) fn is_address(store: &str) -> bool {
    store.contains("://")
}

/// Opens the store at this address; what to do where there is none, `absent` says.
pub(crate) fn open(address: &str, absent: Absent) -> Result<Store> {
    let folder = std::env::var(env::SGA_CACHE).map_or_else(|_| folder(address), PathBuf::from);
    let size = match std::env::var(env::SGA_CACHE_SIZE) {
        Ok(text) => text.parse().map_err(|_| {
            Failure::usage(format!("{}={text}: not a size", env::SGA_CACHE_SIZE)).remedy("as in 50 GB")
        })?,
        Err(_) => SIZE,
    };
    let remote = remote::open(address, absent)?;
    Ok(remote::cached(remote, address, folder, size.as_u64(), Arc::new(Shown::default()))?)
}

/// `.sga-cache/chest,sga` for `s3://chest/sga`.
fn folder(address: &str) -> PathBuf {
    let place = address.split_once("://").map_or(address, |(_, place)| place);
    Path::new(FOLDER).join(place.trim_matches('/').replace('/', ","))
}

/// Shows what comes on a bar.
#[derive(Debug, Default)]
struct Shown(OnceLock<ProgressBar>);

impl Watch for Shown {
    fn coming(&self, bytes: u64) {
        self.0.get_or_init(|| progress::bytes("fetching", 0)).inc_length(bytes);
    }

    fn came(&self, bytes: u64) {
        if let Some(bar) = self.0.get() {
            bar.inc(bytes);
        }
    }

    fn say(&self, text: &str) {
        progress::note(text);
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(bar) = self.0.get() {
            bar.finish_and_clear();
        }
    }
}

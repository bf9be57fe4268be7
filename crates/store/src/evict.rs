//! Keeping a cache small.

use std::time::SystemTime;

use crate::{Digest, Result, Store, collect::modified};

impl Store {
    /// Deletes objects, those that were used longest ago first, until all that are left take `bound` bytes at most.
    /// What `replaceable` does not say can be had again stays, and what has been used since a process began that holds
    /// a lock. Returns how many bytes are left.
    pub fn evict(&self, bound: u64, replaceable: impl Fn(&Digest) -> Result<bool>) -> Result<u64> {
        let mut objects: Vec<(SystemTime, _, Digest)> = Vec::new();
        for (path, digest) in self.objects_here() {
            objects.extend(modified(&path).map(|used| (used, path, digest)));
        }
        let mut left: u64 = objects.iter().map(|(.., digest)| digest.size).sum();
        if left <= bound {
            return Ok(left);
        }
        let cutoff = self.oldest_lock()?.map_or_else(SystemTime::now, SystemTime::from);
        let folder = self.temporary_folder()?;
        objects.sort();
        for (_, path, digest) in objects.iter().take_while(|(used, ..)| *used <= cutoff) {
            if left <= bound {
                break;
            }
            if replaceable(digest)?
                && let Some(aside) = self.take_away(path, folder.path(), cutoff)?
            {
                fs_err::remove_file(aside)?;
                left -= digest.size;
            }
        }
        Ok(left)
    }
}

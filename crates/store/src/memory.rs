//! What is worth remembering between runs and can be found out again: `cache/`.

use crate::{Result, Store};

impl Store {
    /// Remembers these bytes under a file name, in place of what was there.
    pub fn remember(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.publish_over(self.written(bytes, 0o600)?, &self.cache().join(name))
    }

    /// What was remembered under this name, if it can still be read.
    pub fn recall(&self, name: &str) -> Option<Vec<u8>> {
        fs_err::read(self.cache().join(name)).ok()
    }
}

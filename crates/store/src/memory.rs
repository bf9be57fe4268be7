//! What can be found out again, kept to save time: stays on this machine, and may be deleted at any moment.

use crate::{Result, Store, refs::checked};

impl Store {
    /// What was remembered under this name last.
    pub fn recall(&self, name: &str) -> Option<Vec<u8>> {
        fs_err::read(self.cache().join(name)).ok()
    }

    /// Remembers these bytes under this name, readable by this user alone.
    pub fn remember(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.publish_over(self.written(bytes, 0o600)?, &self.cache().join(checked(name)?))
    }
}

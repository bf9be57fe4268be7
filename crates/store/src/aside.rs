//! Moving damaged things out of the way.

use std::{io::Write, path::PathBuf};

use jiff::Timestamp;

use crate::{Damage, Result, Step, Store};

/// The folder `damaged/<when>/` of a store, which takes up what is damaged.
#[derive(Debug)]
pub struct Aside {
    store: Store,
    folder: PathBuf,
}

impl Store {
    /// A place for damaged things that are found at this time. Nothing is made until there is one.
    pub fn aside(&self, when: Timestamp) -> Aside {
        let folder = self.root().join("damaged").join(when.strftime("%Y-%m-%dT%H-%M-%S").to_string());
        Aside { store: self.clone(), folder }
    }
}

impl Aside {
    /// Where the things are moved to.
    pub fn folder(&self) -> &PathBuf {
        &self.folder
    }

    /// Moves a file or folder here, under the path it had in the store, and notes it in `list.txt`. What is not there is
    /// fine. Nothing is deleted.
    pub fn take(&self, damage: &Damage) -> Result<()> {
        let steps = self.store.steps();
        if damage.path.symlink_metadata().is_err() {
            return Ok(());
        }
        let place = damage.path.strip_prefix(self.store.root()).expect("damage lies in the store");
        let mut target = self.folder.join(place);
        while target.symlink_metadata().is_ok() {
            target.as_mut_os_string().push("~"); // the same place was damaged twice
        }
        steps.before(Step::MakeFolder, &target)?;
        fs_err::create_dir_all(target.parent().expect("a target lies in a folder"))?;
        steps.before(Step::Write, &self.folder)?;
        let mut list =
            fs_err::OpenOptions::new().create(true).append(true).open(self.folder.join("list.txt"))?;
        writeln!(list, "{}: {}", place.display(), damage.what)?;
        list.sync_all()?;
        steps.before(Step::Place, &target)?;
        Ok(fs_err::rename(&damage.path, target)?)
    }
}

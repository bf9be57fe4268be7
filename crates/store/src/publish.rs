//! Making a finished file visible, whole or not at all.

use std::{io, io::Write, os::unix::fs::PermissionsExt, path::Path};

use tempfile::NamedTempFile;

use crate::{Result, Step, Store, if_there, lock::Holder};

impl Store {
    /// Syncs `file` and moves it to `target`, unless something stands there already (then it is dropped: contents are
    /// named by their hash, so what stands there is the same). Returns whether it was new.
    pub(crate) fn publish_new(&self, file: NamedTempFile, target: &Path) -> Result<bool> {
        let new = self.place_new(file, target)?;
        if new {
            self.sync_folder(folder_of(target))?;
        }
        Ok(new)
    }

    /// Like [`Store::publish_new`], for what need not outlive a power cut: a lock. An error means that nothing was
    /// placed.
    pub(crate) fn place_new(&self, file: NamedTempFile, target: &Path) -> Result<bool> {
        self.prepare(&file, target)?;
        match file.persist_noclobber(target) {
            Ok(_) => Ok(true),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Syncs `file` and moves it to `target`, in place of what stood there.
    pub(crate) fn publish_over(&self, file: NamedTempFile, target: &Path) -> Result<()> {
        self.prepare(&file, target)?;
        file.persist(target)?;
        self.sync_folder(folder_of(target))
    }

    /// A temporary file of this store that holds `bytes`.
    pub(crate) fn written(&self, bytes: &[u8], mode: u32) -> Result<NamedTempFile> {
        let folder = self.tmp();
        self.steps().before(Step::Write, &folder)?;
        let prefix = format!("{}-", Holder::this_process().label());
        let permissions = PermissionsExt::from_mode(0o600);
        let mut file =
            tempfile::Builder::new().prefix(&prefix).permissions(permissions).tempfile_in(folder)?;
        file.write_all(bytes)?;
        fs_err::set_permissions(file.path(), PermissionsExt::from_mode(mode))?;
        Ok(file)
    }

    /// Removes a file; one that is gone already is fine. Returns whether it was there.
    pub(crate) fn remove(&self, path: &Path) -> Result<bool> {
        self.steps().before(Step::Remove, path)?;
        Ok(if_there(fs_err::remove_file(path))?.is_some())
    }

    fn prepare(&self, file: &NamedTempFile, target: &Path) -> Result<()> {
        self.steps().before(Step::Sync, file.path())?;
        file.as_file().sync_all()?;
        let folder = folder_of(target);
        if !folder.exists() {
            self.steps().before(Step::MakeFolder, folder)?;
            let missing: Vec<&Path> = folder.ancestors().take_while(|above| !above.exists()).collect();
            fs_err::create_dir_all(folder)?;
            for made in missing {
                self.sync_folder(folder_of(made))?;
            }
        }
        Ok(self.steps().before(Step::Place, target)?)
    }

    fn sync_folder(&self, folder: &Path) -> Result<()> {
        self.steps().before(Step::SyncFolder, folder)?;
        Ok(fs_err::File::open(folder)?.sync_all()?)
    }
}

fn folder_of(target: &Path) -> &Path {
    target.parent().expect("every target lies in a folder of the store")
}

//! Making a finished file visible, whole or not at all.

use std::{io, io::Write, os::unix::fs::PermissionsExt, path::Path};

use tempfile::NamedTempFile;

use crate::Result;

/// Syncs `file` and moves it to `target`, unless something stands there already (then it is dropped: contents are
/// named by their hash, so what stands there is the same). Returns whether it was new.
pub(crate) fn publish_new(file: NamedTempFile, target: &Path) -> Result<bool> {
    let folder = prepare(&file, target)?;
    match file.persist_noclobber(target) {
        Ok(_) => {
            sync_folder(folder)?;
            Ok(true)
        }
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Syncs `file` and moves it to `target`, in place of what stood there.
pub(crate) fn publish_over(file: NamedTempFile, target: &Path) -> Result<()> {
    let folder = prepare(&file, target)?;
    file.persist(target)?;
    sync_folder(folder)
}

/// A temporary file in `folder` that holds `bytes`.
pub(crate) fn written(folder: &Path, bytes: &[u8], mode: u32) -> Result<NamedTempFile> {
    let mut file =
        tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o600)).tempfile_in(folder)?;
    file.write_all(bytes)?;
    fs_err::set_permissions(file.path(), PermissionsExt::from_mode(mode))?;
    Ok(file)
}

fn prepare<'a>(file: &NamedTempFile, target: &'a Path) -> Result<&'a Path> {
    file.as_file().sync_all()?;
    let folder = target.parent().expect("every target lies in a folder of the store");
    if !folder.exists() {
        fs_err::create_dir_all(folder)?;
        if let Some(above) = folder.parent() {
            sync_folder(above)?;
        }
    }
    Ok(folder)
}

fn sync_folder(folder: &Path) -> Result<()> {
    Ok(fs_err::File::open(folder)?.sync_all()?)
}

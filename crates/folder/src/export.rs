//! Writing a folder back.

use std::{
    fs::Permissions,
    io::{self, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use rayon::prelude::*;
use store::{Digest, Store};

use crate::{Content, Error, Result, Version, Watch, pack::Packs};

/// Writes a version to `out`, which must be absent or an empty folder. Every content is checked on the way. Files are
/// copies: whatever becomes of them, the store stays as it is. They are not synced to the disk one by one.
///
/// # Errors
/// Whatever goes wrong, nothing is at `out`.
pub fn export(store: &Store, version: &Version, out: &Path, watch: &impl Watch) -> Result<()> {
    let occupied = match fs_err::read_dir(out) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    };
    if occupied {
        return Err(Error::Occupied(out.to_owned()));
    }
    let above = out.parent().filter(|above| *above != Path::new("")).unwrap_or(Path::new("."));
    fs_err::create_dir_all(above).map_err(Error::Unwritable)?;
    let is_mounted = device(out).is_some_and(|of_out| device(above) != Some(of_out));
    let beside = if is_mounted { out } else { above };
    let partial =
        tempfile::Builder::new().prefix(".sga-export-").tempdir_in(beside).map_err(Error::Unwritable)?;
    write(store, version, partial.path(), watch)?;
    if is_mounted {
        return move_up(partial.path(), out).map_err(Error::Unwritable);
    }
    fs_err::rename(partial.path(), out).map_err(Error::Unwritable)?;
    let _ = partial.keep(); // it is not there any more
    Ok(())
}

/// The file system of a path; `None` where there is none.
fn device(path: &Path) -> Option<u64> {
    Some(fs_err::metadata(path).ok()?.dev())
}

/// Moves what is in a folder into the one around it, which has its mode from then on: nothing can take the place of a folder on
/// which a disk is mounted.
fn move_up(folder: &Path, out: &Path) -> io::Result<()> {
    let mode = fs_err::metadata(folder)?.permissions();
    fs_err::set_permissions(folder, Permissions::from_mode(0o700))?;
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        fs_err::rename(entry.path(), out.join(entry.file_name()))?;
    }
    fs_err::remove_dir(folder)?;
    fs_err::set_permissions(out, mode)
}

fn write(store: &Store, version: &Version, folder: &Path, watch: &impl Watch) -> Result<()> {
    let packs = Packs::open(store, &version.packs)?;
    let entries = version.listing.entries();
    watch.to_read(version.listing.contents().map(|digest| digest.size).sum());
    let permit = |path: &Path, mode| {
        fs_err::set_permissions(path, Permissions::from_mode(mode)).map_err(Error::Unwritable)
    };
    for entry in entries.iter().skip(1).filter(|entry| entry.content == Content::Folder) {
        fs_err::create_dir(folder.join(&entry.path)).map_err(Error::Unwritable)?;
    }
    entries.par_iter().try_for_each(|entry| {
        let path = folder.join(&entry.path);
        match &entry.content {
            Content::File(digest) => {
                write_file(store, &packs, digest, &path)?;
                watch.read(digest.size);
                permit(&path, entry.mode)
            }
            Content::Link(target) => fs_err::os::unix::fs::symlink(target, path).map_err(Error::Unwritable),
            Content::Folder => Ok(()),
        }
    })?;
    // Last and from the inside out: nothing can be written into a read-only folder.
    for entry in entries.iter().rev().filter(|entry| entry.content == Content::Folder) {
        permit(&folder.join(&entry.path), entry.mode)?;
    }
    Ok(())
}

fn write_file(store: &Store, packs: &Packs, digest: &Digest, path: &Path) -> Result<()> {
    if let Some(bytes) = packs.read(digest) {
        let mut file = fs_err::File::create_new(path).map_err(Error::Unwritable)?;
        return file.write_all(&bytes?).map_err(Error::Unwritable);
    }
    let object = store.object(digest)?;
    // By the kernel: on file systems that can, both share their blocks.
    let (copied, read) = rayon::join(|| fs_err::copy(&object, path), || Digest::of_file(&object));
    copied.map_err(Error::Unwritable)?;
    if read? == *digest {
        Ok(())
    } else {
        let what = "its content does not match its digest".to_owned();
        Err(store::Error::Damaged { path: object, what }.into())
    }
}

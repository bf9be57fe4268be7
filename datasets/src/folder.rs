//! Folders of images: one directory listing each, no look at the single file.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::Error;

/// The file names in each of `folders` (relative to `root`) with their relative paths; folders that do not exist are
/// empty, and a name in two folders is an error.
pub(crate) fn files(root: &Path, folders: &[PathBuf]) -> Result<BTreeMap<String, PathBuf>, Error> {
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for folder in folders {
        for name in names(&root.join(folder))? {
            let path = folder.join(&name);
            if let Some(first) = files.insert(name.clone(), path.clone()) {
                return Err(Error::same_image(&name, first, path));
            }
        }
    }
    Ok(files)
}

/// The names in `folder`, without hidden ones; none when there is no such folder.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs_err::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error.into()),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    Ok(names)
}

//! Folders of images: one directory listing each, no look into the single file.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use fs_err::DirEntry;

use crate::Error;

/// The file names in each of `folders` (relative to `root`) with their relative paths; folders that do not exist are
/// empty, and a name in two folders is an error.
pub(crate) fn by_name(root: &Path, folders: &[PathBuf]) -> Result<BTreeMap<String, PathBuf>, Error> {
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for folder in folders {
        for name in file_names(&root.join(folder))? {
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
    names_of(folder, |_| true)
}

/// Those of them that are no folders.
pub(crate) fn file_names(folder: &Path) -> Result<Vec<String>, Error> {
    names_of(folder, |entry| !entry.file_type().is_ok_and(|kind| kind.is_dir()))
}

fn names_of(folder: &Path, wanted: impl Fn(&DirEntry) -> bool) -> Result<Vec<String>, Error> {
    let entries = match fs_err::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error.into()),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && wanted(&entry) {
            names.push(name);
        }
    }
    Ok(names)
}

/// What a file's name promises. What the file is, only its content tells, later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// PNG, JPEG or WebP, or another kind that is set aside: it cannot tell its patient.
    Picture,
    /// DICOM: named so, named by a UID, or without any extension, as scanners export it.
    Dicom,
}

/// Kinds of pictures that ingest sets aside by name: nobody should miss them without a word.
const NOT_READ: [&str; 6] = ["bmp", "gif", "heic", "jp2", "tif", "tiff"];

impl Kind {
    /// The kind of a file; `None` for anything that is no image by its name.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let Some(extension) = path.extension() else { return Some(Self::Dicom) };
        match extension.to_string_lossy().to_ascii_lowercase().as_str() {
            "png" | "jpg" | "jpeg" | "webp" => Some(Self::Picture),
            other if NOT_READ.contains(&other) => Some(Self::Picture),
            "dcm" | "dicom" | "ima" => Some(Self::Dicom),
            digits if digits.bytes().all(|digit| digit.is_ascii_digit()) => Some(Self::Dicom),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_promise_a_kind() {
        for name in ["a.dcm", "a.DICOM", "IM000001", "1.2.840.10008.5", "a/b.ima"] {
            assert_eq!(Kind::of(Path::new(name)), Some(Kind::Dicom), "{name}");
        }
        for name in ["a.png", "a.b.JPG", "1.2.jpeg", "x.webp"] {
            assert_eq!(Kind::of(Path::new(name)), Some(Kind::Picture), "{name}");
        }
        for name in ["images.csv", "notes.txt", "a.dcm.zip", "Thumbs.db"] {
            assert_eq!(Kind::of(Path::new(name)), None, "{name}");
        }
    }
}

//! Everything that lies in a store, by what it is.

use std::path::PathBuf;

use walkdir::WalkDir;

use crate::{Digest, RefName, Store, place::Place, place::place};

/// The files of a store.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Objects with their hash in hexadecimal digits and their size.
    pub(crate) objects: Vec<(PathBuf, String, u64)>,
    pub(crate) results: Vec<PathBuf>,
    pub(crate) refs: Vec<(PathBuf, RefName)>,
    pub(crate) locks: Vec<PathBuf>,
    /// What the store did not put there: the outermost folder, or the file.
    pub(crate) foreign: Vec<PathBuf>,
    /// Folders and files that could not be looked at, with the reason.
    pub(crate) unreadable: Vec<(PathBuf, String)>,
}

impl Store {
    /// Looks at every folder, opens no file.
    pub(crate) fn survey(&self) -> Survey {
        let mut survey = Survey::default();
        let mut tops: Vec<PathBuf> = Vec::new();
        match fs_err::read_dir(self.root()) {
            Ok(entries) => {
                tops.extend(entries.filter_map(std::result::Result::ok).map(|entry| entry.path()));
            }
            Err(error) => survey.unreadable.push((self.root().to_owned(), error.to_string())),
        }
        tops.sort();
        for top in tops {
            survey.below(self, top); // a top folder may be a link to another disk; nothing below may be a link
        }
        survey
    }

    /// Every file of the store, whatever it is for.
    pub fn files(&self) -> Vec<PathBuf> {
        let entries =
            WalkDir::new(self.root()).sort_by_file_name().into_iter().filter_map(std::result::Result::ok);
        entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
    }

    pub(crate) fn object_files(&self) -> Vec<PathBuf> {
        self.objects_here().into_iter().map(|(path, _)| path).collect()
    }

    /// Every object, as its place and size tell.
    pub fn objects_here(&self) -> Vec<(PathBuf, Digest)> {
        let mut survey = Survey::default();
        survey.below(self, self.root().join("objects"));
        let digest = |(path, hex, size)| Some((path, format!("{hex}-{size}").parse().ok()?));
        survey.objects.into_iter().filter_map(digest).collect()
    }

    /// The objects whose hash begins with these hexadecimal digits, at least two.
    pub(crate) fn objects_with(&self, digits: &str) -> Vec<Digest> {
        let mut survey = Survey::default();
        survey.below(self, self.objects().join(&digits[..2]));
        let objects = survey.objects.into_iter().filter(|(_, hex, _)| hex.starts_with(digits));
        objects.filter_map(|(_, hex, size)| format!("{hex}-{size}").parse().ok()).collect()
    }

    pub(crate) fn result_files(&self) -> Vec<PathBuf> {
        let mut survey = Survey::default();
        survey.below(self, self.root().join("actions"));
        survey.results
    }

    /// Bytes of all objects.
    pub fn size(&self) -> u64 {
        let mut survey = Survey::default();
        survey.below(self, self.root().join("objects"));
        survey.objects.iter().map(|(.., size)| size).sum()
    }
}

impl Survey {
    fn below(&mut self, store: &Store, top: PathBuf) {
        let mut entries = WalkDir::new(top).sort_by_file_name().into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let gone =
                        error.io_error().is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound);
                    if let (false, Some(path)) = (gone, error.path()) {
                        self.unreadable.push((path.to_owned(), error.to_string()));
                    }
                    continue;
                }
            };
            // A link among the files is neither file nor folder, and so foreign.
            let (is_folder, is_file) = if entry.depth() == 0 {
                (entry.path().is_dir(), entry.path().is_file())
            } else {
                (entry.file_type().is_dir(), entry.file_type().is_file())
            };
            let path = entry.path().strip_prefix(store.root()).expect("the walk stays in the store");
            let place = if is_folder || is_file { place(path, is_folder) } else { Place::Foreign };
            let is_whole = matches!(place, Place::Own | Place::Foreign);
            let path = entry.into_path();
            match place {
                Place::Object(hex) => {
                    let Ok(data) = fs_err::metadata(&path) else { continue }; // collected just now
                    self.objects.push((path, hex, data.len()));
                }
                Place::Result => self.results.push(path),
                Place::Ref(name) => self.refs.push((path, name)),
                Place::Lock => self.locks.push(path),
                Place::Foreign => self.foreign.push(path),
                Place::Own | Place::Folder => {}
            }
            if is_whole && is_folder {
                entries.skip_current_dir();
            }
        }
    }
}

//! A hospital's own images, sorted into one folder per class.

use std::collections::HashSet;
use std::path::Path;
use std::sync::LazyLock;

use schema::{ImageRecord, Label, PatientId};
use walkdir::WalkDir;

use crate::files::{self, Kind};
use crate::listing::Exclusions;
use crate::{Card, DatasetAdapter, Error, Listing, class};

/// With more pictures than this, one patient is more likely a naming scheme such as `IMG_0001.png`.
const PICTURES_OF_ONE_PATIENT: usize = 20;

/// Own images, `<class>/*`.
pub(crate) struct Folder;

static CARD: LazyLock<Card> = LazyLock::new(|| Card::embedded(include_str!("../cards/folder.toml")));

impl DatasetAdapter for Folder {
    fn card(&self) -> &Card {
        &CARD
    }

    fn list(&self, root: &Path) -> Result<Listing, Error> {
        let mut listing = Listing::default();
        let mut exclusions = Exclusions::default();
        for name in files::names(root)?.into_iter().filter(|name| root.join(name).is_dir()) {
            let label = class::label(&name)
                .ok_or_else(|| Error::NotAClass { path: root.join(&name), known: class::known() })?;
            class_folder(root, &name, label, &mut listing, &mut exclusions)?;
        }
        if listing.records.is_empty() {
            return Err(Error::layout(&CARD, root, format!("image in a folder called {}", class::known())));
        }
        refuse_one_patient(root, &listing)?;
        listing.excluded = exclusions.into_list();
        Ok(listing.sorted())
    }
}

fn class_folder(
    root: &Path,
    name: &str,
    label: Label,
    listing: &mut Listing,
    exclusions: &mut Exclusions,
) -> Result<(), Error> {
    let top = root.join(name);
    let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
    let walk = WalkDir::new(&top).min_depth(1).follow_links(true).into_iter();
    for entry in walk.filter_entry(|entry| entry.depth() == 0 || !hidden(entry.file_name())) {
        let entry = match entry {
            Err(error) if error.loop_ancestor().is_some() => {
                exclusions.count("a link to a folder around it");
                continue;
            }
            Err(error) if error.path().is_some_and(Path::is_symlink) => {
                exclusions.count("a link to nothing");
                continue;
            }
            entry => entry.map_err(std::io::Error::from)?,
        };
        if entry.file_type().is_dir() {
            continue;
        }
        let below = entry.path().strip_prefix(&top).expect("the walk began at the class");
        let Some(kind) = Kind::of(below) else {
            exclusions.count("neither a picture nor DICOM by the file's name");
            continue;
        };
        let path = Path::new(name).join(below);
        listing.records.push(ImageRecord {
            name: path.to_string_lossy().into_owned(),
            path,
            source: CARD.name.clone(),
            patient: (kind == Kind::Picture).then(|| patient_of(below)).flatten(),
            study: None,
            label,
            finding: name.to_owned(),
            view: None,
            modality: None,
            boxes: Vec::new(),
            markers: Vec::new(),
        });
    }
    Ok(())
}

/// The patient of a picture: the folder it lies in below its class, or else its name before the first `_` or `-`.
fn patient_of(below: &Path) -> Option<PatientId> {
    let first = below.iter().next()?;
    if below.iter().nth(1).is_some() {
        return PatientId::new(&first.to_string_lossy());
    }
    let stem = below.file_stem()?.to_string_lossy();
    let head = stem.split(['_', '-']).next().unwrap_or_default();
    PatientId::new(head).or_else(|| PatientId::new(&stem))
}

fn refuse_one_patient(root: &Path, listing: &Listing) -> Result<(), Error> {
    let patients: Vec<_> = listing.records.iter().filter_map(|record| record.patient.as_ref()).collect();
    let pictures = patients.len();
    if pictures > PICTURES_OF_ONE_PATIENT && patients.into_iter().collect::<HashSet<_>>().len() == 1 {
        return Err(Error::OnePatient { root: root.to_owned(), pictures });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patient_is_the_folder_or_the_head_of_the_name() {
        for (below, patient) in [
            ("0017_frontal.png", "0017"),
            ("0017-2.jpg", "0017"),
            ("0017.png", "0017"),
            ("0017/frontal_1.png", "0017"),
            ("0017/2020/frontal.png", "0017"),
            ("_3.png", "_3"),
        ] {
            assert_eq!(patient_of(Path::new(below)), PatientId::new(patient), "{below}");
        }
    }
}

//! A hospital's own images, sorted into one folder per class.

use std::collections::HashSet;
use std::path::Path;
use std::sync::LazyLock;

use schema::{ImageRecord, Label, PatientId};
use walkdir::WalkDir;

use crate::files::{self, Kind};
use crate::listing::Exclusions;
use crate::{Card, DatasetAdapter, Error, Listing, class};

/// More pictures than this of each patient are more likely a naming scheme such as `IMG_0001.png` or `COVID-1.png`.
const PICTURES_OF_A_PATIENT: usize = 20;

const AROUND: &str = "a link to a folder around it";

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
        for name in files::names(root)? {
            if !root.join(&name).is_dir() {
                if Kind::of(Path::new(&name)).is_some() {
                    exclusions.count("an image beside the folders of the classes");
                }
                continue;
            }
            let label = class::label(&name)
                .ok_or_else(|| Error::NotAClass { path: root.join(&name), known: class::known() })?;
            class_folder(root, &name, label, &mut listing, &mut exclusions)?;
        }
        if listing.records.is_empty() {
            return Err(Error::layout(&CARD, root, format!("image in a folder called {}", class::known())));
        }
        refuse_few_patients(root, &listing.records, 2)?;
        listing.whole_names = whole_names(&listing.records);
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
    let first = listing.records.len();
    let base = fs_err::canonicalize(root)?;
    let around = |entry: &walkdir::DirEntry| {
        entry.path_is_symlink() && entry.path().canonicalize().is_ok_and(|target| base.starts_with(target))
    };
    let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
    let walk = WalkDir::new(&top).min_depth(1).follow_links(true).into_iter();
    let mut walk = walk.filter_entry(|entry| entry.depth() == 0 || !hidden(entry.file_name()));
    while let Some(entry) = walk.next() {
        let entry = match entry {
            Err(error) if error.loop_ancestor().is_some() => {
                exclusions.count(AROUND);
                continue;
            }
            Err(error) if error.path().is_some_and(Path::is_symlink) => {
                exclusions.count("a link to nothing");
                continue;
            }
            entry => entry.map_err(std::io::Error::from)?,
        };
        let below = entry.path().strip_prefix(&top).expect("the walk began at the class");
        if entry.file_type().is_dir() {
            if around(&entry) {
                exclusions.count(AROUND);
                walk.skip_current_dir();
                continue;
            }
            let own = below.file_name().unwrap_or_default().to_string_lossy();
            let is_word = own.chars().any(char::is_alphabetic); // a patient may be called 0 or 1
            if is_word && class::label(&own).is_some_and(|other| other != label) {
                return Err(Error::ClassInClass { path: Path::new(name).join(below) });
            }
            continue;
        }
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
            finding: label.name().to_owned(),
            view: None,
            modality: None,
            boxes: Vec::new(),
            markers: Vec::new(),
        });
    }
    refuse_few_patients(&top, &listing.records[first..], 0)
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

/// How many pictures have names of several parts that neither `_` nor `-` ends, as `Pat 1 frontal.png`.
fn whole_names(records: &[ImageRecord]) -> usize {
    let is_whole = |record: &&ImageRecord| {
        let stem = record.path.file_stem().unwrap_or_default().to_string_lossy();
        let by_file = record.patient.is_some() && record.path.components().count() == 2;
        by_file && !stem.contains(['_', '-']) && !stem.chars().all(char::is_alphanumeric)
    };
    records.iter().filter(is_whole).count()
}

/// Refuses many pictures of few patients. Folders of patients are to be believed, but for those of so few that they are
/// more likely views.
fn refuse_few_patients(folder: &Path, records: &[ImageRecord], few: usize) -> Result<(), Error> {
    let refuse = |named_by_file: bool, few: usize| {
        let by_file = |record: &&ImageRecord| record.path.components().count() == 2;
        let of = records.iter().filter(|record| by_file(record) == named_by_file);
        let patients: Vec<_> = of.filter_map(|record| record.patient.as_ref()).collect();
        let pictures = patients.len();
        let patients = patients.into_iter().collect::<HashSet<_>>().len();
        if pictures > PICTURES_OF_A_PATIENT * patients && patients <= few {
            return Err(Error::FewPatients { folder: folder.to_owned(), pictures, patients });
        }
        Ok(())
    };
    refuse(true, usize::MAX)?;
    refuse(false, few)
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

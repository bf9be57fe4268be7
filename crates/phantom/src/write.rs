//! The two hospitals' folders.

use std::io;
use std::iter::Sum;
use std::ops::Add;
use std::path::{Path, PathBuf};

use schema::Label;

use crate::exposure::Study;
use crate::plan::Plan;
use crate::{hospital_a, hospital_b};

/// What [`write()`] wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The training hospital, `hospital-a/`.
    pub hospital_a: Counts,
    /// The unseen hospital, `hospital-b/`.
    pub hospital_b: Counts,
}

/// The images of one hospital.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Patients.
    pub patients: usize,
    /// Images of class covid.
    pub positives: usize,
    /// Images of class negative.
    pub negatives: usize,
    /// Positives with the marker.
    pub marked_positives: usize,
    /// Negatives with the marker.
    pub marked_negatives: usize,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A field of the plan is out of range.
    #[error("phantom plan: {0}")]
    Plan(String),
    /// There is a hospital already, perhaps of another plan.
    #[error("{} is already there: remove it, or choose another folder", .0.display())]
    Exists(PathBuf),
    /// The file system refused; the message names the file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A DICOM file could not be written.
    #[error("{}: {source}", .path.display())]
    Dicom {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An image could not be encoded.
    #[error("{}: {source}", .path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: image::ImageError,
    },
}

/// Writes `hospital-a/` and `hospital-b/` below `root`. Each appears when it is whole; what an interrupted call left is
/// removed by the next.
pub fn write(root: &Path, plan: &Plan) -> Result<Summary, Error> {
    if let Some(fault) = plan.fault() {
        return Err(Error::Plan(fault));
    }
    for name in ["hospital-a", "hospital-b"] {
        if root.join(name).exists() {
            return Err(Error::Exists(root.join(name)));
        }
    }
    let hospital_a = write_whole(root, "hospital-a", |folder| hospital_a::write(folder, plan))?;
    let hospital_b = write_whole(root, "hospital-b", |folder| hospital_b::write(folder, plan))?;
    Ok(Summary { hospital_a, hospital_b })
}

fn write_whole(
    root: &Path,
    name: &str,
    write: impl FnOnce(&Path) -> Result<Counts, Error>,
) -> Result<Counts, Error> {
    let partial = root.join(format!(".{name}.partial"));
    if partial.exists() {
        fs_err::remove_dir_all(&partial)?;
    }
    fs_err::create_dir_all(&partial)?;
    let counts = write(&partial)?;
    fs_err::rename(&partial, root.join(name))?;
    Ok(counts)
}

impl Counts {
    /// The counts of one patient.
    pub(crate) fn of(studies: &[Study]) -> Self {
        let mut counts = Self { patients: 1, ..Self::default() };
        for study in studies {
            let marked = study.exposures.iter().filter(|exposure| exposure.marker.is_some()).count();
            let (images, with_marker) = match study.label {
                Label::Covid => (&mut counts.positives, &mut counts.marked_positives),
                Label::Negative => (&mut counts.negatives, &mut counts.marked_negatives),
            };
            *images += study.exposures.len();
            *with_marker += marked;
        }
        counts
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            patients: self.patients + other.patients,
            positives: self.positives + other.positives,
            negatives: self.negatives + other.negatives,
            marked_positives: self.marked_positives + other.marked_positives,
            marked_negatives: self.marked_negatives + other.marked_negatives,
        }
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

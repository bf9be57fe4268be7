//! What an adapter found in a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schema::ImageRecord;

/// The images of a data set's folder, and what did not become one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// The selected images whose files exist, sorted by source, then name; names are unique within a source.
    pub records: Vec<ImageRecord>,
    /// Names of images that the tables select and the folder lacks, sorted.
    pub missing: Vec<String>,
    /// Image files that no table names, relative to the folder, sorted.
    pub unlisted: Vec<PathBuf>,
    /// Pictures whose names might hold a patient and more, and were taken for a patient each.
    pub whole_names: usize,
    /// How many table rows the selection left out, by reason.
    pub excluded: Vec<Excluded>,
}

/// Table rows that the selection left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excluded {
    /// The reason, as a phrase about the row.
    pub reason: &'static str,
    /// How many rows.
    pub rows: usize,
}

impl Listing {
    /// Puts everything into the promised order.
    pub(crate) fn sorted(mut self) -> Self {
        self.records.sort_by(|a, b| (&a.source, &a.name).cmp(&(&b.source, &b.name)));
        self.missing.sort();
        self.unlisted.sort();
        self
    }

    /// The listing of a folder that holds this one's folder under `prefix`.
    pub(crate) fn under(mut self, prefix: &str) -> Self {
        let prefix = Path::new(prefix);
        for record in &mut self.records {
            record.path = prefix.join(&record.path);
        }
        for path in &mut self.unlisted {
            *path = prefix.join(&path);
        }
        self
    }

    /// Both listings as one.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.records.extend(other.records);
        self.missing.extend(other.missing);
        self.unlisted.extend(other.unlisted);
        self.whole_names += other.whole_names;
        self.excluded.extend(other.excluded);
        self.sorted()
    }
}

/// Counts the rows that a selection leaves out.
#[derive(Default)]
pub(crate) struct Exclusions(BTreeMap<&'static str, usize>);

impl Exclusions {
    pub(crate) fn count(&mut self, reason: &'static str) {
        *self.0.entry(reason).or_default() += 1;
    }

    pub(crate) fn into_list(self) -> Vec<Excluded> {
        self.0.into_iter().map(|(reason, rows)| Excluded { reason, rows }).collect()
    }
}

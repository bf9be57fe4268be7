//! Every data set that sga can read.

use std::path::Path;

use crate::{Card, Error, Listing};

/// Reads the folder of one published data set.
pub trait DatasetAdapter: Sync {
    /// Where the data set comes from and what its labels mean.
    fn card(&self) -> &Card;

    /// The images and labels in the folder `root`. Opens tables and lists folders; opens no image.
    ///
    /// The result depends on the folder's content alone, not on the order in which the file system names it.
    fn list(&self, root: &Path) -> Result<Listing, Error>;
}

/// Every adapter.
pub static REGISTRY: &[&dyn DatasetAdapter] = &[
    &crate::siim::Siim,
    &crate::github_covid::GithubCovid,
    &crate::chestx_ray14::ChestXray14,
    &crate::chestx_ray14::ChestXray14Findings,
    &crate::rsna_pneumonia::RsnaPneumonia,
    &crate::vindr_cxr::VindrCxr,
    &crate::folder::Folder,
    &crate::csv_table::CsvTable,
    &crate::phantom::PhantomA,
    &crate::phantom::PhantomB,
];

/// The adapter with this name; the error lists the known names and the nearest spelling.
pub fn find(name: &str) -> Result<&'static dyn DatasetAdapter, Error> {
    let names = || REGISTRY.iter().map(|adapter| adapter.card().name.as_str());
    REGISTRY.iter().find(|adapter| adapter.card().name == name).copied().ok_or_else(|| Error::Unknown {
        name: name.to_owned(),
        nearest: names()
            .map(|known| (known, strsim::normalized_damerau_levenshtein(known, &name.to_lowercase())))
            .filter(|&(_, likeness)| likeness >= 0.5)
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(known, _)| known),
        known: names().collect::<Vec<_>>().join(", "),
    })
}

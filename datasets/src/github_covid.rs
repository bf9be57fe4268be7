//! covid-chestxray-dataset: figures of publications, gathered on GitHub by Cohen et al. (2020).

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use schema::{ImageRecord, Label, PatientId};

use crate::listing::Exclusions;
use crate::table::Table;
use crate::{Card, DatasetAdapter, Error, Listing, files};

const TABLE: &str = "metadata.csv";
const FOLDER: &str = "images";
const FRONTAL: [&str; 3] = ["PA", "AP", "AP Supine"];

/// covid-chestxray-dataset.
pub(crate) struct GithubCovid;

static CARD: LazyLock<Card> = LazyLock::new(|| Card::embedded(include_str!("../cards/github-covid.toml")));

impl DatasetAdapter for GithubCovid {
    fn card(&self) -> &Card {
        &CARD
    }

    fn list(&self, root: &Path) -> Result<Listing, Error> {
        list(&CARD, root, &CARD.name)
    }
}

/// Lists a folder in this layout, with records of the given source.
pub(crate) fn list(card: &Card, root: &Path, source: &str) -> Result<Listing, Error> {
    let table = Table::open(&root.join(TABLE))?.ok_or_else(|| Error::layout(card, root, TABLE))?;
    let [patient, finding, view, modality, folder, filename] =
        ["patientid", "finding", "view", "modality", "folder", "filename"].map(|name| table.column(name));
    let (patient, finding, view) = (patient?, finding?, view?);
    let (modality, folder, filename) = (modality?, folder?, filename?);

    let files = files::by_name(root, &[PathBuf::from(FOLDER)])?;
    let mut listing = Listing::default();
    let mut exclusions = Exclusions::default();
    let mut named = HashSet::new();
    let mut selected = HashSet::new();
    for row in table.rows() {
        let row = row?;
        let name = row.get(filename)?;
        named.insert(name.clone());
        let (finding, view) = (row.get(finding)?, row.get(view)?);
        let patient = PatientId::new(&row.get(patient)?);
        let excluded = [
            (!names_covid(&finding), "finding is not COVID-19"),
            (row.get(modality)? != "X-ray", "modality is not X-ray"),
            (row.get(folder)? != FOLDER, "folder is not images"),
            (!FRONTAL.contains(&view.as_str()), "view is not PA, AP or AP Supine"),
            (patient.is_none(), "no patient id"),
        ];
        if let Some((_, reason)) = excluded.iter().find(|(excluded, _)| *excluded) {
            exclusions.count(reason);
            continue;
        }
        if !selected.insert(name.clone()) {
            return Err(row.error(filename, format!("image `{name}` is selected twice")));
        }
        let Some(path) = files.get(&name) else {
            listing.missing.push(name);
            continue;
        };
        listing.records.push(ImageRecord {
            path: path.clone(),
            name,
            source: source.to_owned(),
            patient,
            study: None,
            label: Label::Covid,
            finding,
            view: Some(view),
            modality: Some("X-ray".to_owned()),
            boxes: Vec::new(),
            markers: Vec::new(),
        });
    }
    if listing.records.is_empty() {
        return Err(Error::layout(card, root, format!("image in `{FOLDER}/` that {TABLE} selects")));
    }
    listing.unlisted =
        files.into_iter().filter(|(name, _)| !named.contains(name)).map(|(_, path)| path).collect();
    listing.excluded = exclusions.into_list();
    Ok(listing.sorted())
}

/// Whether a finding is COVID-19: `COVID-19`, `COVID-19, ARDS` or `Pneumonia/Viral/COVID-19`, by version of the table.
fn names_covid(finding: &str) -> bool {
    finding.split([',', '/']).any(|token| token.trim().eq_ignore_ascii_case("COVID-19"))
}

#[cfg(test)]
mod tests {
    use super::names_covid;

    #[test]
    fn covid_is_a_token_not_a_substring() {
        for finding in ["COVID-19", "COVID-19, ARDS", "Pneumonia/Viral/COVID-19"] {
            assert!(names_covid(finding), "{finding}");
        }
        for finding in ["todo", "Unknown", "No Finding", "Pneumonia/Viral/SARS", "not COVID-19", ""] {
            assert!(!names_covid(finding), "{finding}");
        }
    }
}

//! SIIM-FISABIO-RSNA COVID-19 Detection: DICOM files, labels by study, boxes by image.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use schema::{ImageRecord, Label};
use walkdir::WalkDir;

use crate::table::{Column, Row, Table};
use crate::{Card, DatasetAdapter, Error, Listing, python_boxes};

const STUDIES: &str = "train_study_level.csv";
const IMAGES: &str = "train_image_level.csv";
const NEGATIVE: &str = "Negative for Pneumonia";
const APPEARANCES: [&str; 4] =
    [NEGATIVE, "Typical Appearance", "Indeterminate Appearance", "Atypical Appearance"];

/// SIIM-FISABIO-RSNA COVID-19 Detection.
pub(crate) struct Siim;

static CARD: LazyLock<Card> = LazyLock::new(|| Card::embedded(include_str!("../cards/siim.toml")));

impl DatasetAdapter for Siim {
    fn card(&self) -> &Card {
        &CARD
    }

    fn list(&self, root: &Path) -> Result<Listing, Error> {
        list(&CARD, root, &CARD.name)
    }
}

/// Lists a folder in this layout, with records of the given source.
pub(crate) fn list(card: &Card, root: &Path, source: &str) -> Result<Listing, Error> {
    let open = |name: &str| Table::open(&root.join(name))?.ok_or_else(|| Error::layout(card, root, name));
    let (studies, images) = (open(STUDIES)?, open(IMAGES)?);
    let findings = findings(&studies)?;
    let mut files = files(card, root)?;
    let mut listing = Listing::default();

    let (id, boxes) = (images.column("id")?, images.column("boxes")?);
    let study_of = images.column("StudyInstanceUID")?;
    let mut seen = HashSet::new();
    for row in images.rows() {
        let row = row?;
        let name = without_suffix(&row, id, "_image")?;
        let study = row.get(study_of)?;
        let finding = *findings
            .get(&study)
            .ok_or_else(|| row.error(study_of, format!("study `{study}` is not in {STUDIES}")))?;
        if !seen.insert(name.clone()) {
            return Err(row.error(id, format!("image `{name}` stands in the table twice")));
        }
        let boxes = python_boxes::parse(&row.get(boxes)?).map_err(|reason| row.error(boxes, reason))?;
        let Some(path) = files.remove(&(study.clone(), name.clone())) else {
            listing.missing.push(name);
            continue;
        };
        listing.records.push(ImageRecord {
            path,
            name,
            source: source.to_owned(),
            patient: None,
            study: Some(study),
            label: if finding == NEGATIVE { Label::Negative } else { Label::Covid },
            finding: finding.to_owned(),
            view: None,
            modality: None,
            boxes,
            markers: Vec::new(),
        });
    }
    if listing.records.is_empty() {
        return Err(Error::layout(card, root, format!("image that {IMAGES} names")));
    }
    listing.unlisted = files.into_values().collect();
    Ok(listing.sorted())
}

/// The appearance of every study.
fn findings(table: &Table) -> Result<HashMap<String, &'static str>, Error> {
    let id = table.column("id")?;
    let columns = APPEARANCES.map(|name| table.column(name).map(|column| (name, column)));
    let columns = columns.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut findings = HashMap::new();
    for row in table.rows() {
        let row = row?;
        let study = without_suffix(&row, id, "_study")?;
        let mut chosen = None;
        for &(name, column) in &columns {
            match (row.get(column)?.as_str(), chosen) {
                ("0", _) => {}
                ("1", None) => chosen = Some(name),
                ("1", Some(other)) => {
                    return Err(row.error(column, format!("the study is already `{other}`")));
                }
                (text, _) => return Err(row.error(column, format!("expected 0 or 1, found `{text}`"))),
            }
        }
        let finding = chosen.ok_or_else(|| row.error(id, "no appearance is marked 1"))?;
        if findings.insert(study, finding).is_some() {
            return Err(row.error(id, "the study stands in the table twice"));
        }
    }
    Ok(findings)
}

/// Every DICOM file below `train/`, by study and image.
fn files(card: &Card, root: &Path) -> Result<HashMap<(String, String), PathBuf>, Error> {
    let train = root.join("train");
    if !train.is_dir() {
        return Err(Error::layout(card, root, "folder `train`"));
    }
    let mut files = HashMap::new();
    for entry in WalkDir::new(&train).min_depth(3).max_depth(3).follow_links(true) {
        let entry = match entry {
            Err(error) if error.path().is_some_and(Path::is_symlink) => continue, // to nothing, or to a folder around it
            entry => entry.map_err(std::io::Error::from)?,
        };
        let path = entry.path();
        if entry.file_type().is_dir() || path.extension().is_none_or(|end| !end.eq_ignore_ascii_case("dcm")) {
            continue;
        }
        let relative = path.strip_prefix(root).expect("the walk began below the root").to_owned();
        let study = relative.iter().nth(1).map(|part| part.to_string_lossy().into_owned());
        let image = relative.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let (Some(study), Some(image)) = (study, image) else { continue };
        if let Some(first) = files.insert((study, image.clone()), relative.clone()) {
            return Err(Error::same_image(&image, first, relative));
        }
    }
    Ok(files)
}

fn without_suffix(row: &Row<'_>, column: Column, suffix: &str) -> Result<String, Error> {
    let text = row.get(column)?;
    let id = text.strip_suffix(suffix).filter(|id| !id.is_empty());
    id.map(str::to_owned).ok_or_else(|| row.error(column, format!("expected `<id>{suffix}`, found `{text}`")))
}

//! VinDr-CXR (Nguyen et al., 2022): a source of negatives from two hospitals in Hanoi.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use schema::{ImageRecord, Label, PatientId};

use crate::listing::Exclusions;
use crate::table::{Row, Table};
use crate::{Card, DatasetAdapter, Error, Listing, files};

const NO_FINDING: &str = "No finding";
/// The tables on `PhysioNet`: one column per label.
const IMAGE_LABELS: [&str; 2] = ["annotations/image_labels_train.csv", "annotations/image_labels_test.csv"];
/// Kaggle's table: one row per reader and box.
const TRAIN: &str = "train.csv";
const FOLDERS: [&str; 2] = ["train", "test"];

/// VinDr-CXR.
pub(crate) struct VindrCxr;

static CARD: LazyLock<Card> = LazyLock::new(|| Card::embedded(include_str!("../cards/vindr-cxr.toml")));

impl DatasetAdapter for VindrCxr {
    fn card(&self) -> &Card {
        &CARD
    }

    fn list(&self, root: &Path) -> Result<Listing, Error> {
        let images = read_tables(root)?;
        let mut files = BTreeMap::new();
        for (name, path) in files::by_name(root, &FOLDERS.map(PathBuf::from))? {
            let Some(id) = [".dicom", ".dcm"].iter().find_map(|end| name.strip_suffix(end)) else { continue };
            if let Some(other) = files.insert(id.to_owned(), path.clone()) {
                return Err(Error::same_image(id, other, path));
            }
        }
        let mut listing = Listing::default();
        let mut exclusions = Exclusions::default();
        for (name, negative) in images {
            let path = files.remove(&name);
            if !negative {
                exclusions.count("a reader has a finding");
                continue;
            }
            let Some(path) = path else {
                listing.missing.push(name);
                continue;
            };
            listing.records.push(ImageRecord {
                path,
                patient: PatientId::new(&name),
                name,
                source: CARD.name.clone(),
                study: None,
                label: Label::Negative,
                finding: NO_FINDING.to_owned(),
                view: Some("PA".to_owned()),
                modality: None,
                boxes: Vec::new(),
                markers: Vec::new(),
            });
        }
        if listing.records.is_empty() {
            let wanted = format!("image in `train/` or `test/` of which all readers say {NO_FINDING}");
            return Err(Error::layout(&CARD, root, wanted));
        }
        listing.unlisted = files.into_values().collect();
        listing.excluded = exclusions.into_list();
        Ok(listing.sorted())
    }
}

/// Every image, and whether all its readers say that there is no finding.
fn read_tables(root: &Path) -> Result<BTreeMap<String, bool>, Error> {
    let mut images = BTreeMap::new();
    let mut found = false;
    for name in IMAGE_LABELS {
        if let Some(table) = Table::open(&root.join(name))? {
            found = true;
            let column = table.column(NO_FINDING)?;
            collect(&table, &mut images, |row| match row.get(column)?.parse::<f32>() {
                Ok(1.0) => Ok(true),
                Ok(0.0) => Ok(false),
                Err(_) if row.get(column)?.is_empty() => Ok(false),
                _ => Err(row.error(column, format!("expected 0 or 1, found `{}`", row.get(column)?))),
            })?;
        }
    }
    if !found {
        let wanted = || Error::layout(&CARD, root, format!("{} or {TRAIN}", IMAGE_LABELS[0]));
        let table = Table::open(&root.join(TRAIN))?.ok_or_else(wanted)?;
        let column = table.column("class_name")?;
        collect(&table, &mut images, |row| Ok(row.get(column)? == NO_FINDING))?;
    }
    Ok(images)
}

fn collect(
    table: &Table,
    images: &mut BTreeMap<String, bool>,
    is_negative: impl Fn(&Row<'_>) -> Result<bool, Error>,
) -> Result<(), Error> {
    let id = table.column("image_id")?;
    for row in table.rows() {
        let row = row?;
        let negative = is_negative(&row)?;
        let image = images.entry(row.get(id)?).or_insert(true);
        *image &= negative;
    }
    Ok(())
}

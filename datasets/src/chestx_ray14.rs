//! ChestX-ray14 of the NIH Clinical Center (Wang et al., 2017): the source of negatives, or all of it with its findings.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use schema::{ImageRecord, Label, PatientId};

use crate::listing::Exclusions;
use crate::table::Table;
use crate::{Card, DatasetAdapter, Error, Listing, files};

/// Both versions of the table; the second writes ages as `058Y` and ends its rows with an empty column.
const TABLES: [&str; 2] = ["Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv"];
const NEGATIVE: &str = "No Finding";

/// ChestX-ray14's images without a finding.
pub(crate) struct ChestXray14;

/// All of ChestX-ray14: its fourteen findings.
pub(crate) struct ChestXray14Findings;

/// Which images are listed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Those without a finding.
    NoFinding,
    /// All.
    All,
}

static CARD: LazyLock<Card> = LazyLock::new(|| Card::embedded(include_str!("../cards/chestx-ray14.toml")));

impl DatasetAdapter for ChestXray14 {
    fn card(&self) -> &Card {
        &CARD
    }

    fn list(&self, root: &Path) -> Result<Listing, Error> {
        list(&CARD, root, &CARD.name, Keep::NoFinding)
    }
}

static CARD_OF_FINDINGS: LazyLock<Card> =
    LazyLock::new(|| Card::embedded(include_str!("../cards/chestx-ray14-findings.toml")));

impl DatasetAdapter for ChestXray14Findings {
    fn card(&self) -> &Card {
        &CARD_OF_FINDINGS
    }

    fn list(&self, root: &Path) -> Result<Listing, Error> {
        list(&CARD_OF_FINDINGS, root, &CARD_OF_FINDINGS.name, Keep::All)
    }
}

/// Lists a folder in this layout, with records of the given source.
pub(crate) fn list(card: &Card, root: &Path, source: &str, keep: Keep) -> Result<Listing, Error> {
    let table = open(card, root)?;
    let [image, finding, patient, view] =
        ["Image Index", "Finding Labels", "Patient ID", "View Position"].map(|name| table.column(name));
    let (image, finding, patient, view) = (image?, finding?, patient?, view?);

    let folders = image_folders(root)?;
    let mut files = files::by_name(root, &folders)?;
    files.retain(|name, _| name.to_ascii_lowercase().ends_with(".png"));
    if files.is_empty() {
        return Err(Error::layout(
            card,
            root,
            "image in `images_001/images/` … `images_012/images/` or `images/`",
        ));
    }
    let mut listing = Listing::default();
    let mut exclusions = Exclusions::default();
    let mut named = HashSet::new();
    for row in table.rows() {
        let row = row?;
        let name = row.get(image)?;
        if !named.insert(name.clone()) {
            return Err(row.error(image, format!("image `{name}` stands in the table twice")));
        }
        let (finding, view) = (row.get(finding)?, row.get(view)?);
        if keep == Keep::NoFinding && finding != NEGATIVE {
            exclusions.count("finding is not No Finding");
            continue;
        }
        let Some(patient) = PatientId::new(&row.get(patient)?) else {
            exclusions.count("no patient id");
            continue;
        };
        let Some(path) = files.get(&name) else {
            listing.missing.push(name);
            continue;
        };
        listing.records.push(ImageRecord {
            path: path.clone(),
            name,
            source: source.to_owned(),
            patient: Some(patient),
            study: None,
            label: Label::Negative,
            finding,
            view: Some(view).filter(|view| !view.is_empty()),
            modality: Some("X-ray".to_owned()),
            boxes: Vec::new(),
            markers: Vec::new(),
        });
    }
    if listing.records.is_empty() {
        let wanted = match keep {
            Keep::NoFinding => format!("image whose finding is {NEGATIVE}"),
            Keep::All => "image of the table".to_owned(),
        };
        return Err(Error::layout(card, root, wanted));
    }
    listing.unlisted =
        files.into_iter().filter(|(name, _)| !named.contains(name)).map(|(_, path)| path).collect();
    listing.excluded = exclusions.into_list();
    Ok(listing.sorted())
}

fn open(card: &Card, root: &Path) -> Result<Table, Error> {
    for name in TABLES {
        if let Some(table) = Table::open(&root.join(name))? {
            return Ok(table);
        }
    }
    Err(Error::layout(card, root, TABLES.join(" or ")))
}

/// `images`, when there is one, and `images_001/images` and so on, relative to `root`.
fn image_folders(root: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut folders: Vec<_> = files::names(root)?
        .into_iter()
        .filter_map(|name| match name.as_str() {
            "images" => Some(PathBuf::from(name)),
            _ => name.starts_with("images_").then(|| Path::new(&name).join("images")),
        })
        .collect();
    folders.sort();
    Ok(folders)
}

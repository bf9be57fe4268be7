//! RSNA Pneumonia Detection Challenge (2018): another source of negatives.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use schema::{ImageRecord, Label, PatientId};

use crate::listing::Exclusions;
use crate::table::Table;
use crate::{Card, DatasetAdapter, Error, Listing, files};

const CLASSES: &str = "stage_2_detailed_class_info.csv";
const TARGETS: &str = "stage_2_train_labels.csv";
const IMAGES: &str = "stage_2_train_images";
const NEGATIVE: &str = "Normal";
const OPACITY: &str = "Lung Opacity";
const OTHER: &str = "No Lung Opacity / Not Normal";

/// RSNA Pneumonia Detection Challenge.
pub(crate) struct RsnaPneumonia;

static CARD: LazyLock<Card> = LazyLock::new(|| Card::embedded(include_str!("../cards/rsna-pneumonia.toml")));

impl DatasetAdapter for RsnaPneumonia {
    fn card(&self) -> &Card {
        &CARD
    }

    fn list(&self, root: &Path) -> Result<Listing, Error> {
        let open =
            |name: &str| Table::open(&root.join(name))?.ok_or_else(|| Error::layout(&CARD, root, name));
        let classes = classes(&open(CLASSES)?)?;
        check_targets(&open(TARGETS)?, &classes)?;
        let mut files = files::by_name(root, &[PathBuf::from(IMAGES)])?;
        files.retain(|name, _| name.to_ascii_lowercase().ends_with(".dcm"));

        let mut listing = Listing::default();
        let mut exclusions = Exclusions::default();
        for (name, class) in classes {
            let path = files.remove(&format!("{name}.dcm"));
            match class {
                OPACITY => exclusions.count("class is Lung Opacity"),
                OTHER => exclusions.count("class is No Lung Opacity / Not Normal"),
                _ => match path {
                    None => listing.missing.push(name),
                    Some(path) => listing.records.push(ImageRecord {
                        path,
                        patient: PatientId::new(&name),
                        name,
                        source: CARD.name.clone(),
                        study: None,
                        label: Label::Negative,
                        finding: class.to_owned(),
                        view: None,
                        modality: None,
                        boxes: Vec::new(),
                        markers: Vec::new(),
                    }),
                },
            }
        }
        if listing.records.is_empty() {
            return Err(Error::layout(
                &CARD,
                root,
                format!("image in `{IMAGES}/` whose class is {NEGATIVE}"),
            ));
        }
        listing.unlisted = files.into_values().collect();
        listing.excluded = exclusions.into_list();
        Ok(listing.sorted())
    }
}

/// The class of every image; images with several boxes have several rows, which must agree.
fn classes(table: &Table) -> Result<BTreeMap<String, &'static str>, Error> {
    let (id, class) = (table.column("patientId")?, table.column("class")?);
    let mut classes = BTreeMap::new();
    for row in table.rows() {
        let row = row?;
        let text = row.get(class)?;
        let known = [NEGATIVE, OPACITY, OTHER].into_iter().find(|known| *known == text);
        let known = known.ok_or_else(|| {
            row.error(class, format!("expected {NEGATIVE}, {OPACITY} or {OTHER}, found `{text}`"))
        })?;
        match classes.insert(row.get(id)?, known) {
            Some(other) if other != known => {
                return Err(row.error(class, format!("the image is already `{other}`")));
            }
            _ => {}
        }
    }
    Ok(classes)
}

/// Target is 1 exactly where the class is Lung Opacity: anything else means that the tables are not of one release.
fn check_targets(table: &Table, classes: &BTreeMap<String, &'static str>) -> Result<(), Error> {
    let (id, target) = (table.column("patientId")?, table.column("Target")?);
    for row in table.rows() {
        let row = row?;
        let name = row.get(id)?;
        let class =
            classes.get(&name).ok_or_else(|| row.error(id, format!("image `{name}` is not in {CLASSES}")))?;
        let expected = if *class == OPACITY { "1" } else { "0" };
        let found = row.get(target)?;
        if found != expected {
            let reason = format!("expected {expected} for an image whose class is {class}, found `{found}`");
            return Err(row.error(target, reason));
        }
    }
    Ok(())
}

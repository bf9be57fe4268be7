//! A hospital's own images, named by a table.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use schema::{ImageRecord, PatientId};

use crate::files::{self, Kind};
use crate::table::{Column, Row, Table};
use crate::{Card, DatasetAdapter, Error, Listing, boxes, class};

const TABLE: &str = "images.csv";

/// Own images, `images.csv`.
pub(crate) struct CsvTable;

static CARD: LazyLock<Card> = LazyLock::new(|| Card::embedded(include_str!("../cards/csv.toml")));

impl DatasetAdapter for CsvTable {
    fn card(&self) -> &Card {
        &CARD
    }

    fn list(&self, root: &Path) -> Result<Listing, Error> {
        let table = Table::open(&root.join(TABLE))?.ok_or_else(|| Error::layout(&CARD, root, TABLE))?;
        let columns = Columns::of(&table)?;
        let mut folders = Folders { root, files: HashMap::new() };
        let (mut listing, mut any) = (Listing::default(), false);
        for row in table.rows() {
            let row = row?;
            let record = columns.record(&row)?;
            match folders.name(&record.path)? {
                File::Named => return Err(row.error(columns.path, "the file stands in the table twice")),
                file => any |= file == File::Unnamed,
            }
            listing.records.push(record); // also of an absent file: ingest sets it aside by name
        }
        if !any {
            return Err(Error::layout(&CARD, root, format!("image that {TABLE} names")));
        }
        listing.unlisted = folders.unlisted().collect();
        Ok(listing.sorted())
    }
}

/// Where the table has what.
struct Columns {
    path: Column,
    label: Column,
    patient: Column,
    finding: Option<Column>,
    boxes: Option<Column>,
    view: Option<Column>,
    source: Option<Column>,
}

impl Columns {
    fn of(table: &Table) -> Result<Self, Error> {
        Ok(Self {
            path: table.column("path")?,
            label: table.column("label")?,
            patient: table.column("patient")?,
            finding: table.optional("finding")?,
            boxes: table.optional("boxes")?,
            view: table.optional("view")?,
            source: table.optional("source")?,
        })
    }

    fn record(&self, row: &Row<'_>) -> Result<ImageRecord, Error> {
        let path = below_root(&row.get(self.path)?).map_err(|reason| row.error(self.path, reason))?;
        let text = row.get(self.label)?;
        row.refuse_swallowed(self.label, |cell| class::label(cell).is_some())?;
        let label = class::label(&text)
            .ok_or_else(|| row.error(self.label, format!("`{text}` is not {}", class::known())))?;
        let patient = row.get(self.patient)?;
        if is_cut_number(&patient) {
            let reason = format!(
                "`{patient}` is a number that a spreadsheet has cut short: format the column as text"
            );
            return Err(row.error(self.patient, reason));
        }
        let patient = PatientId::new(&patient);
        if patient.is_none() && Kind::of(&path) != Some(Kind::Dicom) {
            return Err(row.error(self.patient, "only a DICOM file (.dcm) can do without: its header tells"));
        }
        // A row may end before columns that it does not need.
        let optional = |column: Option<Column>| match column.filter(|column| row.reaches(*column)) {
            None => Ok(None),
            Some(column) => row.get(column).map(|text| Some(text).filter(|text| !text.is_empty())),
        };
        let boxes = match (optional(self.boxes)?, self.boxes) {
            (Some(text), Some(column)) => boxes::parse(&text).map_err(|reason| row.error(column, reason))?,
            _ => Vec::new(),
        };
        Ok(ImageRecord {
            name: path.to_string_lossy().into_owned(),
            path,
            source: optional(self.source)?
                .map_or_else(|| CARD.name.clone(), |source| format!("{}-{source}", CARD.name)),
            patient,
            study: None,
            label,
            finding: match self.finding {
                Some(_) => findings(&optional(self.finding)?.unwrap_or_default()),
                None => label.name().to_owned(),
            },
            view: optional(self.view)?,
            modality: None,
            boxes,
            markers: Vec::new(),
        })
    }
}

/// Several findings of an image in one spelling: each once, sorted.
fn findings(text: &str) -> String {
    let each: BTreeSet<&str> = text.split('|').map(str::trim).filter(|one| !one.is_empty()).collect();
    each.into_iter().collect::<Vec<_>>().join("|")
}

/// Whether it is a number as a spreadsheet writes a long one: `1.70E+10`, or with a comma.
fn is_cut_number(text: &str) -> bool {
    let Some((digits, power)) = text.split_once("E+") else { return false };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number(power) && is_number(&digits.replacen(['.', ','], "", 1))
}

/// A path of the table, if it stays in the data set's folder; otherwise what is wrong with it.
fn below_root(text: &str) -> Result<PathBuf, String> {
    let mut path = PathBuf::new();
    for component in Path::new(text).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            _ => return Err(format!("`{text}` leaves the data set's folder")),
        }
    }
    if text.contains('\\') {
        return Err(format!("`{text}`: write / between folders"));
    }
    if path.as_os_str().is_empty() { Err("there is no path".to_owned()) } else { Ok(path) }
}

/// The folders that the table's paths lead to, each listed once. They are told apart as text, since `below_root` gives
/// one spelling to each: that is faster than as paths.
struct Folders<'a> {
    root: &'a Path,
    files: HashMap<OsString, HashMap<String, File>>,
}

/// What is known of a file before a row names it.
#[derive(Clone, Copy, PartialEq)]
enum File {
    /// It is there, and no row has named it.
    Unnamed,
    /// A row has named it before, there or not.
    Named,
    /// It is not there.
    Absent,
}

impl Folders<'_> {
    /// What was known of the file up to now: from here on it is named.
    fn name(&mut self, path: &Path) -> Result<File, Error> {
        let folder = path.parent().unwrap_or(Path::new("")).as_os_str();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !self.files.contains_key(folder) {
            let names = files::file_names(&self.root.join(folder))?;
            let unnamed = names.into_iter().map(|name| (name, File::Unnamed)).collect();
            self.files.insert(folder.to_owned(), unnamed);
        }
        let files = self.files.get_mut(folder).expect("the folder is listed");
        if let Some(file) = files.get_mut(&*name) {
            return Ok(std::mem::replace(file, File::Named));
        }
        files.insert(name.into_owned(), File::Named);
        Ok(File::Absent)
    }

    /// Every file in them that no row names and that is an image by its extension.
    fn unlisted(&self) -> impl Iterator<Item = PathBuf> {
        self.files.iter().flat_map(|(folder, files)| {
            let unnamed = files.iter().filter(|(_, file)| **file == File::Unnamed);
            let paths = unnamed.map(move |(name, _)| Path::new(folder).join(name));
            paths.filter(|path| path.extension().is_some() && Kind::of(path).is_some())
        })
    }
}

//! What can be wrong with a data set's folder.

use std::io;
use std::path::{Path, PathBuf};

use crate::Card;

/// Why a folder could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No adapter has this name.
    #[error("no data set is called `{name}`{}; known are {known}", .nearest.map(|n| format!(", did you mean `{n}`?")).unwrap_or_default())]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The known name closest in spelling.
        nearest: Option<&'static str>,
        /// Every known name.
        known: String,
    },
    /// The folder is not laid out as the card says.
    #[error("no {wanted} in {}: {}lay it out as\n{layout}", .root.display(), .publisher.as_ref().map(|from| format!("get {from} and ")).unwrap_or_default())]
    Layout {
        /// The data set's folder.
        root: PathBuf,
        /// What was looked for.
        wanted: String,
        /// The data set's title, and the publisher's page; `None` for a hospital's own.
        publisher: Option<String>,
        /// The layout that is wanted.
        layout: String,
    },
    /// A table is in another encoding.
    #[error("{}, line {line}: a letter is not UTF-8: save the table as CSV UTF-8, or names that differ in it become one", .path.display())]
    NotUtf8 {
        /// The table.
        path: PathBuf,
        /// The first such line, from 1.
        line: usize,
    },
    /// A row of a table has more cells than the header.
    #[error("{}, line {line}: more cells than the header names: put a cell with a comma in it between quotes", .path.display())]
    LongRow {
        /// The table.
        path: PathBuf,
        /// The line on which the row begins, from 1.
        line: usize,
    },
    /// A cell of a table goes on over a line's end where it must not: a quote may have swallowed rows.
    #[error("{}, line {line}: a cell goes on over the line's end: close its quote, or take the line break out", .path.display())]
    OpenQuote {
        /// The table.
        path: PathBuf,
        /// The line on which the row begins, from 1.
        line: usize,
    },
    /// A table has a column twice.
    #[error("{}: two columns are called `{column}`: take one out", .path.display())]
    ColumnTwice {
        /// The table.
        path: PathBuf,
        /// The column.
        column: &'static str,
    },
    /// A table lacks a column.
    #[error("{}: no column `{column}`; the header has {found}", .path.display())]
    Column {
        /// The table.
        path: PathBuf,
        /// The column that was looked for.
        column: &'static str,
        /// The columns that are there.
        found: String,
    },
    /// A cell of a table cannot be used.
    #[error("{}, line {line}, column `{column}`: {reason}", .path.display())]
    Cell {
        /// The table.
        path: PathBuf,
        /// The line on which the row begins, from 1.
        line: usize,
        /// The column.
        column: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Two files claim to be the same image.
    #[error("{} and {} are both image `{name}`: keep one", .first.display(), .second.display())]
    SameImage {
        /// The publisher's name of the image.
        name: String,
        /// The one file.
        first: PathBuf,
        /// The other file.
        second: PathBuf,
    },
    /// A folder that should be named after a class is not.
    #[error("{}: this folder's name is no class: call it {known}, or take it out of the data set", .path.display())]
    NotAClass {
        /// The folder.
        path: PathBuf,
        /// Every word that names a class.
        known: String,
    },
    /// A folder of a class within that of another.
    #[error("{}: this folder is called as one class and lies in that of another: take it out of there, or call it otherwise", .path.display())]
    ClassInClass {
        /// The folder, relative to the data set's.
        path: PathBuf,
    },
    /// File names that cannot hold patients.
    #[error("{}: by their names {pictures} pictures are of {}: name them <patient>_<image>, put them into one folder per patient, or name the patients in a table (dataset=csv)", .folder.display(), if *.patients == 1 { "one patient".to_owned() } else { format!("{patients} patients") })]
    FewPatients {
        /// The data set's folder, or a class's.
        folder: PathBuf,
        /// How many pictures there are.
        pictures: usize,
        /// Of how many patients.
        patients: usize,
    },
    /// A data set cannot be called so.
    #[error("a data set cannot be called `{name}`: {reason}")]
    Name {
        /// The name.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// The file system refused; the message names the file.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Error {
    /// `root` lacks `wanted`, so it is not the folder that `card` describes.
    pub(crate) fn layout(card: &Card, root: &Path, wanted: impl Into<String>) -> Self {
        Self::Layout {
            root: root.to_owned(),
            wanted: wanted.into(),
            publisher: (!card.own).then(|| format!("{} from {}", card.title, card.source)),
            layout: card.layout.clone(),
        }
    }

    /// `name` is the name of two files.
    pub(crate) fn same_image(name: &str, one: PathBuf, other: PathBuf) -> Self {
        let (first, second) = if one < other { (one, other) } else { (other, one) };
        Self::SameImage { name: name.to_owned(), first, second }
    }
}

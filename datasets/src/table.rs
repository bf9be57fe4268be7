//! CSV tables as publishers and spreadsheets write them: byte order marks, semicolons, tabs, CRLF, blank lines, line breaks
//! inside quotes, ragged rows.

use std::io;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder};

use crate::Error;

/// A table whose first line names the columns.
pub(crate) struct Table {
    path: PathBuf,
    bytes: Vec<u8>,
    /// What stands between cells.
    separator: u8,
    header: Vec<String>,
    /// One of its quotes has no other: what follows it is not what it looks like.
    open_quote: bool,
}

/// A column that the header has.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    name: &'static str,
    index: usize,
}

/// One row, which knows where it stands.
pub(crate) struct Row<'t> {
    table: &'t Table,
    fields: ByteRecord,
}

impl Table {
    /// Reads the table `path` into memory; `Ok(None)` when there is no such file.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, Error> {
        let bytes = match fs_err::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if let Err(error) = std::str::from_utf8(&bytes) {
            let line = bytes[..error.valid_up_to()].split(|&byte| byte == b'\n').count();
            return Err(Error::NotUtf8 { path: path.to_owned(), line });
        }
        let separator = separator(&bytes);
        let header =
            reader(&bytes, separator).byte_headers().map_err(io::Error::from)?.iter().map(text).collect();
        let open_quote = bytes.iter().filter(|&&byte| byte == b'"').count() % 2 == 1;
        Ok(Some(Self { path: path.to_owned(), bytes, separator, header, open_quote }))
    }

    /// The column called `name`, or else the one that is called so but for capitals.
    pub(crate) fn column(&self, name: &'static str) -> Result<Column, Error> {
        let named = |is: fn(&str, &str) -> bool| {
            let places = (0..self.header.len()).filter(move |&index| is(&self.header[index], name));
            places.collect::<Vec<_>>()
        };
        let exact = named(|known, name| known == name);
        let places = if exact.is_empty() { named(str::eq_ignore_ascii_case) } else { exact };
        let mut places = places.into_iter();
        match (places.next(), places.next()) {
            (Some(index), None) => Ok(Column { name, index }),
            (Some(_), Some(_)) => Err(Error::ColumnTwice { path: self.path.clone(), column: name }),
            (None, _) => Err(Error::Column {
                path: self.path.clone(),
                column: name,
                found: self.header.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// The column called `name`, if there is one.
    ///
    /// # Errors
    /// When there is none but one of almost that name: what it holds would be lost without a word.
    pub(crate) fn optional(&self, name: &'static str) -> Result<Option<Column>, Error> {
        match self.column(name) {
            Ok(column) => Ok(Some(column)),
            Err(error @ Error::ColumnTwice { .. }) => Err(error),
            Err(error) if self.header.iter().any(|known| is_misspelt(name, known)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// The rows below the header, without those that hold nothing.
    ///
    /// # Errors
    /// A row holds more than the header names: a comma in a cell without quotes has moved what follows it. A cell goes on
    /// over a line's end, and a quote of the table is not closed: it may have swallowed rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Result<Row<'_>, Error>> {
        let rows = reader(&self.bytes, self.separator).into_byte_records();
        rows.map(|fields| Ok(Row { table: self, fields: fields.map_err(io::Error::from)? }))
            .filter(|row| row.as_ref().map_or(true, |row| row.fields.iter().any(|field| !field.is_empty())))
            .map(|row: Result<Row<'_>, Error>| {
                let row = row?;
                let mut beyond = row.fields.iter().skip(self.header.len());
                if beyond.any(|field| !field.is_empty()) {
                    return Err(Error::LongRow { path: self.path.clone(), line: row.line() });
                }
                if self.open_quote && row.fields.iter().any(goes_on) {
                    return Err(row.open_quote());
                }
                Ok(row)
            })
    }
}

impl Row<'_> {
    /// Whether it has a cell in `column`.
    pub(crate) fn reaches(&self, column: Column) -> bool {
        self.fields.get(column.index).is_some()
    }

    /// The text in `column`, without surrounding blanks; a row that ends before it is an error, and so is a line break: what
    /// is read of a table are words, and rows that a quote swallowed would be one.
    pub(crate) fn get(&self, column: Column) -> Result<String, Error> {
        let field = self.fields.get(column.index);
        if field.is_some_and(goes_on) {
            return Err(self.open_quote());
        }
        field.map(text).ok_or_else(|| self.error(column, "the row ends before this column"))
    }

    /// Refuses a cell, of whatever column, that holds a line which would be a row: one whose cell in `column` is what `is` says.
    pub(crate) fn refuse_swallowed(&self, column: Column, is: impl Fn(&str) -> bool) -> Result<(), Error> {
        let is_row = |line: &str| {
            line.split(char::from(self.table.separator)).nth(column.index).is_some_and(|cell| is(cell.trim()))
        };
        let mut cells = self.fields.iter().filter(|field| goes_on(field)).map(text);
        if cells.any(|cell| cell.lines().any(is_row)) { Err(self.open_quote()) } else { Ok(()) }
    }

    fn open_quote(&self) -> Error {
        Error::OpenQuote { path: self.table.path.clone(), line: self.line() }
    }

    /// An error at this row's `column`.
    pub(crate) fn error(&self, column: Column, reason: impl Into<String>) -> Error {
        Error::Cell {
            path: self.table.path.clone(),
            line: self.line(),
            column: column.name,
            reason: reason.into(),
        }
    }

    /// The line on which it begins, from 1.
    fn line(&self) -> usize {
        // The row's position may still stand before the line ends and blank lines that precede it.
        let bytes = &self.table.bytes;
        let start = self.fields.position().map_or(0, |position| position.byte() as usize).min(bytes.len());
        let blank = bytes[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        bytes[..start + blank].split(|&byte| byte == b'\n').count()
    }
}

/// Whether a cell has more lines than one.
fn goes_on(field: &[u8]) -> bool {
    field.trim_ascii().contains(&b'\n')
}

fn is_misspelt(name: &str, known: &str) -> bool {
    let known = known.to_lowercase();
    known == name || strsim::normalized_damerau_levenshtein(name, &known) >= 0.75
}

/// What stands between the cells of the header: a comma, or what a spreadsheet writes in countries of the decimal comma.
fn separator(bytes: &[u8]) -> u8 {
    let header = bytes.trim_ascii_start().split(|&byte| byte == b'\n').next().unwrap_or_default();
    [b',', b';', b'\t'].into_iter().find(|separator| header.contains(separator)).unwrap_or(b',')
}

fn reader(bytes: &[u8], separator: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().delimiter(separator).flexible(true).trim(csv::Trim::All).from_reader(bytes)
}

fn text(field: &[u8]) -> String {
    std::str::from_utf8(field).expect("all of the table is UTF-8").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(bytes: &[u8]) -> Table {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        fs_err::write(&path, bytes).unwrap();
        Table::open(&path).unwrap().unwrap()
    }

    fn line_of(table: &Table, value: &str) -> usize {
        let column = table.column("b").unwrap();
        let row = table.rows().map(Result::unwrap).find(|row| row.get(column).unwrap() == value).unwrap();
        let Error::Cell { line, .. } = row.error(column, "") else { unreachable!() };
        line
    }

    #[test]
    fn quirks_of_spreadsheets_are_read() {
        let text =
            "\u{feff}a, b ,c\r\n1,x,\r\n\r\n,,\r\n2,\"one, \"\"quoted\"\"\",\"two\r\nlines\"\r\n3,z\r\n";
        let table = table(text.as_bytes());
        let (a, b) = (table.column("a").unwrap(), table.column("b").unwrap());
        let rows: Vec<_> =
            table.rows().map(Result::unwrap).map(|r| (r.get(a).unwrap(), r.get(b).unwrap())).collect();
        let expected = [("1", "x"), ("2", "one, \"quoted\""), ("3", "z")];
        assert_eq!(rows, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn cells_may_stand_between_semicolons_or_tabs_and_columns_be_written_large() {
        for separator in [";", "\t"] {
            let table = table(
                ["A,B,c", "1,\"x; y, z\",", "2,v,"]
                    .join("\n")
                    .replace(',', separator)
                    .replace("y; z", "y, z")
                    .as_bytes(),
            );
            let b = table.column("b").unwrap();
            let cells: Vec<_> = table.rows().map(|row| row.unwrap().get(b).unwrap()).collect();
            assert_eq!(cells.len(), 2, "{cells:?}");
            assert!(cells[0].starts_with("x; y") && cells[1] == "v", "{cells:?}");
        }
        let both = table(b"a,A,b\n1,2,3\n");
        assert_eq!(both.rows().next().unwrap().unwrap().get(both.column("a").unwrap()).unwrap(), "1");
        assert!(both.column("B").is_ok());
    }

    #[test]
    fn errors_name_the_line_an_editor_shows() {
        for end in ["\n", "\r\n"] {
            let text = ["a,b,c", "1,x,", "", "", "2,y,\"n", "n\"", "3,z,", ""].join(end);
            let table = table(text.as_bytes());
            assert_eq!([line_of(&table, "x"), line_of(&table, "z")], [2, 7], "line ends are {end:?}");
        }
    }

    #[test]
    fn a_quote_that_swallows_rows_is_refused() {
        for (text, line) in [
            ("a,b\n1,\"x\n2,y\n3,\"z\"\n4,v\n", 2),   // up to the next quote
            ("a,b\n1,x\n2,\"y\n3,z\n", 3),            // up to the end
            ("a,b,c\n1,x,\"n\n2,y,\n3,z,m\"\"\n", 2), // in a column that nobody asks for
        ] {
            let table = table(text.as_bytes());
            let b = table.column("b").unwrap();
            let message =
                table.rows().find_map(|row| row.and_then(|row| row.get(b)).err()).unwrap().to_string();
            assert!(
                message.contains(&format!("table.csv, line {line}")) && message.contains("quote"),
                "{message}"
            );
        }
    }

    #[test]
    fn what_would_merge_patients_is_refused() {
        let comma = table(b"a,b\n1,x,\n2,Smith, John\n");
        let message = comma.rows().find_map(Result::err).unwrap().to_string();
        assert!(message.contains("table.csv, line 3") && message.contains("quotes"), "{message}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        fs_err::write(&path, b"a,b\n1,x\n2,M\xfcller\n").unwrap();
        let message = Table::open(&path).err().unwrap().to_string();
        assert!(message.contains("table.csv, line 3") && message.contains("UTF-8"), "{message}");
    }

    #[test]
    fn what_lacks_is_named() {
        let twice = table(b"a,b,b\n1,x,y\n").optional("b").err().unwrap().to_string();
        assert!(twice.contains("table.csv") && twice.contains("`b`"), "{twice}");
        let table = table(b"a,b\n1\n");
        let message = table.column("c").err().unwrap().to_string();
        assert!(message.contains("table.csv") && message.contains("`c`") && message.contains("`a`, `b`"));
        let row = table.rows().next().unwrap().unwrap();
        let message = row.get(table.column("b").unwrap()).unwrap_err().to_string();
        assert!(message.contains("table.csv, line 2, column `b`"), "{message}");
    }
}

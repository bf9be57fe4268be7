//! Tables for the terminal: one look for every stage.

use std::{fmt, io::IsTerminal};

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, TableStyle};

/// A column of a [`Table`].
#[derive(Clone, Debug)]
pub struct Column {
    title: String,
    alignment: CellAlignment,
}

impl Column {
    /// A column of words, flush left.
    pub fn text(title: impl Into<String>) -> Self {
        Self { title: title.into(), alignment: CellAlignment::Left }
    }

    /// A column of numbers, flush right.
    pub fn number(title: impl Into<String>) -> Self {
        Self { title: title.into(), alignment: CellAlignment::Right }
    }
}

/// A summary table. `Display` gives plain ASCII lines of any width, fit for files and pipes; [`Table::for_terminal`]
/// fits the terminal's width.
#[derive(Clone, Debug)]
pub struct Table(comfy_table::Table);

impl Table {
    /// A table without rows.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        let columns: Vec<Column> = columns.into_iter().collect();
        let mut table = comfy_table::Table::new();
        table.set_header(columns.iter().map(|column| &column.title));
        for (index, column) in columns.iter().enumerate() {
            if let Some(cells) = table.column_mut(index) {
                cells.set_cell_alignment(column.alignment);
            }
        }
        Self(table)
    }

    /// Adds a row: one cell per column.
    pub fn row<T: fmt::Display>(&mut self, cells: impl IntoIterator<Item = T>) -> &mut Self {
        self.0.add_row(cells.into_iter().map(|cell| cell.to_string()).collect::<Vec<_>>());
        self
    }

    /// Prints the table: fitted to the terminal, or plain where standard output is none.
    pub fn print(&self) {
        if std::io::stdout().is_terminal() {
            println!("{}", self.for_terminal());
        } else {
            println!("{self}");
        }
    }

    /// The table with box-drawing lines, broken to the terminal's width.
    pub fn for_terminal(&self) -> String {
        let mut table = self.0.clone();
        table.set_content_arrangement(ContentArrangement::Dynamic);
        lines(&mut table, '─')
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = self.0.clone();
        table.force_no_tty();
        f.write_str(&lines(&mut table, '-'))
    }
}

fn lines(table: &mut comfy_table::Table, rule: char) -> String {
    let rule = LineStyle::none().fill(rule).junction(rule);
    table.load_style(TableStyle::new().header_separator(rule)).trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_flush_right_in_plain_ascii() {
        let mut table = Table::new([Column::text("set"), Column::number("images")]);
        table.row(["validation", "1,234"]).row(["ood", "56"]);
        assert_eq!(
            table.to_string(),
            " set          images\n---------------------\n validation    1,234\n ood              56"
        );
        assert!(table.to_string().is_ascii());
        assert!(table.for_terminal().contains('─'));
    }
}

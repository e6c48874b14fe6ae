//! Tables: headers in capitals, two spaces apart, text left, numbers right, no rules. Owns widths and
//! what goes first when a terminal is narrow; must not know what the columns mean, nor print.

mod cell;
mod layout;

pub use cell::Cell;
use layout::{GAP, Layout};

use super::escape::cut;
use super::style::{Look, paint_into};

/// Which side a column keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its header.
    pub title: &'static str,
    /// Its side.
    pub align: Align,
    /// Its place in the order in which columns go when there is no room; `None` = it stays.
    pub goes: Option<u8>,
    /// It may be cut when dropping columns was not enough.
    pub shrinks: bool,
    /// It is cut before any column goes, but not below this.
    pub yields_to: Option<usize>,
}

impl Column {
    /// Text that stays.
    #[must_use]
    pub const fn left(title: &'static str) -> Self {
        Self { title, align: Align::Left, goes: None, shrinks: false, yields_to: None }
    }

    /// A number that stays.
    #[must_use]
    pub const fn right(title: &'static str) -> Self {
        Self { title, align: Align::Right, goes: None, shrinks: false, yields_to: None }
    }

    /// The same column, dropped as number `order`.
    #[must_use]
    pub const fn goes(self, order: u8) -> Self {
        Self { goes: Some(order), ..self }
    }

    /// The same column, cut at need.
    #[must_use]
    pub const fn shrinks(self) -> Self {
        Self { shrinks: true, ..self }
    }

    /// The same column, cut before any other goes: words that say enough with their beginning.
    #[must_use]
    pub const fn yields(self) -> Self {
        Self { shrinks: true, yields_to: Some(24), ..self }
    }
}

/// Columns and rows on their way to lines.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    headers: bool,
    indent: usize,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new(), headers: true, indent: 0 }
    }

    /// Without the first line.
    #[must_use]
    pub fn headers(mut self, headers: bool) -> Self {
        self.headers = headers;
        self
    }

    /// Every line that far in.
    #[must_use]
    pub fn indented(mut self, indent: usize) -> Self {
        self.indent = indent;
        self
    }

    /// Whether anything but `-` stands in that column.
    fn says_something(&self, index: usize) -> bool {
        self.rows.iter().any(|row| row[index].text != "-")
    }

    /// Adds a row; it has a cell for each column.
    pub fn row(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells);
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True without any row; such a table is not shown at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines, each ended by a newline. Empty without rows.
    #[must_use]
    pub fn render(&self, look: Look) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let layout = Layout::fit(self, look);
        let mut text = String::with_capacity((self.rows.len() + 1) * 96);
        if self.headers {
            let titles: Vec<Cell> = self.columns.iter().map(|column| Cell::new(column.title)).collect();
            self.line(&mut text, &titles, &layout, look);
        }
        for row in &self.rows {
            self.line(&mut text, row, &layout, look);
        }
        text
    }

    fn line(&self, text: &mut String, cells: &[Cell], layout: &Layout, look: Look) {
        // Spaces are written late, so that no line ends in them.
        let mut owed = self.indent;
        for (place, &index) in layout.shown.iter().enumerate() {
            let (column, cell, room) = (&self.columns[index], &cells[index], layout.widths[index]);
            if place > 0 {
                owed += GAP;
            }
            let (shown, wide) = if cell.width > room {
                (cut(&cell.text, room, look.unicode), room)
            } else {
                (cell.text.as_str().into(), cell.width)
            };
            if column.align == Align::Right {
                owed += room - wide;
            }
            if wide > 0 {
                text.extend(std::iter::repeat_n(' ', owed));
                match cell.tail {
                    Some((at, tail)) if cell.width == wide => {
                        paint_into(text, &shown[..at - 1], cell.tone, look);
                        text.push(' ');
                        paint_into(text, &shown[at..], tail, look);
                    }
                    _ => paint_into(text, &shown, cell.tone, look),
                }
                owed = 0;
            }
            if column.align == Align::Left {
                owed += room - wide;
            }
        }
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new(vec![
            Column::left("TARGET"),
            Column::left("NAME").shrinks(),
            Column::right("CPU").goes(2),
            Column::left("TEMPLATE").goes(1),
        ]);
        table.row(vec![Cell::new("homelab/107"), Cell::new("build-3"), Cell::new("64%"), Cell::new("web")]);
        table.row(vec![Cell::new("edge/1"), Cell::new("日本"), Cell::new("-"), Cell::known(None::<&str>)]);
        table
    }

    #[test]
    fn columns_line_up() {
        assert_eq!(
            sample().render(Look::PIPE),
            "TARGET       NAME     CPU  TEMPLATE\nhomelab/107  build-3  64%  web\nedge/1       日本       -  -\n"
        );
    }

    #[test]
    fn narrow_terminals_lose_columns_then_names() {
        let at = |width| sample().render(Look { width: Some(width), ..Look::PIPE });
        assert_eq!(at(30).lines().next(), Some("TARGET       NAME     CPU"));
        assert_eq!(at(20).lines().next(), Some("TARGET       NAME"));
        assert_eq!(at(18).lines().nth(1), Some("homelab/107  buil…"));
    }

    #[test]
    fn words_that_yield_are_cut_before_columns_go() {
        let mut table =
            Table::new(vec![Column::left("OP"), Column::left("BY").goes(1), Column::left("DETAIL").yields()]);
        table.row(vec![
            Cell::new("c81f03d7"),
            Cell::new("ops"),
            Cell::new("bridge 'vmbr9' does not exist, says Proxmox"),
        ]);
        let at =
            |width| table.render(Look { width: Some(width), ..Look::PIPE }).lines().nth(1).map(str::to_owned);
        assert_eq!(at(50).as_deref(), Some("c81f03d7  ops  bridge 'vmbr9' does not exist, say…"));
        assert_eq!(at(39).as_deref(), Some("c81f03d7  ops  bridge 'vmbr9' does not…"));
        assert_eq!(at(38).as_deref(), Some("c81f03d7  bridge 'vmbr9' does not exi…"));
    }

    #[test]
    fn where_all_was_asked_for_only_what_says_nothing_goes() {
        let mut table = sample();
        table.rows[0][3] = Cell::known(None::<&str>);
        let at = |table: &Table, width| {
            table
                .render(Look { width: Some(width), whole: true, ..Look::PIPE })
                .lines()
                .next()
                .map(str::to_owned)
        };
        assert_eq!(at(&table, 80).as_deref(), Some("TARGET       NAME     CPU  TEMPLATE"));
        assert_eq!(at(&table, 10).as_deref(), Some("TARGET       NAME     CPU"));
        assert_eq!(at(&sample(), 10).as_deref(), Some("TARGET       NAME     CPU  TEMPLATE"));
    }

    #[test]
    fn nothing_is_cut_in_a_pipe_and_nothing_shown_without_rows() {
        assert_eq!(Table::new(vec![Column::left("NAME")]).render(Look::PIPE), "");
        assert!(sample().headers(false).render(Look::PIPE).starts_with("homelab/107"));
    }
}

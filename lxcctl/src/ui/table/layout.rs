//! Which columns a table shows, and how wide. Owns what gives way first where there is no room; must not
//! know what stands in the cells.

use super::super::escape::width;
use super::super::style::Look;
use super::Table;

/// Blanks between two columns.
pub(super) const GAP: usize = 2;
/// No column is cut below this.
const NARROWEST: usize = 4;

/// Which columns are shown, and how wide.
pub(super) struct Layout {
    pub(super) shown: Vec<usize>,
    pub(super) widths: Vec<usize>,
}

impl Layout {
    /// In a pipe everything; on a terminal first what yields is cut, then columns go in their order, then
    /// what may shrink is cut. Where every column was asked for, only those go that are `-` from top to bottom.
    pub(super) fn fit(table: &Table, look: Look) -> Self {
        let mut wanted: Vec<usize> =
            table.columns.iter().map(|column| if table.headers { width(column.title) } else { 0 }).collect();
        for row in &table.rows {
            for (widest, cell) in wanted.iter_mut().zip(row) {
                *widest = (*widest).max(cell.width);
            }
        }
        // A column that is empty from top to bottom is not there.
        let mut shown: Vec<usize> = (0..table.columns.len()).filter(|&index| wanted[index] > 0).collect();
        let Some(room) = look.width else { return Self { shown, widths: wanted } };
        let mut widths: Vec<usize> = wanted
            .iter()
            .zip(&table.columns)
            .map(|(&wanted, column)| column.yields_to.map_or(wanted, |least| wanted.min(least)))
            .collect();
        let total = |shown: &[usize], widths: &[usize]| {
            table.indent
                + shown.iter().map(|&index| widths[index]).sum::<usize>()
                + GAP * shown.len().saturating_sub(1)
        };
        if look.whole {
            if total(&shown, &wanted) > room {
                shown.retain(|&index| table.columns[index].goes.is_none() || table.says_something(index));
            }
            return Self { shown, widths: wanted };
        }
        while total(&shown, &widths) > room {
            let first = shown
                .iter()
                .copied()
                .filter(|&index| table.columns[index].goes.is_some())
                .min_by_key(|&index| table.columns[index].goes);
            let Some(first) = first else { break };
            shown.retain(|&index| index != first);
        }
        while total(&shown, &widths) > room {
            let widest = shown
                .iter()
                .copied()
                .filter(|&index| table.columns[index].shrinks && widths[index] > NARROWEST)
                .max_by_key(|&index| widths[index]);
            let Some(widest) = widest else { break };
            let over = total(&shown, &widths) - room;
            widths[widest] -= over.min(widths[widest] - NARROWEST);
        }
        // What yielded takes the room that is left.
        for &index in &shown {
            let left = room.saturating_sub(total(&shown, &widths));
            widths[index] += left.min(wanted[index].saturating_sub(widths[index]));
        }
        Self { shown, widths }
    }
}

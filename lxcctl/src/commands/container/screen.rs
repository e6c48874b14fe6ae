//! What of a list fits on a screen: the table cut at its end, what is said below it, and the mark on a picture that
//! is old. Pure: lines and a size in, lines out; must not draw.

use lxc_core::text;

use crate::ui::escape::painted_width;
use crate::ui::style::{Look, Tone, paint};

/// Everything there is to show.
pub(super) struct Picture<'a> {
    /// How many seconds ago lxcd was lost, if it is not there.
    pub(super) away: Option<u64>,
    /// The table as it is rendered; plain while lxcd is away.
    pub(super) table: &'a str,
    /// Its first line is no row.
    pub(super) headers: bool,
    /// Warnings and hints.
    pub(super) remarks: &'a [String],
}

/// The lines that are drawn on that many columns and rows: they never take more of them.
pub(super) fn fit(picture: &Picture<'_>, (columns, rows): (usize, usize), look: Look) -> Vec<String> {
    let screen = Screen { columns: columns.max(1), dots: if look.unicode { "…" } else { "..." } };
    let mut lines = Vec::new();
    let old = |line: &str| match picture.away {
        Some(_) => paint(line, Tone::Dim, look),
        None => line.to_owned(),
    };
    if let Some(seconds) = picture.away {
        let mark = format!("lxcd unreachable since {}; showing what was last seen", text::age(seconds));
        lines.push(paint(&mark, Tone::Yellow, look));
    }
    let table: Vec<String> = picture.table.lines().map(old).collect();
    let remarks: Vec<String> = picture.remarks.iter().flat_map(|remark| remark.lines()).map(old).collect();
    let room = rows.saturating_sub(screen.height(&lines));
    // Many warnings must not push away what they are about.
    let spare = room.saturating_sub(screen.height(&table));
    let below = screen.cut(remarks, spare.max(room / 3), 0, " below");
    let above =
        screen.cut(table, room.saturating_sub(screen.height(&below)), usize::from(picture.headers), "");
    lines.extend(above);
    lines.extend(below);
    // A screen of a line or two: what does not fit even so would move everything.
    while screen.height(&lines) > rows && lines.len() > 1 {
        lines.pop();
    }
    lines
}

struct Screen {
    columns: usize,
    dots: &'static str,
}

impl Screen {
    /// Rows that lines take, the long ones more than one.
    fn height(&self, lines: &[String]) -> usize {
        lines.iter().map(|line| painted_width(line).div_ceil(self.columns).max(1)).sum()
    }

    /// The lines as far as there is room, and how many more there are; the first `heads` are not counted.
    fn cut(&self, mut lines: Vec<String>, room: usize, heads: usize, what: &str) -> Vec<String> {
        if self.height(&lines) <= room {
            return lines;
        }
        let all = lines.len().saturating_sub(heads);
        // The last row says what is missing.
        while self.height(&lines) >= room && !lines.is_empty() {
            lines.pop();
        }
        if room > 0 {
            let left = all - lines.len().saturating_sub(heads);
            lines.push(format!("{} and {left} more{what}", self.dots));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Look = Look { width: Some(40), ..Look::PIPE };

    fn shown(rows: usize, remarks: &[&str], size: (usize, usize), away: Option<u64>) -> Vec<String> {
        let table: String = std::iter::once("TARGET".to_owned())
            .chain((1..=rows).map(|n| format!("homelab/{n}")))
            .fold(String::new(), |text, line| text + &line + "\n");
        let remarks: Vec<String> = remarks.iter().map(ToString::to_string).collect();
        let picture = Picture { away, table: &table, headers: true, remarks: &remarks };
        fit(&picture, size, PLAIN)
    }

    #[test]
    fn what_fits_is_shown_as_it_is() {
        assert_eq!(
            shown(2, &["warning: a"], (40, 4), None),
            ["TARGET", "homelab/1", "homelab/2", "warning: a"]
        );
    }

    #[test]
    fn the_last_row_says_how_many_are_missing() {
        assert_eq!(shown(40, &[], (40, 4), None), ["TARGET", "homelab/1", "homelab/2", "… and 38 more"]);
        let with_remarks = shown(40, &["warning: a"], (40, 6), None);
        assert_eq!(with_remarks[3..], ["homelab/3", "… and 37 more", "warning: a"]);
    }

    #[test]
    fn many_remarks_leave_room_for_the_table() {
        let remarks = ["w1", "w2", "w3", "w4", "w5"];
        assert_eq!(
            shown(40, &remarks, (40, 9), None),
            [
                "TARGET",
                "homelab/1",
                "homelab/2",
                "homelab/3",
                "homelab/4",
                "… and 36 more",
                "w1",
                "w2",
                "… and 3 more below"
            ]
        );
    }

    #[test]
    fn a_long_line_takes_the_rows_it_needs() {
        let long = "x".repeat(41);
        assert_eq!(shown(2, &[&long], (40, 5), None).len(), 4);
        assert_eq!(
            shown(3, &[&long], (40, 5), None),
            ["TARGET", "homelab/1", "homelab/2", "homelab/3", "… and 1 more below"]
        );
    }

    #[test]
    fn an_old_picture_says_so_first() {
        let lines = shown(2, &[], (40, 2), Some(12));
        assert_eq!(lines[0], "lxcd unreachable since 12s; showing what was last seen");
        let lines = shown(2, &[], (80, 3), Some(12));
        assert_eq!(lines[1..], ["TARGET", "… and 2 more"]);
        assert_eq!(shown(2, &[], (80, 1), None), ["… and 2 more"]);
    }
}

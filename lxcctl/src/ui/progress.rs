//! Progress: one moving line per target on a terminal, else a line per change. Owns both as pure
//! functions from what is known and the time; must not print.

use lxc_core::ids::Micros;
use lxc_core::text;

use super::escape::{cut, escape, width};
use super::style::{Look, Mark, Tone, paint};
use super::time::Instant;

/// As many lines as move at once.
const MOST_LINES: usize = 10;
/// Wider than this the time would stand too far away.
const WIDEST: usize = 98;

/// How far one target is.
#[derive(Debug, Clone)]
pub struct Progress<'a> {
    /// `homelab/104`
    pub target: &'a str,
    /// Hostname or `-`.
    pub name: &'a str,
    /// `starting`
    pub doing: &'static str,
    /// It has not begun: a lock or its turn is waited for.
    pub waiting: bool,
    /// `task on pve1`
    pub message: &'a str,
    /// Of the whole, where that is known.
    pub percent: Option<f64>,
    /// When Proxmox kills it.
    pub forced_at: Option<Instant>,
    /// When the operation was made.
    pub since: Micros,
}

/// Widths of the columns that are known before anything happens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Widths {
    target: usize,
    name: usize,
}

impl Widths {
    /// For these targets and names.
    pub fn of<'a>(all: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        all.fold(Self::default(), |widest, (target, name)| Self {
            target: widest.target.max(width(target)),
            name: widest.name.max(width(&escape(name))),
        })
    }
}

/// `  0.1s  homelab/104  web-1  starting  task on pve1`
#[must_use]
pub fn plain(progress: &Progress<'_>, widths: Widths, at: Micros) -> String {
    let tenths = (at - progress.since).max(0) / 100_000;
    let led = format!("{}.{}s", tenths / 10, tenths % 10);
    let line = format!("{led:>6}  {}", middle(progress, widths, &escape(progress.message)));
    line.trim_end().to_owned()
}

fn middle(progress: &Progress<'_>, widths: Widths, message: &str) -> String {
    let name = escape(progress.name);
    let percent = progress.percent.map_or(String::new(), |share| format!("  {share:.0}%"));
    format!(
        "{}{}  {name}{}  {}{percent}  {message}",
        progress.target,
        " ".repeat(widths.target.saturating_sub(width(progress.target))),
        " ".repeat(widths.name.saturating_sub(width(&name))),
        progress.doing,
    )
}

/// A picture of the mark that turns.
#[must_use]
pub fn spinner(frame: usize, look: Look) -> String {
    let pictures: &[&str] = if look.unicode {
        &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]
    } else {
        &["|", "/", "-", "\\"]
    };
    paint(pictures[frame % pictures.len()], Tone::Cyan, look)
}

/// The moving lines of all targets that have not ended.
#[must_use]
pub fn moving(
    running: &[Progress<'_>],
    widths: Widths,
    now: Micros,
    frame: usize,
    look: Look,
) -> Vec<String> {
    // The last column stays free: some terminals wrap when it is written.
    let room = look.width.unwrap_or(80).saturating_sub(1).clamp(20, WIDEST);
    let spin = spinner(frame, look);
    let still = paint(Mark::Unchanged.text(look), Mark::Unchanged.tone(), look);
    let mut lines: Vec<String> = running
        .iter()
        .take(MOST_LINES)
        .map(|progress| {
            let time = text::elapsed(now - progress.since);
            let text_room = room.saturating_sub(2 + 2 + width(&time));
            let message = countdown(progress, now);
            let body = middle(progress, widths, &escape(&message));
            let body = cut(body.trim_end(), text_room, look.unicode).into_owned();
            let gap = " ".repeat(room.saturating_sub(2 + width(&body) + width(&time)));
            let mark = if progress.waiting { &still } else { &spin };
            format!("{mark} {body}{gap}{}", paint(&time, Tone::Dim, look))
        })
        .collect();
    if running.len() > MOST_LINES {
        let more = if look.unicode { "…" } else { "..." };
        lines.push(paint(&format!("{more} and {} more", running.len() - MOST_LINES), Tone::Dim, look));
    }
    lines
}

/// While somebody watches, the grace is a countdown.
fn countdown(progress: &Progress<'_>, now: Micros) -> String {
    let Some(forced_at) = progress.forced_at else { return progress.message.to_owned() };
    let left = text::seconds_between(now, forced_at.0);
    let message = progress.message.split_once(", grace ").map_or(progress.message, |(before, _)| before);
    if left == 0 { message.to_owned() } else { format!("{message}, forced in {}", text::span(left)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web_1(message: &str) -> Progress<'_> {
        Progress {
            target: "homelab/104",
            name: "web-1",
            doing: "restarting",
            waiting: false,
            message,
            percent: None,
            forced_at: None,
            since: 1_000_000,
        }
    }

    #[test]
    fn plain_lines_are_led_by_the_seconds() {
        let progress = web_1("1/2 stopping, grace 30s");
        assert_eq!(
            plain(&progress, Widths::default(), 1_120_000),
            "  0.1s  homelab/104  web-1  restarting  1/2 stopping, grace 30s"
        );
        assert_eq!(&plain(&progress, Widths::default(), 31_190_000)[..8], " 30.1s  ");
    }

    #[test]
    fn a_moving_line_counts_down_and_ends_with_the_time() {
        let mut progress = web_1("1/2 stopping, grace 30s");
        progress.forced_at = Some(Instant(31_400_000));
        let look = Look { width: Some(100), ..Look::PIPE };
        let lines = moving(&[progress], Widths::default(), 10_400_000, 4, look);
        let body = "⠼ homelab/104  web-1  restarting  1/2 stopping, forced in 21s";
        assert_eq!(lines, [format!("{body}{:>width$}", "9.4s", width = 98 - width(body))]);
    }

    #[test]
    fn what_waits_stands_still() {
        let mut progress = web_1("op 4f9c2e1b");
        (progress.doing, progress.waiting) = ("waiting", true);
        let look = Look { width: Some(100), ..Look::PIPE };
        let lines = moving(&[progress], Widths::default(), 2_000_000, 3, look);
        assert!(lines[0].starts_with("· homelab/104  web-1  waiting  op 4f9c2e1b  "), "{lines:?}");
    }

    #[test]
    fn at_most_ten_lines_move_and_none_is_too_wide() {
        let many: Vec<Progress<'_>> = (0..12).map(|_| web_1("a rather long message that goes on")).collect();
        let look = Look { width: Some(40), ..Look::PIPE };
        let lines = moving(&many, Widths::default(), 2_000_000, 0, look);
        assert_eq!(lines.len(), 11);
        assert_eq!(lines[10], "… and 2 more");
        assert!(lines.iter().all(|line| width(line) < 40), "{lines:?}");
    }
}

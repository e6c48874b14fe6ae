//! The phases of a create, as a person watches them: a bar, and a line per phase with what it came to. Owns both as pure
//! functions of the events seen and the time; must not print.

use lxc_core::create::Phase;
use lxc_core::ids::Micros;
use lxc_core::text;

use super::escape::{cut, escape, width};
use super::progress::Progress;
use super::style::{Look, Mark, Tone, paint};
use crate::client::view::{Event, Operation, Step};

/// Characters of the bar.
const BAR: usize = 40;

/// One phase, as far as it was seen.
#[derive(Debug, Clone, Default)]
struct Row {
    since: Option<Micros>,
    until: Option<Micros>,
    /// What it came to.
    detail: String,
    /// What it does.
    doing: String,
    /// What was printed last.
    said: String,
    scripts: u32,
    failed: bool,
}

/// All phases of one operation.
#[derive(Debug, Clone)]
pub struct Phases {
    rows: [Row; Phase::ALL.len()],
    /// Those it will come to.
    due: usize,
}

impl Phases {
    /// Of a create; None for anything else.
    #[must_use]
    pub fn of(operation: &Operation) -> Option<Self> {
        if operation.verb != "create" {
            return None;
        }
        let mut phases = Self { rows: Default::default(), due: 0 };
        for step in &operation.steps {
            let Some(at) = phase_of(step) else { continue };
            phases.due = phases.due.max(at + 1);
            // What was done before, by the operation this one takes up.
            if step.state == "done" {
                let row = &mut phases.rows[at];
                row.since = row.since.or(step.started_at.map(|at| at.0));
                row.until = step.finished_at.map(|at| at.0);
            }
        }
        Some(phases)
    }

    /// Takes an event in.
    pub fn see(&mut self, event: &Event, steps: &[Step]) {
        let step = event.step.and_then(|step| steps.get(usize::try_from(step).ok()?.checked_sub(1)?));
        let Some(at) = step.and_then(phase_of) else { return };
        let time = event.time.0;
        for row in &mut self.rows[..at] {
            if row.since.is_some() {
                row.until.get_or_insert(time);
            }
        }
        let row = &mut self.rows[at];
        row.since.get_or_insert(time);
        row.until = None;
        match event.kind_of.as_str() {
            "progress" => {
                row.said.clear();
                row.doing.clone_from(&event.message);
                if at < 1 {
                    row.detail.clone_from(&event.message);
                }
            }
            "log" => row.said.clone_from(&event.message),
            "script_completed" => row.scripts += 1,
            "step" if at > 1 && step.is_some_and(|step| step.name != event.message) => {
                let comma = if row.detail.is_empty() { "" } else { "; " };
                row.detail = format!("{}{comma}{}", row.detail, event.message);
            }
            "created" | "started" => row.until = Some(time),
            _ => {}
        }
    }

    /// It has ended; what was under way then failed, unless all is well.
    pub fn end(&mut self, at: Micros, well: bool) {
        for row in self.rows.iter_mut().filter(|row| row.since.is_some() && row.until.is_none()) {
            row.until = Some(at);
            row.failed = !well;
        }
    }

    /// The lines below the bar; with `still` only what is over, as it stays.
    #[must_use]
    pub fn lines(&self, now: Micros, frame: &str, still: bool, look: Look) -> Vec<String> {
        let room = look.width.unwrap_or(100).saturating_sub(1).max(20);
        let line = |(phase, row): (Phase, &Row)| {
            let over = row.until.is_some();
            if still && !over {
                return None;
            }
            let took = row.since.map(|since| text::elapsed(row.until.unwrap_or(now) - since));
            let mark = match (row.since, over) {
                (None, _) => paint(Mark::Unchanged.text(look), Tone::Dim, look),
                (Some(_), true) if row.failed => paint(Mark::Failed.text(look), Tone::Red, look),
                (Some(_), true) => paint(Mark::Done.text(look), Tone::Green, look),
                (Some(_), false) => frame.to_owned(),
            };
            let what = if over { row.came_to() } else { row.does() };
            let text = format!("{:<9} {:>6}  {}", phase.name(), took.unwrap_or_default(), escape(&what));
            let text = cut(text.trim_end(), room.saturating_sub(4), look.unicode).into_owned();
            let tone = match (row.since, over) {
                (Some(_), false) => Tone::Bold,
                _ => Tone::Dim,
            };
            Some(format!("  {mark} {}", paint(&text, tone, look)))
        };
        Phase::ALL.into_iter().zip(&self.rows).take(self.due).filter_map(line).collect()
    }
}

impl Row {
    fn came_to(&self) -> String {
        let scripts = (self.scripts > 0).then(|| text::counted(u64::from(self.scripts), "script"));
        let all = [Some(self.detail.clone()).filter(|detail| !detail.is_empty()), scripts];
        all.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    fn does(&self) -> String {
        if self.said.trim().is_empty() {
            self.doing.clone()
        } else {
            format!("{}: {}", self.doing, self.said.trim())
        }
    }
}

/// The place of the phase a step belongs to.
fn phase_of(step: &Step) -> Option<usize> {
    let phase = match step.name.split(':').next()? {
        "create" => Phase::Create,
        "start" => Phase::Start,
        "reach" | "files" => Phase::Deploy,
        "packages" | "script" => Phase::Provision,
        "discover" => Phase::Discover,
        _ => return None,
    };
    Phase::ALL.iter().position(|one| *one == phase)
}

/// `⠧ homelab/114  web-7  creating  ━━━━━━━╸─────  70%    48.4s`
#[must_use]
pub fn bar(progress: &Progress<'_>, now: Micros, frame: &str, look: Look) -> String {
    let room = look.width.unwrap_or(100).saturating_sub(1).clamp(20, 98);
    let time = text::elapsed(now - progress.since);
    let share = progress.percent.unwrap_or(0.0).clamp(0.0, 100.0);
    let head = format!("{}  {}  {}", progress.target, escape(progress.name), progress.doing);
    let tail = format!("{share:>3.0}%");
    let space = room.saturating_sub(2 + width(&head) + 2 + 2 + width(&tail) + 2 + width(&time));
    let length = space.min(BAR);
    let full = ((length as f64) * share / 100.0).floor() as usize;
    let (done, edge, rest) = if look.unicode { ("━", "╸", "─") } else { ("=", ">", "-") };
    let drawn = match length.checked_sub(full + 1) {
        Some(left) => format!(
            "{}{}",
            paint(&format!("{}{edge}", done.repeat(full)), Tone::Cyan, look),
            paint(&rest.repeat(left), Tone::Dim, look)
        ),
        None => paint(&done.repeat(length), Tone::Cyan, look),
    };
    let gap =
        " ".repeat(room.saturating_sub(2 + width(&head) + 2 + length + 2 + width(&tail) + width(&time)));
    format!("{frame} {head}  {drawn}  {tail}{gap}{}", paint(&time, Tone::Dim, look))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::time::Instant;

    fn step(name: &str, state: &str) -> Step {
        Step {
            name: name.to_owned(),
            state: state.to_owned(),
            outcome: None,
            upid: None,
            started_at: Some(Instant(0)),
            finished_at: (state == "done").then_some(Instant(4_100_000)),
        }
    }

    #[test]
    fn the_bar_fits_and_says_how_much_is_done() {
        let progress = Progress {
            target: "homelab/114",
            name: "web-7",
            doing: "creating",
            waiting: false,
            message: "",
            percent: Some(70.0),
            forced_at: None,
            since: 0,
        };
        let look = Look { width: Some(100), ..Look::PIPE };
        let line = bar(&progress, 48_400_000, "⠧", look);
        assert!(line.starts_with("⠧ homelab/114  web-7  creating  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━╸─"), "{line}");
        assert!(line.contains("  70%") && line.ends_with("48.4s") && width(&line) <= 98, "{line}");
        for narrow in [20, 40, 60] {
            let line = bar(&progress, 48_400_000, "⠧", Look { width: Some(narrow), ..Look::PIPE });
            assert!(line.contains("70%"), "{line}");
        }
    }

    #[test]
    fn what_was_done_before_is_there_and_what_runs_says_what_it_does() {
        let names = ["create", "start", "reach", "files", "script:10-a.sh"];
        let mut steps: Vec<Step> = names.iter().map(|name| step(name, "pending")).collect();
        steps[0] = step("create", "done");
        let mut phases = Phases { rows: Default::default(), due: 4 };
        phases.rows[0].since = Some(0);
        phases.rows[0].until = Some(4_100_000);
        let lines = phases.lines(5_000_000, "*", false, Look::PIPE);
        assert_eq!(lines.len(), 4);
        assert!(lines[0].contains("create      4.1s"), "{lines:?}");
        assert_eq!(phases.lines(5_000_000, "*", true, Look::PIPE).len(), 1, "only what is over stays");
    }
}

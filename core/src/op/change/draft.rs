//! The events that transitions make, in the words a watcher reads. Pure.

use super::advance::grace_end;
use crate::op::event::{EventDraft, EventKind};
use crate::op::kind::{Kind, StepKind};
use crate::op::outcome::How;
use crate::op::state::Operation;
use crate::op::step::Dispatch;
use crate::timing::Timing;

/// Bytes of one log line (ARCHITECTURE.md, rule 17).
const LONGEST_LINE: usize = 16 * 1024;

pub(super) fn log_events(lines: &[String]) -> Vec<EventDraft> {
    lines.iter().map(|line| EventDraft::new(EventKind::Log, cut(line))).collect()
}

/// A line, cut to its longest.
pub(super) fn cut(line: &str) -> String {
    crate::text::cut(line, LONGEST_LINE).to_owned()
}

pub(super) fn silent(what: &str) -> EventDraft {
    EventDraft::new(EventKind::Step, what)
}

pub(super) fn progress(prefix: &str, what: &str) -> EventDraft {
    EventDraft::new(EventKind::Progress, format!("{prefix}{what}"))
}

pub(super) fn watching(
    op: &Operation,
    step: usize,
    prefix: &str,
    dispatch: &Dispatch,
    timing: &Timing,
) -> EventDraft {
    let forced_at = grace_end(dispatch, timing);
    let text = match (op.steps[step].kind, op.kind.grace()) {
        (StepKind::Shutdown, Some((grace, force))) => {
            let no_force = if force && dispatch.ha { ", HA never forces it" } else { "" };
            format!("grace {}{no_force}", crate::text::span(u64::from(grace)))
        }
        (StepKind::Download, _) => {
            let storage = op.kind.download().map_or("", |download| download.storage.as_str());
            format!("{} to {storage} on {}", op.kind.step_words(StepKind::Download), dispatch.node)
        }
        (step, _) => match (&op.kind, step) {
            (Kind::Create { spec, .. }, StepKind::Create) => {
                let place = spec.placed.clone().unwrap_or_else(|| format!("on {}", dispatch.node));
                format!("{place}; {}", spec.size())
            }
            (Kind::Create { .. }, _) => format!("starting on {}", dispatch.node),
            _ => format!("task on {}", dispatch.node),
        },
    };
    // The first line of a lone shutdown has told its grace already.
    let told = op.steps.len() == 1 && op.steps[step].kind == StepKind::Shutdown && !dispatch.ha;
    let mut event = if told { silent("watching") } else { progress(prefix, &text) };
    event.forced_at = forced_at;
    event
}

pub(super) fn fact(kind: StepKind, how: Option<How>, touched: bool) -> EventDraft {
    let (event, words) = match kind {
        StepKind::Download if touched => (EventKind::Step, "the image is downloaded"),
        StepKind::Download => (EventKind::Step, "the image is there"),
        StepKind::Create => (EventKind::Created, "created"),
        StepKind::Part(_) => (EventKind::Step, "done"),
        StepKind::Start => (EventKind::Started, "started"),
        StepKind::Stop | StepKind::Shutdown => (EventKind::Stopped, "stopped"),
        StepKind::Delete => (EventKind::Deleted, "deleted"),
        StepKind::Forget => (EventKind::Changed, "forgotten"),
    };
    let event =
        if touched || kind == StepKind::Forget || kind == StepKind::Delete { event } else { EventKind::Step };
    let mut draft = EventDraft::new(
        event,
        how.map_or_else(|| words.to_owned(), |how| format!("{words} ({})", how.as_str())),
    );
    draft.how = how;
    draft
}

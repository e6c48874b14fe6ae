//! The output of a job, as it comes: bytes into lines, lines into events, and what a job reports about itself. Pure;
//! bounded whatever a script prints.

use super::draft::{cut, progress};
use crate::create::Part;
use crate::job::JobReading;
use crate::op::event::{EventDraft, EventKind};
use crate::op::step::Work;
use crate::services::{Status, judge, read};
use crate::text;

/// Lines of one reading that are kept at its begin and at its end; what is between is counted.
const KEPT: usize = 200;
/// Last lines that are kept with the step, and bytes of each: they are written with every commit.
const TAIL: (usize, usize) = (5, 500);
/// Bytes of a line (ARCHITECTURE.md, rule 17); a longer one is cut into several.
const LONGEST: usize = 16 * 1024;
/// What a line to lxcd itself begins with, behind ASCII RS: `detail 6 files: 5 written, 1 kept`.
const REPORT: &str = "\u{1e}lxcd ";

/// Takes a reading in. `last`: there will be no more, so what has no end is a line too.
pub(super) fn take(work: &mut Work, reading: &JobReading, last: bool) -> Vec<EventDraft> {
    work.next = reading.next;
    let mut events = Vec::new();
    if reading.skipped > 0 {
        // The end of a line that had begun is among it.
        events = lines(work, &[], true);
        let mark = format!("… {} are left out here", text::bytes(reading.skipped));
        events.push(EventDraft::new(EventKind::Log, mark));
    }
    events.extend(lines(work, &reading.output, last));
    events
}

/// What more bytes make, behind those that were no line yet.
fn lines(work: &mut Work, more: &[u8], last: bool) -> Vec<EventDraft> {
    let mut bytes = std::mem::take(&mut work.rest);
    bytes.extend_from_slice(more);
    let whole =
        if last { bytes.len() } else { bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1) };
    let (lines, mut rest) = bytes.split_at(whole);
    let mut pieces: Vec<&[u8]> = Vec::new();
    let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
    if whole > 0 {
        lines.split(|byte| *byte == b'\n').for_each(|line| pieces.extend(chopped(line)));
    }
    // A line that does not end is told in pieces.
    while rest.len() > LONGEST {
        let (front, back) = rest.split_at(LONGEST);
        pieces.push(front);
        rest = back;
    }
    let mut events = Vec::new();
    let mut said = Vec::new();
    for piece in pieces {
        let piece = String::from_utf8_lossy(piece);
        match piece.strip_prefix(REPORT) {
            Some(report) => events.extend(reported(work, report)),
            None => said.push(shown(&piece)),
        }
    }
    let full = said.iter().filter(|line| !line.is_empty());
    work.tail.extend(full.map(|line| text::cut(line, TAIL.1).to_owned()));
    work.tail.drain(..work.tail.len().saturating_sub(TAIL.0));
    let left_out = said.len().saturating_sub(2 * KEPT);
    if left_out > 0 {
        let mark = format!("… {left_out} lines are left out here");
        said.splice(KEPT..said.len() - KEPT, [mark]);
    }
    let log = said.into_iter().map(|line| EventDraft::new(EventKind::Log, line));
    events.splice(0..0, log);
    work.rest = rest.to_vec();
    events
}

/// What was found to run in the container: how many services there are, and that each that runs answers.
pub(super) fn found(work: &mut Work, reading: &JobReading) -> Vec<EventDraft> {
    let services = judge(&read(&reading.output));
    work.next = reading.next;
    let odd =
        services.problems.first().map_or_else(String::new, |one| format!(" ({}: {})", one.part, one.why));
    work.detail = cut(&format!("{}/{} services{odd}", services.healthy(), services.total()));
    let ready = services.services.iter().filter(|service| service.status == Status::Running);
    ready.map(|service| EventDraft::new(EventKind::ServiceReady, service.name.clone())).collect()
}

/// What the end of a piece of work means to whoever reads the journal.
pub(super) fn worked(part: &Part, work: &Work) -> EventDraft {
    match part {
        Part::Script { name, .. } => EventDraft::new(EventKind::ScriptCompleted, name.clone()),
        _ if work.detail.is_empty() => EventDraft::new(EventKind::Step, part.name()),
        _ => EventDraft::new(EventKind::Step, work.detail.clone()),
    }
}

/// A line to us.
fn reported(work: &mut Work, report: &str) -> Option<EventDraft> {
    match report.split_once(' ')? {
        ("detail", text) => {
            work.detail = cut(text);
            None
        }
        ("address", text) => {
            // The kernel writes out every zero of IPv6.
            let text = text.parse::<std::net::IpAddr>().map_or_else(|_| text.to_owned(), |ip| ip.to_string());
            let comma = if work.detail.is_empty() { "" } else { ", " };
            work.detail = cut(&format!("{}{comma}{text}", work.detail));
            None
        }
        ("fault", text) => {
            work.fault = cut(text);
            None
        }
        ("progress", text) => Some(progress("", &cut(text))),
        // Of a newer script, or not ours: nothing to show.
        _ => None,
    }
}

/// What is printed over itself is shown as it ended up, and no database takes a NUL.
fn shown(line: &str) -> String {
    let line = line.trim_end_matches('\r');
    let line = line.rsplit('\r').next().unwrap_or(line);
    // What is no text grows by that.
    cut(&line.replace('\0', "\u{fffd}"))
}

/// A line, or its pieces when it is too long for one; an empty line is one piece.
fn chopped(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.chunks(LONGEST).chain(line.is_empty().then_some(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::JobState;

    fn work() -> Work {
        Work {
            node: "pve1".into(),
            at: 0,
            next: 0,
            rest: Vec::new(),
            detail: String::new(),
            fault: String::new(),
            tail: Vec::new(),
            stop_requested: false,
        }
    }

    fn read(work: &mut Work, output: &[u8], last: bool) -> Vec<String> {
        read_behind(work, 0, output, last)
    }

    fn read_behind(work: &mut Work, skipped: u64, output: &[u8], last: bool) -> Vec<String> {
        let next = work.next + skipped + output.len() as u64;
        let reading = JobReading { skipped, output: output.to_vec(), next, state: JobState::Running };
        take(work, &reading, last).into_iter().map(|event| event.message).collect()
    }

    #[test]
    fn lines_are_told_when_they_end_and_the_last_one_anyway() {
        let mut work = work();
        assert_eq!(read(&mut work, b"one\ntw", false), ["one"]);
        assert_eq!(read(&mut work, b"o\n\n50%\r100%\r\nPassword: ", false), ["two", "", "100%"]);
        assert_eq!(work.rest, b"Password: ");
        assert_eq!(read(&mut work, b"", true), ["Password: "]);
        assert_eq!(read(&mut work, b"gr\xc3", false), Vec::<String>::new());
        assert_eq!(read(&mut work, b"\xbcn\n", false), ["gr\u{fc}n"], "a character in two readings");
        assert_eq!((work.next, work.tail.last().map(String::as_str)), (35, Some("gr\u{fc}n")));
    }

    #[test]
    fn what_is_not_kept_any_more_is_told() {
        let mut work = work();
        assert_eq!(read(&mut work, b"one\ntw", false), ["one"]);
        let lines = read_behind(&mut work, 12 << 20, b"ree\nfour\nfi", false);
        assert_eq!(lines, ["tw", "… 12Mi are left out here", "ree", "four"]);
        assert_eq!((work.next, work.rest.as_slice()), ((12 << 20) + 17, &b"fi"[..]));
        assert_eq!(work.tail, ["one", "tw", "ree", "four"]);
        assert_eq!(read_behind(&mut work, 1, b"", true), ["fi", "… 1B are left out here"]);
    }

    #[test]
    fn whatever_a_script_prints_is_bounded_and_can_be_stored() {
        let mut work = work();
        let noise: Vec<u8> = (0..=255).cycle().take(64 << 10).filter(|byte| *byte != b'\n').collect();
        let lines = read(&mut work, &noise, true);
        assert!(lines.iter().all(|line| line.len() <= LONGEST && !line.contains('\0')));
        let flood = "y\n".repeat(32 << 10);
        let lines = read(&mut work, flood.as_bytes(), false);
        assert_eq!(lines.len(), 2 * KEPT + 1);
        assert_eq!(lines[KEPT], "… 32368 lines are left out here");
        assert_eq!(work.tail.len(), TAIL.0);
        read(&mut work, &noise, true);
        assert!(work.tail.iter().all(|line| line.len() <= TAIL.1));
    }

    #[test]
    fn reports_are_not_log() {
        let mut work = work();
        let lines = read(
            &mut work,
            b"a\n\x1elxcd detail 6 files: 6 written\n\x1elxcd progress 1/2\n\x1elxcd odd\n",
            false,
        );
        assert_eq!(lines, ["a", "1/2"]);
        assert_eq!(work.detail, "6 files: 6 written");
    }
}

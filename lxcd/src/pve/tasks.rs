//! The shapes of tasks: list rows, status, log, the UPID a change answers with. Owns their reading
//! into core's terms; pure.

use lxc_core::ports::{LogPage, PveError};
use lxc_core::pve::{Refusal, RefusalKind, TaskEntry, TaskExit, TaskStatus, Upid};
use serde::Deserialize;

use super::answer::Answer;
use super::scalar::Scalar;

/// A row of `/nodes/N/tasks`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row {
    upid: Scalar,
    status: Scalar,
    endtime: Scalar,
}

/// `/nodes/N/tasks`, newest first. Rows whose name is no UPID are left out: they cannot be a task of
/// ours.
pub(super) fn entries(answer: Answer<'_>) -> Result<Vec<TaskEntry>, PveError> {
    let rows: Vec<Row> = answer.rows()?;
    let mut all: Vec<TaskEntry> = rows
        .into_iter()
        .filter_map(|row| {
            let upid: Upid = row.upid.text()?.parse().ok()?;
            // The active list says RUNNING; the archive says how it ended.
            let exit = row.status.word().filter(|text| text != "RUNNING");
            Some(TaskEntry {
                upid,
                exit: exit.map(|text| TaskExit::parse(&text)),
                end_time: row.endtime.integer(),
            })
        })
        .collect();
    // `source=all` may show a task in both lists while it ends; the row that knows the end stays.
    all.sort_by(|a, b| {
        b.upid
            .start_time
            .cmp(&a.upid.start_time)
            .then_with(|| b.upid.cmp(&a.upid))
            .then_with(|| b.exit.is_some().cmp(&a.exit.is_some()))
    });
    all.dedup_by(|a, b| a.upid == b.upid);
    Ok(all)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StatusRow {
    status: Scalar,
    exitstatus: Scalar,
}

/// `…/tasks/UPID/status`
pub(super) fn status(answer: Answer<'_>) -> Result<TaskStatus, PveError> {
    let row: StatusRow = answer.object()?;
    match (row.status.text().as_deref(), row.exitstatus.word()) {
        (Some("running"), _) => Ok(TaskStatus::Running),
        (Some("stopped"), Some(text)) => Ok(TaskStatus::Ended(TaskExit::parse(&text))),
        // Ended without a word is what `unexpected status` says in words.
        (Some("stopped"), None) => Ok(TaskStatus::Ended(TaskExit::parse("unexpected status"))),
        _ => Err(answer.garbage("no state of a task")),
    }
}

/// `400 no such task`: well-formed, and this node has never heard of it.
pub(super) fn is_unknown(refusal: &Refusal) -> bool {
    match &refusal.kind {
        RefusalKind::Parameters(errors) => {
            errors.get("upid").is_some_and(|text| text.trim() == "no such task")
        }
        _ => refusal.text == "no such task",
    }
}

/// A line of a task log; `n` counts from 1.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    n: Scalar,
    t: Scalar,
}

/// `…/tasks/UPID/log`
pub(super) fn log(answer: Answer<'_>, start: u64) -> Result<LogPage, PveError> {
    Ok(log_page(answer.rows()?, start))
}

/// A page behind `start`. An empty log is shown as one made-up line, which the first real one later
/// replaces: it must not be counted.
fn log_page(lines: Vec<Line>, start: u64) -> LogPage {
    let made_up = |line: &Line| {
        let text = match &line.t {
            Scalar::Text(text) => text.as_str(),
            _ => "",
        };
        line.n.amount() == Some(1) && (text == "no content" || text.starts_with("unable to open file - "))
    };
    if lines.len() == 1 && lines.iter().all(made_up) {
        return LogPage { lines: Vec::new(), next: start };
    }
    let counted = start.saturating_add(lines.len() as u64);
    let next = lines.last().and_then(|line| line.n.amount()).unwrap_or(counted).max(start);
    LogPage { lines: lines.into_iter().map(|line| line.t.text().unwrap_or_default()).collect(), next }
}

/// The task a change began. An answer that is good but names none is `Lost`: something did begin.
pub(super) fn started(answer: Answer<'_>) -> Result<Upid, PveError> {
    let lost = |error: PveError| PveError::Lost(error.to_string());
    let text: Scalar = answer.data().map_err(lost)?;
    text.text().unwrap_or_default().parse().map_err(|_| lost(answer.garbage("no task")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(json: &str, with: impl Fn(Answer<'_>) -> T) -> T {
        with(Answer { from: "h:1", status: 200, reason: "OK", body: json.as_bytes() })
    }

    #[test]
    fn reads_rows_of_both_lists() {
        let upid = "UPID:pve:000005E7:00040E02:6B00DBCA:vzshutdown:106:root@pam!lxcd:";
        let older = "UPID:pve:000005E7:00040E02:6B00DBC9:vzstart:106:root@pam!lxcd:";
        let json = format!(
            "{{\"data\":[{{\"upid\":\"{older}\",\"status\":\"OK\",\"endtime\":\"1795218628\"}},
             {{\"upid\":\"{upid}\",\"status\":\"RUNNING\"}},{{\"upid\":\"junk\"}},
             {{\"upid\":\"{upid}\",\"status\":\"unexpected status\",\"endtime\":1}}]}}"
        );
        let all = read(&json, entries).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].upid.as_str(), all[1].upid.as_str()), (upid, older));
        assert!(matches!(all[0].exit, Some(TaskExit::Vanished(_))));
        assert_eq!((all[1].exit.clone(), all[1].end_time), (Some(TaskExit::Ok), Some(1_795_218_628)));
    }

    #[test]
    fn reads_states() {
        let state = |json: &str| read(json, status);
        assert_eq!(state("{\"data\":{\"status\":\"running\"}}"), Ok(TaskStatus::Running));
        assert_eq!(
            state("{\"data\":{\"status\":\"stopped\",\"exitstatus\":\"WARNINGS: 2\"}}"),
            Ok(TaskStatus::Ended(TaskExit::Warnings(2)))
        );
        assert!(matches!(
            state("{\"data\":{\"status\":\"stopped\"}}"),
            Ok(TaskStatus::Ended(TaskExit::Vanished(_)))
        ));
        assert!(matches!(state("{\"data\":{}}"), Err(PveError::Garbage(_))));
    }

    #[test]
    fn does_not_count_made_up_lines() {
        let page = |json: &str, start| log_page(serde_json::from_str(json).unwrap(), start);
        assert_eq!(page("[{\"n\":1,\"t\":\"no content\"}]", 0), LogPage::default());
        assert_eq!(page("[]", 7).next, 7);
        let real = page("[{\"n\":\"8\",\"t\":\"a\"},{\"n\":9,\"t\":\"\"}]", 7);
        assert_eq!((real.lines, real.next), (vec!["a".to_owned(), String::new()], 9));
        assert_eq!(page("[{\"t\":\"a\"},{\"t\":\"b\"}]", 3).next, 5);
    }

    #[test]
    fn a_good_answer_without_a_task_is_lost() {
        for json in ["{\"data\":null}", "{\"data\":\"UPID\"}", "{}", "<html>", "{\"data\":"] {
            assert!(matches!(read(json, started), Err(PveError::Lost(_))), "{json}");
        }
    }
}

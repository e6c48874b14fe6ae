//! One row per target when a verb has ended, and what is said under many of them. Owns their words and
//! marks; must not know how they were obtained, nor print.

use lxc_core::error::{Code, Error};
use lxc_core::ids::Micros;
use lxc_core::text;

use super::style::{Look, Mark, Tone, paint};
use super::table::{Cell, Column, Table};
use crate::client::view::{DryRun, Operation};

/// Of one code, so many different commands are suggested.
const MOST_HINTS: usize = 3;

/// One row: mark, target, name, result, time, then code and detail.
#[derive(Debug, Clone)]
pub struct Row {
    /// How it went, for the eye.
    pub mark: Mark,
    /// `homelab/104`
    pub target: String,
    /// Hostname or `-`.
    pub name: String,
    /// `started`
    pub result: String,
    /// `(forced)`
    pub how: Option<String>,
    /// `2.2s`
    pub time: String,
    /// Of the failure.
    pub code: Option<Code>,
    /// `already running`
    pub detail: String,
}

impl Row {
    /// The row of an operation as it stands; one that has not ended is detached.
    #[must_use]
    pub fn of(operation: &Operation, now: Micros) -> Self {
        let error = operation.error.as_ref();
        let code = error.map(|error| error.code);
        let result = operation.result.clone().unwrap_or_else(|| operation.state.clone());
        let (mark, result) = match operation.state.as_str() {
            "succeeded" if result == "unchanged" => (Mark::Unchanged, result),
            "succeeded" if operation.warnings.is_empty() => (Mark::Done, result),
            "succeeded" => (Mark::Warned, result),
            "needs_attention" => (Mark::Unknown, "unknown".to_owned()),
            "failed" | "cancelled" if code == Some(Code::BatchStopped) => (Mark::Unchanged, result),
            "failed" | "cancelled" => (Mark::Failed, result),
            _ => (Mark::Detached, "detached".to_owned()),
        };
        let took = operation.took().unwrap_or(now - operation.began_at().0);
        Self {
            mark,
            target: operation.target.clone(),
            name: operation.name.clone().unwrap_or_else(|| "-".to_owned()),
            result,
            how: operation.how.as_ref().filter(|_| mark != Mark::Unchanged).map(|how| format!("({how})")),
            time: text::elapsed(took),
            code: code.or((mark == Mark::Unknown).then_some(Code::OutcomeUnknown)),
            detail: detail(operation),
        }
    }

    /// The row of a dry run.
    #[must_use]
    pub fn of_dry_run(item: &DryRun) -> Self {
        let mark = match &item.error {
            Some(_) => Mark::Failed,
            None if item.changed => Mark::Done,
            None => Mark::Unchanged,
        };
        let warnings: Vec<&str> =
            item.checks.iter().filter(|c| c.result == "warning").map(|c| c.detail.as_str()).collect();
        let mut said =
            item.error.as_ref().map_or_else(|| item.calls.join("; "), |error| reason(error, &item.target));
        if item.error.is_none() && !warnings.is_empty() {
            said = format!("{said} ({})", warnings.join("; "));
        }
        Self {
            mark: if mark == Mark::Done && !warnings.is_empty() { Mark::Warned } else { mark },
            target: item.target.clone(),
            name: item.name.clone().unwrap_or_else(|| "-".to_owned()),
            result: item.result.clone(),
            how: None,
            time: "-".to_owned(),
            code: item.error.as_ref().map(|error| error.code),
            detail: said,
        }
    }
}

fn detail(operation: &Operation) -> String {
    match (&operation.detail, &operation.error) {
        (Some(detail), _) => detail.clone(),
        (None, Some(error)) => reason(error, &operation.target),
        (None, None) => operation.warnings.join("; "),
    }
}

/// What stands behind a code. The row has the target already: `homelab/104 (web-1) is already running`
/// becomes `already running`, and a headline that has it in its middle gives way to the reason.
#[must_use]
pub fn reason(error: &Error, target: &str) -> String {
    let Some((before, after)) = error.message.split_once(target) else { return error.message.clone() };
    let after = after.trim_start();
    let after = match after.strip_prefix('(').and_then(|named| named.split_once(')')) {
        Some((_, after)) => after.trim_start(),
        None => after,
    };
    let after = after.strip_prefix(':').map_or(after, str::trim_start);
    if before.is_empty() && !after.is_empty() {
        return after.strip_prefix("is ").unwrap_or(after).to_owned();
    }
    error.why.first().unwrap_or(&error.message).clone()
}

/// The rows as lines.
#[must_use]
pub fn render(rows: &[Row], look: Look) -> String {
    let mut table = Table::new(vec![
        Column::left(""),
        Column::left("").shrinks(),
        Column::left(""),
        Column::right(""),
        Column::left(""),
        Column::left("").shrinks(),
    ])
    .headers(false);
    for row in rows {
        let quiet = if row.mark == Mark::Unchanged { Tone::Dim } else { Tone::Plain };
        let result = match &row.how {
            Some(how) => {
                let tone = if how == "(forced)" { Tone::Yellow } else { Tone::Plain };
                Cell::with_tail(&row.result, quiet, how, tone)
            }
            None => Cell::toned(&row.result, quiet),
        };
        table.row(vec![
            Cell::with_tail(row.mark.text(look), row.mark.tone(), &row.target, Tone::Bold),
            Cell::new(&row.name),
            result,
            Cell::toned(&row.time, Tone::Dim),
            Cell::new(row.code.map_or("", |code| code.as_str())),
            Cell::toned(&row.detail, quiet),
        ]);
    }
    table.render(look)
}

/// `5 targets: 2 started, 1 unchanged, 1 failed, 1 refused`; nothing when all went the same good way.
#[must_use]
pub fn summary(rows: &[Row], look: Look) -> Option<String> {
    let mut counts: Vec<(&str, u8, usize)> = Vec::new();
    for row in rows {
        match counts.iter_mut().find(|(result, ..)| *result == row.result) {
            Some((.., count)) => *count += 1,
            None => counts.push((&row.result, rank(row), 1)),
        }
    }
    if counts.len() < 2 && rows.iter().all(|row| row.mark != Mark::Failed) {
        return None;
    }
    counts.sort_by_key(|&(_, rank, _)| rank);
    let parts: Vec<String> = counts.iter().map(|(result, _, count)| format!("{count} {result}")).collect();
    Some(paint(&format!("{} targets: {}", rows.len(), parts.join(", ")), Tone::Dim, look))
}

fn rank(row: &Row) -> u8 {
    match (row.mark, row.result.as_str()) {
        (Mark::Done | Mark::Warned, _) => 0,
        (Mark::Unchanged, _) => 1,
        (Mark::Failed, "failed") => 2,
        (Mark::Failed, _) => 3,
        (Mark::Detached, _) => 4,
        (Mark::Unknown, _) => 5,
    }
}

/// What to type about each code that occurs: a verb for all it happened to, else a line for each of the first.
#[must_use]
pub fn code_hints(operations: &[&Operation], look: Look) -> Vec<String> {
    let mut hints: Vec<(Code, String, Vec<&str>)> = Vec::new();
    for operation in operations {
        let Some(error) = operation.error.as_ref().filter(|error| error.code != Code::BatchStopped) else {
            continue;
        };
        let advice = error.tries.first().map_or_else(
            || format!("lxcctl op log {}", text::short_id(&operation.id)),
            |step| step.command.clone(),
        );
        let alike = hints.iter().filter(|(code, ..)| *code == error.code).count();
        let same = hints.iter_mut().find(|(code, first, _)| *code == error.code && *first == advice);
        match same {
            Some((_, first, targets)) if takes_many(first) => targets.push(&operation.target),
            Some((_, first, _)) if !first.contains("{target}") => {}
            _ if alike < MOST_HINTS => hints.push((error.code, advice, vec![&operation.target])),
            _ => {}
        }
    }
    // Those of one code stand together, where its first one stood.
    let order: Vec<Code> = hints.iter().map(|(code, ..)| *code).collect();
    hints.sort_by_key(|(code, ..)| order.iter().position(|first| first == code));
    let line = |(code, advice, targets): &(Code, String, Vec<&str>)| {
        let command = advice.replace("{target}", &targets.join(" "));
        format!("  {code}  {}", paint(&command, Tone::Bold, look))
    };
    hints.iter().map(line).collect()
}

/// Whether a command with `{target}` in it takes several.
fn takes_many(command: &str) -> bool {
    let verbs = ["start", "stop", "shutdown", "restart", "delete", "forget"];
    verbs.iter().any(|verb| command.starts_with(&format!("lxcctl {verb} {{target}}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_does_not_repeat_its_target() {
        let said =
            |message: &str| reason(&Error::new(Code::Locked, message).because("the reason"), "homelab/104");
        assert_eq!(said("homelab/104 (web-1) is already running"), "already running");
        assert_eq!(said("homelab/104 was replaced"), "was replaced");
        assert_eq!(said("homelab/104 (web-1): Proxmox holds it"), "Proxmox holds it");
        assert_eq!(said("start of homelab/104 (web-1) failed"), "the reason");
        assert_eq!(said("Proxmox holds the lock 'backup'"), "Proxmox holds the lock 'backup'");
    }
}

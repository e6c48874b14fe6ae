//! Questions before something is lost: which are asked, and in which words. The words are pure
//! functions; only `settle` and `forget_instead` ask.

use lxc_core::error::{Code, Error, Result};
use lxc_core::text;

use super::Request;
use crate::client::view::ContainerRef;
use crate::client::{Client, Order};
use crate::context::Context;
use crate::follow::{Board, Signals};
use crate::ui::escape::{escape, wrap};
use crate::ui::style::{Look, Tone, paint};
use crate::ui::table::{Cell, Column, Table};
use crate::ui::time::Now;

/// Asks what has to be asked; returns when the answer is yes.
pub(super) async fn settle(
    context: &mut Context,
    client: &Client,
    request: &Request,
    order: &Order,
    by_pattern: bool,
) -> Result<()> {
    if request.yes || !is_asked(order.verb, by_pattern) {
        return Ok(());
    }
    let verb = order.verb;
    if !context.printer.can_ask {
        return Err(Error::new(
            Code::NeedsYes,
            format!("{verb} wants a yes, and there is no terminal to ask on"),
        )
        .because(would(verb, &order.refs))
        .hint(context.command_line_with("--yes", None)));
    }
    if order.destroy_unreferenced_disks {
        list_disks(context, client, order).await?;
    }
    let look = context.printer.err_look;
    let (question, wanted) = match order.refs.as_slice() {
        [one] => (wrap(&format!("{} [y/N]", question_for_one(verb, one)), look.width) + " ", None),
        many => {
            let table = table(verb, many, &Now::read(), look);
            let lost = wrap(&question_for_many(verb, many, order.grace_seconds), look.width);
            context.printer.must_say(&format!("{table}{lost}"));
            let number = many.len().to_string();
            (format!("Type {} to go on: ", paint(&number, Tone::Bold, look)), Some(number))
        }
    };
    let answer = context.printer.ask(&question).unwrap_or_default();
    if is_yes(&answer, wanted.as_deref()) { Ok(()) } else { Err(said_no(verb)) }
}

/// `delete` and `forget` always; what stops something when a pattern picked it.
fn is_asked(verb: &str, by_pattern: bool) -> bool {
    match verb {
        "delete" | "forget" => true,
        "stop" | "shutdown" | "restart" => by_pattern,
        _ => false,
    }
}

fn is_yes(answer: &str, wanted: Option<&str>) -> bool {
    match wanted {
        Some(number) => answer == number,
        None => matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"),
    }
}

fn said_no(verb: &str) -> Error {
    Error::new(Code::AnsweredNo, format!("{verb} was not begun"))
        .because("the answer was not yes")
        .hint_noted("{line} --yes", "asks nothing")
}

/// `it would delete homelab/131 (ci-31) and 8.0Gi of disk`
fn would(verb: &str, refs: &[ContainerRef]) -> String {
    let what = match refs {
        [one] => format!("{} ({})", one.target(), escape(one.name())),
        many => format!("{} containers", many.len()),
    };
    match (verb, disk(refs)) {
        ("delete", Some(bytes)) => format!("it would {verb} {what} and {} of disk", text::bytes(bytes)),
        _ => format!("it would {verb} {what}"),
    }
}

fn disk(refs: &[ContainerRef]) -> Option<u64> {
    let sum: u64 = refs.iter().filter_map(ContainerRef::disk_bytes).sum();
    (sum > 0).then_some(sum)
}

fn question_for_one(verb: &str, one: &ContainerRef) -> String {
    let what = format!("{} ({})", one.target(), escape(one.name()));
    match verb {
        "delete" => {
            let begins = if one.status() == "running" { "Stops and deletes" } else { "Deletes" };
            let disks = one.disk_bytes().map_or(String::new(), |bytes| format!(" ({})", text::bytes(bytes)));
            format!("{begins} {what} with its disks{disks} and snapshots, for good. Backups stay.")
        }
        "forget" => format!("Removes lxcd's record of {what}; it comes back if Proxmox still has it."),
        "stop" => format!("Powers off {what} at once."),
        "shutdown" => format!("Shuts down {what}."),
        _ => format!("Restarts {what}."),
    }
}

fn question_for_many(verb: &str, refs: &[ContainerRef], grace_seconds: Option<u32>) -> String {
    let count = refs.len();
    let running = refs.iter().filter(|one| one.status() == "running").count();
    let managed = refs.iter().filter(|one| one.under_ha()).count();
    let unless = if managed > 0 { format!(", but for {managed} under HA") } else { String::new() };
    let grace = grace_seconds.map_or(String::new(), |seconds| {
        format!(" What has not stopped after {} is killed{unless}.", text::span(u64::from(seconds)))
    });
    match verb {
        "delete" if running > 0 => format!(
            "Stops {running} and deletes {count} containers with their disks and snapshots, for good. Backups stay."
        ),
        "delete" => {
            format!("Deletes {count} containers with their disks and snapshots, for good. Backups stay.")
        }
        "forget" => {
            format!("Removes lxcd's records of {count} containers; they come back if Proxmox still has them.")
        }
        "stop" => format!("Powers off {count} containers at once."),
        "shutdown" => format!("Shuts down {count} containers.{grace}"),
        _ => format!("Restarts {count} containers.{grace}"),
    }
}

fn table(verb: &str, refs: &[ContainerRef], now: &Now, look: Look) -> String {
    let mut columns = vec![
        Column::left("TARGET"),
        // Whole, whatever it takes: who says yes has to know to what.
        Column::left("NAME"),
        Column::left("STATUS"),
        Column::left("NODE").goes(2),
    ];
    let with_disk = verb == "delete";
    if with_disk {
        columns.extend([Column::right("DISK"), Column::left("CREATED").goes(1)]);
    }
    let mut table = Table::new(columns);
    for one in refs {
        // What runs is what somebody may still need.
        let tone = if one.status() == "running" { Tone::Yellow } else { Tone::Plain };
        let mut cells = vec![
            Cell::toned(one.target(), tone),
            Cell::toned(one.name(), tone),
            Cell::toned(one.status(), tone),
            Cell::known(one.node()).or_tone(tone),
        ];
        if with_disk {
            cells.push(Cell::known(one.disk_bytes().map(text::bytes)).or_tone(tone));
            cells.push(Cell::known(one.created_at().map(|at| now.ago(at))).or_tone(tone));
        }
        table.row(cells);
    }
    table.render(look)
}

/// Disks nobody refers to are found by number alone, so they are named before the question.
async fn list_disks(context: &mut Context, client: &Client, order: &Order) -> Result<()> {
    for item in client.dry_run(order).await? {
        for check in item.checks.iter().filter(|check| check.name.contains("disk")) {
            let line = format!("{}  {}", item.target, escape(&check.detail));
            context.printer.must_say(&line);
        }
    }
    Ok(())
}

/// Whether it is a lone delete that failed because Proxmox does not answer.
pub(super) fn is_unreachable_delete(order: &Order, board: &Board) -> bool {
    let [one] = board.items() else { return false };
    let away = |fault: &Error| matches!(fault.code, Code::NodeUnreachable | Code::RemoteUnreachable);
    order.verb == "delete" && one.operation.error.as_ref().is_some_and(away)
}

/// On a terminal, the offer to forget what cannot be deleted. Ctrl-C is a no.
pub(super) async fn forget_instead(context: &mut Context, one: &ContainerRef, signals: &mut Signals) -> bool {
    if !context.printer.can_ask || context.printer.is_quiet() || !context.format.is_text() {
        return false;
    }
    let question = format!("Forget it instead? {} [y/N]", question_for_one("forget", one));
    let question = wrap(&question, context.printer.err_look.width) + " ";
    let answer = context.printer.ask_while(&question, signals.next()).await.unwrap_or_default();
    is_yes(&answer, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_loses_something_is_asked() {
        for (verb, by_pattern, asked) in [
            ("start", true, false),
            ("stop", false, false),
            ("stop", true, true),
            ("shutdown", true, true),
            ("restart", false, false),
            ("delete", false, true),
            ("forget", false, true),
        ] {
            assert_eq!(is_asked(verb, by_pattern), asked, "{verb} {by_pattern}");
        }
    }

    #[test]
    fn it_says_what_is_lost() {
        let two =
            [ContainerRef::sample(131, "ci-31", "stopped"), ContainerRef::sample(132, "ci-32", "running")];
        assert_eq!(
            question_for_many("delete", &two, None),
            "Stops 1 and deletes 2 containers with their disks and snapshots, for good. Backups stay."
        );
        assert_eq!(would("delete", &two[..1]), "it would delete homelab/131 (ci-31) and 8.0Gi of disk");
        assert_eq!(would("stop", &two), "it would stop 2 containers");
        assert_eq!(
            question_for_many("shutdown", &two, Some(30)),
            "Shuts down 2 containers. What has not stopped after 30s is killed."
        );
        let [one, other] = two;
        assert_eq!(
            question_for_many("shutdown", &[one, other.managed()], Some(30)),
            "Shuts down 2 containers. What has not stopped after 30s is killed, but for 1 under HA."
        );
    }

    #[test]
    fn a_narrow_terminal_loses_no_name() {
        let long = "a-name-that-is-as-long-as-somebody-in-a-hurry-makes-them-at-night";
        let two = [ContainerRef::sample(131, long, "stopped"), ContainerRef::sample(132, "ci", "stopped")];
        let shown = table("delete", &two, &Now::fixed(0), Look { width: Some(40), ..Look::PIPE });
        assert!(shown.contains(long) && !shown.contains("CREATED"), "{shown}");
    }

    #[test]
    fn only_the_number_is_a_yes_for_many() {
        assert!(is_yes("2", Some("2")));
        assert!(!is_yes("y", Some("2")));
        assert!(is_yes("Y", None) && is_yes("yes", None));
        assert!(!is_yes("", None));
    }
}

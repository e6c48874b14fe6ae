//! How a verb ends on paper: rows, summary, errors, hints, and the exit code. Shared with `op watch`.

use std::time::Duration;

use lxc_core::error::{Code, Error, Exit, Result};
use lxc_core::text::{self, short_id};

use crate::cli::Format;
use crate::client::Submitted;
use crate::client::view::{Operation, Warning};
use crate::context::{Context, filled};
use crate::exit::{self, Outcome};
use crate::follow::{Answered, Board, Ending, Signals, Tracked, answered};
use crate::ui::escape::escape;
use crate::ui::rows::{self, Row};
use crate::ui::style::Mark;
use crate::ui::time;

/// What has to be known besides the operations.
#[derive(Debug, Clone, Default)]
pub(crate) struct Finish {
    /// The batch.
    pub(crate) request_id: String,
    /// What was typed for the only target.
    pub(crate) typed: Option<String>,
    /// Of this run, where it had one.
    pub(crate) grace_seconds: Option<u32>,
    /// How long this command was to wait.
    pub(crate) timeout: Option<Duration>,
    /// Warnings count.
    pub(crate) fail_on_warnings: bool,
}

/// Why nobody waits any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// `--detach`
    Asked,
    /// Ctrl-C, SIGTERM.
    Signalled(Exit),
}

/// What became of submitting.
pub(crate) enum Sent {
    /// These; and perhaps nobody waits for them any more.
    Answered(Submitted, Option<Exit>),
    /// Nobody waited for the answer; what there is to say was said.
    Unanswered(Exit),
}

/// Submits. From here on Ctrl-C ends nothing but this command, and how to come back is said: even where lxcd's
/// answer was not waited for, because the request has its id from here.
pub(crate) async fn submitted(
    context: &mut Context,
    signals: &mut Signals,
    request_id: &str,
    call: impl Future<Output = Result<Submitted>>,
) -> Result<Sent> {
    match answered(signals, call).await {
        Answered::Undisturbed(answer) => Ok(Sent::Answered(answer?, None)),
        Answered::AndLetGo(answer, exit) => Ok(Sent::Answered(answer?, Some(exit))),
        Answered::Never(exit) => {
            let fault = Error::new(Code::GaveUp, "let go before lxcd had answered")
                .because("whether it has begun anything is not known here")
                .hint_noted(
                    format!("lxcctl op watch {}", short_id(request_id)),
                    "if it has, that goes on without you",
                );
            context.report(&fault);
            Ok(Sent::Unanswered(exit))
        }
    }
}

/// Prints how it ended and returns the exit code.
pub(crate) fn ended(context: &mut Context, board: &Board, end: &Finish, ending: Ending) -> Result<Exit> {
    match ending {
        Ending::Complete => complete(context, board, end),
        Ending::Signalled(exit) => detached(context, board, end, Why::Signalled(exit)),
        Ending::TimedOut => {
            let patience = end.timeout.unwrap_or_default();
            let waited = match patience.subsec_micros() {
                0 => text::span(patience.as_secs()),
                _ => text::elapsed(i64::try_from(patience.as_micros()).unwrap_or(i64::MAX)),
            };
            let why = board.items().iter().find(|item| !item.ended).map(|item| {
                let id = short_id(&item.operation.id);
                let doing = item.message();
                match (item.operation.state.as_str(), item.operation.phase.as_deref()) {
                    _ if !doing.is_empty() && !doing.starts_with("op ") => format!("op {id}: {doing}"),
                    ("queued", _) => format!("op {id} has not begun"),
                    (_, Some("dispatching")) => {
                        format!("op {id}: Proxmox has not answered; lxcd looks for its task")
                    }
                    _ => format!("op {id} is under way"),
                }
            });
            gave_up(context, board, end, Some(&waited), why)
        }
        Ending::Lost(fault) => gave_up(context, board, end, None, fault.why.first().cloned()),
    }
}

fn complete(context: &mut Context, board: &Board, end: &Finish) -> Result<Exit> {
    let operations = board.operations();
    let exit = decide(&operations, end);
    if structured(context, &operations)? {
        return Ok(exit);
    }
    if let ([operation], [row]) = (operations.as_slice(), rows_of(&operations).as_slice())
        && matches!(row.mark, Mark::Failed | Mark::Unknown)
    {
        let fault = fault_of(operation);
        context.report_for(&fault, &operation.target, end.typed.as_deref());
        return Ok(exit);
    }
    print_rows(context, &operations);
    say_warnings(context, &operations, end);
    Ok(exit)
}

/// Rows of what ended and what goes on, and how to come back.
pub(crate) fn detached(context: &mut Context, board: &Board, end: &Finish, why: Why) -> Result<Exit> {
    let operations = board.operations();
    let exit = match why {
        Why::Signalled(exit) => exit,
        // Not to wait is what was asked for; only what has failed already counts.
        Why::Asked => match decide(&operations, end) {
            Exit::StillRunning => Exit::Done,
            exit => exit,
        },
    };
    if structured(context, &operations)? {
        return Ok(exit);
    }
    print_rows(context, &operations);
    let running: Vec<&&Operation> = operations.iter().filter(|op| !op.has_ended()).collect();
    let (what, id) = match running.as_slice() {
        [] => return Ok(exit),
        [one] => (format!("op {} goes on", short_id(&one.id)), short_id(&one.id)),
        many => (format!("{} operations go on", many.len()), short_id(&end.request_id)),
    };
    let without = if why == Why::Asked { "" } else { " without you" };
    let watch = context.bold(&format!("lxcctl op watch {id}"));
    let cancel = context.bold(&format!("lxcctl op cancel {id}"));
    context.printer.say(&format!("{what}{without}.  watch: {watch}  cancel: {cancel}"));
    Ok(exit)
}

/// The patience is over; the operations are not.
fn gave_up(
    context: &mut Context,
    board: &Board,
    end: &Finish,
    // None = lxcd went away.
    after: Option<&str>,
    why: Option<String>,
) -> Result<Exit> {
    let operations = board.operations();
    let exit = decide(&operations, end);
    if structured(context, &operations)? {
        return Ok(exit);
    }
    let running: Vec<&Tracked> = board.items().iter().filter(|item| !item.operation.has_ended()).collect();
    let (what, id) = match running.as_slice() {
        [item] => {
            let one = &item.operation;
            let name = escape(one.name.as_deref().unwrap_or("-"));
            (format!("{} ({name}) is still {}", one.target, item.doing()), short_id(&one.id))
        }
        many => (format!("{} operations still run", many.len()), short_id(&end.request_id)),
    };
    let watch = format!("lxcctl op watch {id}");
    let mut fault = match after {
        Some(after) => Error::new(Code::GaveUp, format!("gave up after {after}: {what}"))
            .hint_noted(watch, "it goes on without you"),
        None => Error::new(Code::GaveUp, format!("lxcd went away; when it was last heard, {what}"))
            .hint_noted(watch, "when lxcd is back; it goes on from there"),
    };
    fault.why.extend(why);
    if operations.len() > 1 {
        print_rows(context, &operations);
    }
    context.report(&fault);
    Ok(exit)
}

/// Nothing matched, and `--if-needed` says that this is fine.
pub(crate) fn nothing_to_do(context: &mut Context, fault: &Error) -> Result<Exit> {
    if !context.structured("OperationList", &[] as &[Operation], &[] as &[Warning], |op| &op.id)? {
        context.printer.say(&format!("Nothing to do: {}.", fault.message));
    }
    Ok(Exit::Done)
}

fn decide(operations: &[&Operation], end: &Finish) -> Exit {
    let outcomes: Vec<Outcome> = operations.iter().map(|op| Outcome::of(op)).collect();
    exit::decide(&outcomes, end.fail_on_warnings)
}

/// With jsonl everything was said as it happened, but for what nobody waited for.
fn structured(context: &mut Context, operations: &[&Operation]) -> Result<bool> {
    if context.format == Format::Jsonl {
        for operation in operations.iter().filter(|op| !op.has_ended()) {
            let line = crate::ui::json::line(operation)?;
            context.printer.answer_line(&line);
        }
        return Ok(true);
    }
    if context.format == Format::Name {
        // Names are for the next command: only what it may go on with. The others are told like any error.
        for operation in operations {
            match &operation.error {
                None => context.printer.answer_line(&operation.target),
                Some(_) => context.report_for(&fault_of(operation), &operation.target, None),
            }
        }
        return Ok(true);
    }
    context.structured("OperationList", operations, &[] as &[Warning], |op| &op.target)
}

fn rows_of(operations: &[&Operation]) -> Vec<Row> {
    let now = time::now();
    operations.iter().map(|op| Row::of(op, now)).collect()
}

fn print_rows(context: &mut Context, operations: &[&Operation]) {
    let all = rows_of(operations);
    let wrong = |row: &Row| matches!(row.mark, Mark::Failed | Mark::Unknown | Mark::Warned);
    let shown: Vec<Row> =
        all.iter().filter(|row| !context.printer.is_quiet() || wrong(row)).cloned().collect();
    let text = rows::render(&shown, context.printer.look);
    context.printer.answer(&text);
    if all.len() > 1 {
        if let Some(line) = rows::summary(&all, context.printer.err_look) {
            context.printer.say(&line);
        }
        for line in rows::code_hints(operations, context.printer.err_look) {
            context.printer.say(&line);
        }
    }
}

fn say_warnings(context: &mut Context, operations: &[&Operation], end: &Finish) {
    for operation in operations {
        let name = escape(operation.name.as_deref().unwrap_or(&operation.target)).into_owned();
        // Without a detail of its own the row says them.
        for warning in operation.warnings.iter().filter(|_| operation.detail.is_some()) {
            context.printer.warn(&format!("{name}: {}", escape(warning)));
        }
        if operation.how.as_deref() == Some("forced") {
            context.printer.warn(&killed(&name, end.grace_seconds));
        }
    }
}

fn killed(name: &str, grace_seconds: Option<u32>) -> String {
    match grace_seconds {
        Some(seconds) => {
            format!(
                "{name} was killed after {seconds}s of grace; more: --grace {}s, never: --no-force",
                seconds.saturating_mul(4)
            )
        }
        None => format!("{name} was killed when its grace was over"),
    }
}

/// What is behind a failed operation; an older daemon may have said nothing.
fn fault_of(operation: &Operation) -> Error {
    let name = operation.name.as_deref().unwrap_or("-");
    let id = short_id(&operation.id);
    operation.error.clone().unwrap_or_else(|| {
        let (code, message) = match operation.state.as_str() {
            "needs_attention" => (Code::OutcomeUnknown, format!("nobody knows how {} ended", operation.verb)),
            "cancelled" => (Code::Cancelled, format!("{} was cancelled", operation.verb)),
            _ => (Code::TaskFailed, format!("{} failed", operation.verb)),
        };
        let fault = Error::new(code, format!("{message}: {} ({name})", operation.target))
            .about(&operation.target)
            .operation(&operation.id);
        filled(&fault.hint(format!("lxcctl op show {id}")), &operation.target)
    })
}

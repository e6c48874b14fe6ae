//! An error as three lines, or as one line of JSON. Owns that shape; must not decide what an error says.

use lxc_core::error::{Error, Try};
use serde::Serialize;

use super::escape::escape;
use super::style::{Look, Tone, paint};

const MARGIN: &str = "        ";

/// What, `why:`, `try:`; without a newline at the end.
#[must_use]
pub fn lines(error: &Error, look: Look, verbose: bool) -> String {
    let error = &error.whole();
    let head = paint(&format!("error[{}]:", error.code), Tone::Red, look);
    let mut text = format!("{head} {}", escape(&error.message));
    block(
        &mut text,
        "why:",
        error.why.iter().enumerate().map(|(index, why)| {
            // The caret and its suggestion stand under what they mean.
            let tone = if index > 0 && why.trim_start().starts_with('^') { Tone::Green } else { Tone::Plain };
            paint(&escape(why), tone, look)
        }),
    );
    let said = |words: &str| error.why.iter().any(|why| why.contains(words.trim()));
    if verbose && let Some(words) = error.pve_message.as_ref().filter(|words| !said(words)) {
        block(&mut text, "pve:", words.lines().map(|line| escape(line).into_owned()));
    }
    block(&mut text, "try:", tries(&error.tries, look).into_iter());
    text
}

fn block(text: &mut String, label: &str, lines: impl Iterator<Item = String>) {
    for (index, line) in lines.enumerate() {
        text.push_str(&if index == 0 { format!("\n  {label}  ") } else { format!("\n{MARGIN}") });
        text.push_str(&line);
    }
}

/// One line per command. A note of its own goes in brackets; an alternative (`or watch:`) joins the line
/// before it.
fn tries(tries: &[Try], look: Look) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for step in tries {
        let command = paint(&escape(&step.command), Tone::Bold, look);
        let note = escape(&step.note);
        let joins = ["or ", "then "].iter().any(|word| note.starts_with(word));
        match lines.last_mut() {
            Some(last) if joins => {
                last.push_str(&format!("{MARGIN}{}: {command}", note.trim_end_matches(':')));
            }
            _ if note.is_empty() => lines.push(command),
            _ if joins => lines.push(format!("{command}{MARGIN}{note}")),
            _ => lines.push(format!("{command}{MARGIN}({note})")),
        }
    }
    lines
}

/// The error inside JSON.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorView {
    code: &'static str,
    exit_code: u8,
    target: Option<String>,
    message: String,
    why: Option<String>,
    #[serde(rename = "try")]
    tries: Vec<String>,
    operation_id: Option<String>,
    pve_message: Option<String>,
}

impl From<&Error> for ErrorView {
    fn from(error: &Error) -> Self {
        let error = &error.whole();
        Self {
            code: error.code.as_str(),
            exit_code: error.exit().number(),
            target: error.target.clone(),
            message: error.message.clone(),
            why: (!error.why.is_empty()).then(|| error.why.join("\n")),
            tries: error.tries.iter().map(|step| in_json(step, error.target.as_deref())).collect(),
            operation_id: error.operation_id.clone(),
            pve_message: error.pve_message.clone(),
        }
    }
}

/// In JSON nobody has typed a word for it: commands name the container in full. A note stands behind as a
/// shell's comment: what it says (`only when nothing uses it`) must not get lost, and the line still works.
fn in_json(step: &Try, target: Option<&str>) -> String {
    let command = step.command.replace("{target}", target.unwrap_or("TARGET"));
    let note = step.note.replace("{target}", target.unwrap_or("TARGET"));
    if note.is_empty() { command } else { format!("{command}  # {note}") }
}

#[derive(Serialize)]
struct Line {
    api_version: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    error: ErrorView,
}

/// The error of a call as one line.
#[must_use]
pub fn json(error: &Error) -> String {
    let line = Line { api_version: super::json::API_VERSION, kind: "Error", error: error.into() };
    serde_json::to_string(&line)
        .unwrap_or_else(|fault| format!("{{\"kind\":\"Error\",\"message\":\"{fault}\"}}"))
}

#[cfg(test)]
mod tests {
    use lxc_core::error::Code;

    use super::*;

    #[test]
    fn alternatives_join_the_line_and_notes_stand_in_brackets() {
        let error = Error::new(Code::Locked, "homelab/104 (web-1) is locked")
            .because("ops restarts it since 14:02:11, 9s ago (op 4f9c2e1b, step 1/2)")
            .hint("lxcctl stop 104 --wait-lock 60s")
            .hint_noted("lxcctl op watch 4f9c2e1b", "or watch");
        assert_eq!(
            lines(&error, Look::PIPE, false),
            "error[LXC0401]: homelab/104 (web-1) is locked\n\
             \x20 why:  ops restarts it since 14:02:11, 9s ago (op 4f9c2e1b, step 1/2)\n\
             \x20 try:  lxcctl stop 104 --wait-lock 60s        or watch: lxcctl op watch 4f9c2e1b"
        );
        let error = Error::new(Code::AlreadyRunning, "x")
            .hint_noted("lxcctl start 104 --if-needed", "nothing to do is then a success");
        assert!(
            lines(&error, Look::PIPE, false)
                .ends_with("--if-needed        (nothing to do is then a success)")
        );
    }

    #[test]
    fn proxmoxs_words_are_not_said_twice() {
        let error = Error::new(Code::TaskFailed, "x").because("bridge 'vmbr9' does not exist");
        let text = |words: &str| lines(&error.clone().pve(words), Look::PIPE, true);
        assert!(!text("bridge 'vmbr9' does not exist\n").contains("pve:"));
        assert!(text("command 'lxc-start' failed").contains("\n  pve:  command 'lxc-start' failed"));
    }

    #[test]
    fn no_error_lacks_a_line() {
        for code in lxc_core::error::Code::ALL {
            let text = lines(&Error::new(*code, "what"), Look::PIPE, false);
            let led: Vec<&str> = text.lines().map(|line| line.get(..8).unwrap_or(line)).collect();
            assert_eq!(led[1..], ["  why:  ", "  try:  "], "{text}");
            assert!(!text.contains('…'), "{text}");
        }
    }

    #[test]
    fn json_keeps_what_is_noted_about_a_command() {
        let error = Error::new(Code::PveLocked, "x")
            .about("homelab/112")
            .hint("lxcctl start {target} --wait-lock 10m")
            .hint_noted("pct unlock 112", "on pve1, only when nothing uses it any more");
        assert_eq!(
            ErrorView::from(&error).tries,
            [
                "lxcctl start homelab/112 --wait-lock 10m",
                "pct unlock 112  # on pve1, only when nothing uses it any more"
            ]
        );
    }

    #[test]
    fn json_is_one_line_with_every_field() {
        let error = Error::new(Code::Role, "deploy may not delete edge/201 (web-1)").about("edge/201");
        let text = json(&error);
        assert!(
            text.starts_with(
                r#"{"api_version":"v1","kind":"Error","code":"LXC0601","exit_code":6,"target":"edge/201","#
            ),
            "{text}"
        );
        assert!(text.contains(r#""pve_message":null"#) && !text.contains('\n'));
    }
}

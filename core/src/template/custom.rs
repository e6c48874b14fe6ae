//! A line of a custom list: `name|check|install|timeout`. Owns its fields and how a `|` inside one is written.

use super::fault::shown;
use super::spec::Refusal;
use super::{LONGEST_TIME, is_name};
use crate::text::parse_duration;

/// How a time is written.
pub(super) const TIMES: &str = "1 to 86400 seconds, or 90s, 5m, 1h";
const FORM: &str = "a line is NAME|CHECK|INSTALL|TIMEOUT; a | inside a command is written \\|";

/// Something that is installed by commands of one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custom {
    /// What it is called.
    pub name: String,
    /// Succeeds when it is there; empty = nobody knows beforehand.
    pub check: String,
    /// Installs it.
    pub install: String,
    /// How long that may take, in seconds; None = as long as any step.
    pub timeout: Option<u64>,
}

impl Custom {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right.
    pub fn read(line: &str) -> Result<Self, (String, String)> {
        let no = |what: String, why: &str| -> Result<Self, Refusal> { Err((what, why.to_owned())) };
        let fields = fields(line);
        let [name, check, install, timeout] = &fields[..] else {
            return no(format!("there are {} fields, not 4: {}", fields.len(), shown(line)), FORM);
        };
        if !is_name(name) {
            return no(format!("{:?} is no name", shown(name)), super::NAMES);
        }
        if install.is_empty() {
            return no(format!("{name} has no command that installs it"), FORM);
        }
        if [check, install].iter().any(|text| text.ends_with('\\') || text.chars().any(char::is_control)) {
            return no(
                format!("a command of {name} ends in a backslash or has a control character in it"),
                "a command stands on one line",
            );
        }
        let timeout = match seconds(timeout) {
            _ if timeout.is_empty() => None,
            Some(seconds) => Some(seconds),
            None => return no(format!("{name} may take {:?}", shown(timeout)), TIMES),
        };
        Ok(Self { name: name.clone(), check: check.clone(), install: install.clone(), timeout })
    }

    /// The line that is read as this.
    #[must_use]
    pub fn written(&self) -> String {
        let timeout = self.timeout.map_or_else(String::new, |seconds| seconds.to_string());
        let [check, install] = [&self.check, &self.install].map(|text| text.replace('|', "\\|"));
        format!("{}|{check}|{install}|{timeout}", self.name)
    }
}

/// Whole seconds, at least one and at most a day.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let time = parse_duration(text).ok().filter(|time| time.subsec_nanos() == 0)?;
    Some(time.as_secs()).filter(|seconds| (1..=LONGEST_TIME).contains(seconds))
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let escaped = c == '\\' && chars.next_if_eq(&'|').is_some();
        match fields.last_mut() {
            Some(field) if escaped => field.push('|'),
            Some(field) if c != '|' => field.push(c),
            _ => fields.push(String::new()),
        }
    }
    fields.iter().map(|field| field.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_has_four_fields() {
        let custom = Custom::read("node|command -v node|curl -s https://x \\| sh -|5m").unwrap();
        assert_eq!((custom.install.as_str(), custom.timeout), ("curl -s https://x | sh -", Some(300)));
        assert_eq!(custom.written(), "node|command -v node|curl -s https://x \\| sh -|300");
        assert_eq!(Custom::read("a||b|").unwrap().timeout, None);
        for line in [
            "a|b|c",
            "a|b|c|1|2",
            "a|b||1",
            "|b|c|1",
            "a|b|c|0",
            "a|b|c|soon",
            "a|b|c|90000",
            "a|b|c\\ |1",
            "-a|b|c|1",
        ] {
            assert!(Custom::read(line).is_err(), "{line}");
        }
        assert!(Custom::read("a|b|c | d|1").unwrap_err().1.contains("\\|"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(line in "a\\|[a-z \\\\|]{0,9}\\|[a-z \\\\|]{0,9}\\|[0-9]{0,3}") {
            if let Ok(custom) = Custom::read(&line) {
                prop_assert_eq!(Custom::read(&custom.written()), Ok(custom));
            }
        }
    }
}

//! What every command has at hand: the printer, the flags of every command, the command line as typed.
//! Owns errors on their way out; must not know any command.

use std::path::PathBuf;

use lxc_core::error::{Code, Error, Result};
use lxc_core::selector::{Place, Query, Selection, SelectorError, quote};
use serde::Serialize;

use crate::cli::line;
use crate::cli::{Format, Global, ProgressMode};
use crate::client::view::ContainerRef;
use crate::client::{Client, socket_path};
use crate::ui::printer::Printer;
use crate::ui::style::{Tone, paint};
use crate::ui::{error, json};

/// One run of lxcctl.
pub struct Context {
    /// The streams.
    pub printer: Printer,
    /// How the answer is written.
    pub format: Format,
    /// How progress is shown.
    pub progress: ProgressMode,
    verbose: bool,
    socket: PathBuf,
    argv: Vec<String>,
}

impl Context {
    /// For that command line.
    #[must_use]
    pub fn new(global: &Global, argv: Vec<String>) -> Self {
        let mut printer = Printer::new(global.colour, global.quiet);
        printer.for_programs = !global.output.is_text();
        printer.look.whole = global.output == Format::Wide;
        Self {
            printer,
            format: global.output,
            progress: global.progress,
            verbose: global.verbose,
            socket: socket_path(global.socket.as_deref()),
            argv,
        }
    }

    /// A connection to the daemon.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn connect(&self) -> Result<Client> {
        Client::connect(&self.socket).await
    }

    /// The command line as it would be typed again.
    #[must_use]
    pub fn command_line(&self) -> String {
        line::typed(&self.argv)
    }

    /// The command line with a flag of that value, in the place of the one that was given.
    #[must_use]
    pub fn command_line_with(&self, flag: &str, value: Option<&str>) -> String {
        line::with(&self.argv, flag, value)
    }

    /// Lets the command line say more: what was answered to questions counts as typed from now on.
    pub fn type_more(&mut self, words: &[String]) {
        self.argv = line::more(&self.argv, words);
    }

    /// Lets the command line say one flag less: what is advised from now on is to be done, not only looked at.
    pub fn type_less(&mut self, flag: &str) {
        self.argv = line::less(&self.argv, flag);
    }

    /// The command line with one word in the place of another.
    #[must_use]
    pub fn command_line_instead(&self, word: &str, better: &str) -> String {
        line::instead(&self.argv, word, better)
    }

    /// Prints the error of a call: three lines, or one of JSON.
    pub fn report(&mut self, fault: &Error) {
        let mut fault = fault.clone();
        for step in &mut fault.tries {
            step.command = line::filled(&step.command, &self.argv);
        }
        let text = if self.format.is_json() {
            error::json(&fault)
        } else {
            error::lines(&fault, self.printer.err_look, self.verbose)
        };
        self.printer.must_say(&text);
    }

    /// Prints the error of an operation on one container, with `{target}` as it was typed.
    pub fn report_for(&mut self, fault: &Error, target: &str, typed: Option<&str>) {
        self.report(&filled(fault, typed.unwrap_or(target)));
    }

    /// Reads the selection early, so that a wrong one is pointed at in the words that were typed.
    ///
    /// # Errors
    /// LXC0203, LXC0204 or LXC0205 with the corrected command line.
    pub fn check(&self, selection: &Selection) -> Result<Query> {
        Query::parse(selection).map_err(|fault| self.selector_error(fault))
    }

    fn selector_error(&self, fault: SelectorError) -> Error {
        let wrong = fault.text.clone();
        let label = fault.place == Place::Label;
        fault.into_error(|corrected| {
            let mut words = vec!["lxcctl".to_owned()];
            for arg in &self.argv {
                if *arg == wrong {
                    words.push(if label { quoted(corrected) } else { quote(corrected) });
                } else if label && arg.ends_with(&wrong) && arg.starts_with('-') {
                    let flag = &arg[..arg.len() - wrong.len()];
                    words.push(format!("{flag}{}", quoted(corrected)));
                } else {
                    words.push(quote(arg));
                }
            }
            words.join(" ")
        })
    }

    /// Prints a list in every format but table and wide, and says whether it did.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn structured<T: Serialize, W: Serialize>(
        &mut self,
        kind: &'static str,
        items: &[T],
        warnings: &[W],
        name: impl Fn(&T) -> &str,
    ) -> Result<bool> {
        let list = json::List::new(kind, items, warnings);
        match self.format {
            Format::Table | Format::Wide => return Ok(false),
            Format::Json => self.printer.answer_line(&json::pretty(&list)?),
            Format::Yaml => self.printer.answer_line(&json::yaml(&list)?),
            Format::Jsonl => {
                for item in items {
                    self.printer.answer_line(&json::line(item)?);
                }
            }
            Format::Name => {
                for item in items {
                    self.printer.answer_line(name(item));
                }
            }
        }
        Ok(true)
    }

    /// Prints one object in every format but table and wide, and says whether it did.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn structured_one<T: Serialize>(&mut self, item: &T, name: &str) -> Result<bool> {
        let single = json::Single::new(item);
        match self.format {
            Format::Table | Format::Wide => return Ok(false),
            Format::Json => self.printer.answer_line(&json::pretty(&single)?),
            Format::Yaml => self.printer.answer_line(&json::yaml(&single)?),
            Format::Jsonl => self.printer.answer_line(&json::line(&single)?),
            Format::Name => self.printer.answer_line(name),
        }
        Ok(true)
    }

    /// Refuses what never ends as one JSON document.
    ///
    /// # Errors
    /// LXC0201 with the format that fits.
    pub fn refuse_endless_json(&self, flag: &str) -> Result<()> {
        if matches!(self.format, Format::Json | Format::Yaml) {
            let typed = self.command_line();
            let better = typed.replace("-o json", "-o jsonl").replace("-o yaml", "-o jsonl");
            return Err(Error::new(Code::Usage, format!("{flag} never ends, one JSON document would"))
                .because("json and yaml are one document; jsonl is one object a line")
                .hint(better));
        }
        Ok(())
    }

    /// A command to type, as it looks on stderr.
    #[must_use]
    pub fn bold(&self, text: &str) -> String {
        paint(text, Tone::Bold, self.printer.err_look)
    }
}

/// The error with `{target}` filled in everywhere.
#[must_use]
pub fn filled(fault: &Error, target: &str) -> Error {
    let mut fault = fault.clone();
    for step in &mut fault.tries {
        step.command = step.command.replace("{target}", &quote(target));
        step.note = step.note.replace("{target}", &quote(target));
    }
    fault
}

/// What stands for `{target}` in the errors of a call: the only word that was typed, if there was one.
#[must_use]
pub fn typed_target<'a>(selection: &'a Selection, refs: &[ContainerRef]) -> Option<&'a str> {
    match selection.targets.as_slice() {
        [only] if refs.len() <= 1 => Some(only),
        _ => None,
    }
}

/// Selectors are always quoted: what stands in them means something to shells.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

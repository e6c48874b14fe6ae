//! Texts that people edit: in their editor, or from a file. Owns the file they are edited in and that nothing of it gets
//! lost; what stands in a text is its command's.

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::{env, fs};

use lxc_core::error::{Code, Error, Result};
use lxc_core::selector::quote;
use lxc_core::template::LARGEST_TEMPLATE;
use tokio::signal::unix::{SignalKind, signal};
use uuid::Uuid;

use crate::client::view::TemplateChange;
use crate::context::Context;
use crate::ui::escape::escape;
use crate::ui::style::{Mark, Tone, paint};

/// What is edited.
pub(super) struct Subject<'a> {
    /// The command that takes the text from a file: `lxcctl template edit web`.
    pub(super) command: String,
    /// What it is called.
    pub(super) name: &'a str,
    /// The text to begin with.
    pub(super) text: String,
}

/// Has a text edited, or takes it from `file` (`-` is standard input), and saves it. None = it was not changed. A text
/// that is refused is edited again for as long as somebody wants to.
pub(super) async fn edited<T, R>(
    context: &mut Context,
    subject: &Subject<'_>,
    file: Option<&Path>,
    read: impl Fn(&str, &str) -> Result<T>,
    save: impl AsyncFn(T) -> Result<R>,
) -> Result<Option<R>> {
    if let Some(file) = file {
        let text = text_of(file)?;
        return save(read(&text, &shown(file))?).await.map(Some);
    }
    if !context.printer.can_ask {
        return Err(Error::new(Code::Usage, "there is no terminal to edit on")
            .because("an editor needs one; -f takes the text from a file instead")
            .hint(format!("{} --help", subject.command)));
    }
    let draft = Draft::new(subject)?;
    // Ctrl-C is for the editor: it must not end us and leave it behind.
    let _caught =
        signal(SignalKind::interrupt()).map_err(|fault| draft.kept(cannot_edit(&fault), subject))?;
    loop {
        context.printer.flush();
        let status = draft.open().map_err(|fault| draft.kept(cannot_edit(&fault), subject))?;
        let text = text_of(&draft.path).map_err(|fault| draft.kept(fault, subject))?;
        if text == subject.text {
            draft.remove();
        }
        if !status.success() {
            let fault = Error::new(Code::BadValue, format!("the editor has failed: {status}"))
                .because("nothing was saved");
            return Err(if text == subject.text {
                fault.hint(subject.command.clone())
            } else {
                draft.kept(fault, subject)
            });
        }
        if text == subject.text {
            return Ok(None);
        }
        let saved = match read(&text, &draft.path.to_string_lossy()) {
            Ok(read) => save(read).await,
            Err(fault) => Err(fault),
        };
        match saved {
            Ok(saved) => {
                draft.remove();
                return Ok(Some(saved));
            }
            // What can be put right in the text.
            Err(fault) if matches!(fault.code, Code::BadTemplate | Code::BadValue | Code::NoBucket) => {
                context.report(&fault);
                let Ok(mut interrupts) = signal(SignalKind::interrupt()) else {
                    return Err(draft.kept(fault, subject));
                };
                let answer = context.printer.ask_while("Edit it again? [Y/n] ", interrupts.recv()).await;
                if !answer
                    .is_some_and(|answer| matches!(answer.to_ascii_lowercase().as_str(), "" | "y" | "yes"))
                {
                    let fault =
                        Error::new(Code::AnsweredNo, format!("{} was not saved", escape(subject.name)));
                    return Err(draft.kept(fault, subject));
                }
            }
            Err(fault) => return Err(draft.kept(fault, subject)),
        }
    }
}

/// A file with a text that is being edited. It stays unless it is removed: what somebody has written is theirs.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn new(subject: &Subject<'_>) -> Result<Self> {
        let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let name: String = subject.name.chars().filter(fits).take(63).collect();
        let path = env::temp_dir().join(format!("lxcctl-{name}-{}.toml", Uuid::new_v4().simple()));
        let made = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        made.and_then(|mut file| file.write_all(subject.text.as_bytes()))
            .map_err(|fault| cannot_edit(&fault))?;
        Ok(Self { path })
    }

    fn open(&self) -> io::Result<ExitStatus> {
        let set = |name| env::var(name).ok().filter(|value| !value.trim().is_empty());
        let editor = set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| "vi".to_owned());
        // As everywhere, it is a command line of the person's own, with flags if they like.
        Command::new("sh").arg("-c").arg(format!("{editor} \"$@\"")).arg(&editor).arg(&self.path).status()
    }

    fn remove(&self) {
        // Gone already is as good.
        let _ = fs::remove_file(&self.path);
    }

    /// The error, with where the text is and what takes it from there.
    fn kept(&self, fault: Error, subject: &Subject<'_>) -> Error {
        let path = self.path.to_string_lossy();
        // Somebody has made one of that name meanwhile: it is there to be edited now.
        let command = match fault.code {
            Code::Overtaken => subject.command.replacen(" create ", " edit ", 1),
            _ => subject.command.clone(),
        };
        let line = format!("{command} -f {}", quote(&path));
        fault.because(format!("what was edited is kept in {path}")).hint_noted(line, "takes it from there")
    }
}

fn cannot_edit(fault: &io::Error) -> Error {
    Error::new(Code::BadValue, "the text cannot be edited").because(fault.to_string())
}

/// What a file is called in messages.
pub(super) fn shown(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() }
}

/// The text of a file; `-` is standard input.
pub(super) fn text_of(path: &Path) -> Result<String> {
    // Escapes make a text longer than what it stands for.
    const LARGEST: u64 = 2 * LARGEST_TEMPLATE;
    let fault = |why: String| {
        Error::new(Code::BadValue, format!("{} cannot be read", shown(path)))
            .because(why)
            .hint_noted("{line}", "with a file of text")
    };
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        io::stdin().lock().take(LARGEST + 1).read_to_string(&mut text)
    } else {
        fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text))
    };
    match read {
        Ok(_) if text.len() as u64 > LARGEST => Err(fault("it is larger than 16 MiB".to_owned())),
        Ok(_) => Ok(text),
        Err(error) => Err(fault(error.to_string())),
    }
}

/// `✓ web  changed  2 changes`, and each of them.
pub(super) fn report(
    context: &mut Context,
    name: &str,
    result: &str,
    detail: &str,
    changes: &[TemplateChange],
) {
    if context.printer.is_quiet() {
        return;
    }
    let look = context.printer.look;
    let mark = if result == "unchanged" { Mark::Unchanged } else { Mark::Done };
    let (name, sign) = (paint(&escape(name), Tone::Bold, look), paint(mark.text(look), mark.tone(), look));
    let detail = if result == "unchanged" { String::new() } else { format!("  {detail}") };
    context.printer.answer_line(&format!("{sign} {name}  {result}{detail}"));
    for change in changes {
        context.printer.answer_line(&format!("    {}", escape(&change.worded())));
    }
}

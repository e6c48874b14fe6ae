//! Deleting what lxcd keeps by name, templates and buckets alike: what goes is told, a yes is asked for, the result is a
//! row. Owns the question and the answer; what is deleted, and how, is the caller's.

use lxc_core::error::{Code, Error, Exit, Result};
use serde::Serialize;

use crate::context::Context;
use crate::ui::escape::escape;
use crate::ui::style::{Mark, Tone, paint};

/// What is to be deleted.
pub(crate) struct Deletion<'a> {
    /// `template delete`
    pub(crate) verb: &'a str,
    /// `DeletedTemplate`, in JSON.
    pub(crate) kind: &'static str,
    pub(crate) name: &'a str,
    /// What it consists of, which goes with it.
    pub(crate) parts: &'a str,
    /// What stays: `containers made from it stay`.
    pub(crate) stays: &'a str,
    pub(crate) yes: bool,
    pub(crate) dry_run: bool,
}

#[derive(Serialize)]
struct Deleted<'a> {
    kind: &'static str,
    name: &'a str,
    deleted: bool,
}

impl Deletion<'_> {
    /// Asks where a yes is still wanted, deletes with `delete`, and says so.
    pub(crate) async fn carry_out(
        &self,
        context: &mut Context,
        delete: impl Future<Output = Result<()>>,
    ) -> Result<Exit> {
        if !self.dry_run {
            if !self.yes {
                self.ask(context)?;
            }
            delete.await?;
        }
        let deleted = Deleted { kind: self.kind, name: self.name, deleted: !self.dry_run };
        if context.structured_one(&deleted, self.name)? {
            return Ok(Exit::Done);
        }
        let look = context.printer.look;
        let mark = paint(Mark::Done.text(look), Mark::Done.tone(), look);
        let bold = paint(&escape(self.name), Tone::Bold, look);
        let result = if self.dry_run { "would delete" } else { "deleted" };
        if !context.printer.is_quiet() {
            context.printer.answer_line(&format!("{mark} {bold}  {result}  {}", self.parts));
        }
        if self.dry_run {
            context.printer.say("dry run: nothing was changed");
        }
        Ok(Exit::Done)
    }

    fn ask(&self, context: &mut Context) -> Result<()> {
        let (name, parts) = (escape(self.name).into_owned(), self.parts);
        if !context.printer.can_ask {
            let what = format!("{} wants a yes, and there is no terminal to ask on", self.verb);
            return Err(Error::new(Code::NeedsYes, what)
                .because(format!("it would delete {name} with {parts}"))
                .hint(context.command_line_with("--yes", None)));
        }
        let question = format!("Deletes {name} with {parts}; {}. [y/N] ", self.stays);
        let answer = context.printer.ask(&question).unwrap_or_default();
        if matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(Error::new(Code::AnsweredNo, format!("{name} was not deleted"))
            .because("the answer was not yes")
            .hint_noted("{line} --yes", "asks nothing"))
    }
}

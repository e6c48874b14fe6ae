//! Questions that are more than a line: a list to pick from, boxes to tick, a line that is checked before it is taken.
//! Owns how they are drawn and read; what is asked, and what an answer means, is the caller's.

use inquire::ui::{IndexPrefix, RenderConfig};
use inquire::validator::Validation;
use inquire::{Confirm, InquireError, MultiSelect, Select, Text};

use super::Printer;

/// Rows of a list that are shown at a time.
const PAGE: usize = 10;

/// Why there is no answer.
#[derive(Debug)]
pub enum Unanswered {
    /// Ctrl-C.
    Interrupted,
    /// Esc or Ctrl-D: this is not what they want.
    Declined,
    /// The terminal cannot be read or drawn on.
    Fault(String),
}

impl From<InquireError> for Unanswered {
    fn from(fault: InquireError) -> Self {
        match fault {
            InquireError::OperationInterrupted => Self::Interrupted,
            InquireError::OperationCanceled => Self::Declined,
            other => Self::Fault(other.to_string()),
        }
    }
}

/// Which rows of a list stay when something is typed: the row of that number, or those with that text in them.
fn fits(typed: &str, row: &str, index: usize) -> Option<i64> {
    let number = (index + 1).to_string();
    if number == typed {
        return Some(2);
    }
    let found = row.to_lowercase().contains(&typed.to_lowercase());
    (found || number.starts_with(typed)).then_some(1)
}

/// Best first, and otherwise as they stood.
fn sorted(rows: &mut [(usize, i64)]) {
    rows.sort_by_key(|(index, score)| (std::cmp::Reverse(*score), *index));
}

impl Printer {
    fn drawn(&mut self, numbered: bool) -> RenderConfig<'static> {
        self.wipe();
        self.flush();
        let plain = RenderConfig::empty();
        let look = if self.err_look.colour { RenderConfig::default_colored() } else { plain };
        let prefix = if numbered { IndexPrefix::SpacePadded } else { IndexPrefix::None };
        look.with_option_index_prefix(prefix)
    }

    /// Whatever comes next stands on a line of its own, also where a question was left in the middle.
    fn left<T>(&mut self, answer: Result<T, InquireError>) -> Result<T, Unanswered> {
        answer.map_err(|fault| {
            let reason = Unanswered::from(fault);
            if matches!(reason, Unanswered::Interrupted) {
                self.complain(b"\n");
            }
            reason
        })
    }

    /// One row of a list, by its place; `start` is marked first. `shown` = what stays on the screen of a row.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn pick(
        &mut self,
        question: &str,
        rows: &[String],
        shown: &[String],
        start: usize,
    ) -> Result<usize, Unanswered> {
        let short = |row: inquire::list_option::ListOption<&String>| {
            shown.get(row.index).unwrap_or(row.value).clone()
        };
        let drawn = self.drawn(true);
        let picked = Select::new(question, rows.to_vec())
            .with_starting_cursor(start.min(rows.len().saturating_sub(1)))
            .with_page_size(PAGE)
            .with_scorer(&|typed, _, row, index| fits(typed, row, index))
            .with_sorter(&sorted)
            .with_formatter(&short)
            .with_help_message("arrows, or type a number or a part; Enter takes it, Ctrl-C ends")
            .with_render_config(drawn)
            .raw_prompt();
        self.left(picked).map(|row| row.index)
    }

    /// Boxes, all of them ticked at first; the places of those that still are in the end. `shown` says what stays on
    /// the screen of those.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn tick(
        &mut self,
        question: &str,
        rows: &[String],
        shown: impl Fn(&[usize]) -> String,
    ) -> Result<Vec<usize>, Unanswered> {
        let short = |ticked: &[inquire::list_option::ListOption<&String>]| {
            shown(&ticked.iter().map(|row| row.index).collect::<Vec<_>>())
        };
        let drawn = self.drawn(false);
        let ticked = MultiSelect::new(question, rows.to_vec())
            .with_all_selected_by_default()
            .with_page_size(PAGE)
            .with_formatter(&short)
            .with_help_message("Space ticks and unticks, right all, left none; Enter goes on, Ctrl-C ends")
            .with_render_config(drawn)
            .raw_prompt();
        self.left(ticked).map(|rows| rows.into_iter().map(|row| row.index).collect())
    }

    /// One line; asked again with the reason as long as `check` refuses it. Enter alone takes `usual`.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn line(
        &mut self,
        question: &str,
        usual: Option<&str>,
        check: impl Fn(&str) -> Result<(), String> + Clone,
    ) -> Result<String, Unanswered> {
        let checked = move |typed: &str| {
            Ok(match check(typed.trim()) {
                Ok(()) => Validation::Valid,
                Err(why) => Validation::Invalid(why.into()),
            })
        };
        let text = Text::new(question).with_validator(checked).with_render_config(self.drawn(false));
        let text = match usual {
            Some(usual) => text.with_default(usual),
            None => text,
        };
        let typed = text.prompt();
        self.left(typed).map(|typed| typed.trim().to_owned())
    }

    /// Yes or no; Enter alone is a yes.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn agree(&mut self, question: &str) -> Result<bool, Unanswered> {
        let answer = Confirm::new(question).with_default(true).with_render_config(self.drawn(false)).prompt();
        self.left(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_picks_its_row_before_anything_that_holds_it() {
        let rows = ["none", "debian-12", "web-1", "web-2"];
        let picked = |typed: &str| {
            let mut found: Vec<(usize, i64)> = rows
                .iter()
                .enumerate()
                .filter_map(|(index, row)| Some((index, fits(typed, row, index)?)))
                .collect();
            sorted(&mut found);
            found.into_iter().map(|(index, _)| index).collect::<Vec<_>>()
        };
        assert_eq!(picked("1"), [0, 1, 2]);
        assert_eq!(picked("2"), [1, 3]);
        assert_eq!(picked("WEB"), [2, 3]);
        assert_eq!(picked(""), [0, 1, 2, 3]);
    }
}

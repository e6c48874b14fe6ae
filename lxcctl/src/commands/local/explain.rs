//! `lxcctl explain CODE`: the page behind an error code.

use lxc_core::error::{Code, Error, Exit, Result};
use serde::Serialize;

use crate::client::view::Warning;
use crate::context::Context;
use crate::ui::style::Tone;
use crate::ui::table::{Cell, Column, Table};

#[derive(Serialize)]
struct Page {
    kind: &'static str,
    code: &'static str,
    exit_code: u8,
    title: &'static str,
    text: &'static str,
}

impl Page {
    fn of(code: Code) -> Self {
        let text = code.page().split_once('\n').map_or("", |(_, text)| text.trim());
        Self { kind: "Page", code: code.as_str(), exit_code: code.exit().number(), title: code.title(), text }
    }
}

pub(crate) fn run(context: &mut Context, code: Option<&str>) -> Result<Exit> {
    let Some(text) = code else { return list(context) };
    let code: Code = text.parse().map_err(|_| no_page(text))?;
    let page = Page::of(code);
    if !context.structured_one(&page, page.code)? {
        context.printer.answer(&format!("{}\n", code.page().trim_end()));
    }
    Ok(Exit::Done)
}

fn list(context: &mut Context) -> Result<Exit> {
    let pages: Vec<Page> = Code::ALL.iter().copied().map(Page::of).collect();
    if context.structured("PageList", &pages, &[] as &[Warning], |page| page.code)? {
        return Ok(Exit::Done);
    }
    let mut table =
        Table::new(vec![Column::left("CODE"), Column::right("EXIT"), Column::left("MEANS").shrinks()]);
    for page in &pages {
        let exit = page.exit_code.to_string();
        table.row(vec![Cell::toned(page.code, Tone::Bold), Cell::new(exit), Cell::new(page.title)]);
    }
    let text = table.render(context.printer.look);
    context.printer.answer(&text);
    Ok(Exit::Done)
}

fn no_page(text: &str) -> Error {
    let wanted = text.to_ascii_uppercase();
    let score = |code: &Code| strsim::damerau_levenshtein(code.as_str(), &wanted);
    let nearest = Code::ALL.iter().copied().min_by_key(score).filter(|code| score(code) <= 2);
    let error = Error::new(Code::NoPage, format!("{} is no error code", crate::ui::escape::escape(text)))
        .because("codes are LXC and four digits, the first two are the exit code");
    match nearest {
        Some(code) => error.hint(format!("lxcctl explain {code}")),
        None => error.hint("lxcctl explain"),
    }
}

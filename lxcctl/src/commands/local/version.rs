//! `lxcctl -V`: which lxcctl this is. Which lxcd answers is for `daemon status` to say.

use lxc_core::error::{Exit, Result};
use serde::Serialize;

use crate::cli::Format;
use crate::ui::json::{self, Single};
use crate::ui::printer::Printer;

/// The package of the wire's messages; a daemon with another one is not understood.
const PROTOCOL: &str = "lxc.v1";

#[derive(Serialize)]
struct Version {
    kind: &'static str,
    version: &'static str,
    protocol: &'static str,
}

pub(crate) fn run(printer: &mut Printer, format: Format) -> Result<Exit> {
    let version = Version { kind: "Version", version: env!("CARGO_PKG_VERSION"), protocol: PROTOCOL };
    let single = Single::new(&version);
    let text = match format {
        Format::Table | Format::Wide => format!("lxcctl {}", version.version),
        Format::Json => json::pretty(&single)?,
        Format::Jsonl => json::line(&single)?,
        Format::Yaml => json::yaml(&single)?,
        Format::Name => version.version.to_owned(),
    };
    printer.answer_line(&text);
    Ok(Exit::Done)
}

//! `lxcctl completion SHELL`: the script that asks lxcctl itself for candidates.

use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};
use lxc_core::error::{Code, Error, Exit, Result};

use crate::cli::Shell;
use crate::context::Context;

pub(crate) fn run(context: &mut Context, shell: Shell) -> Result<Exit> {
    let text = script(shell).map_err(|fault| {
        Error::new(Code::Internal, "the script cannot be written").because(fault.to_string())
    })?;
    context.printer.answer(&text);
    Ok(Exit::Done)
}

/// The registration script of one shell.
pub(crate) fn script(shell: Shell) -> std::io::Result<String> {
    let completer: &dyn EnvCompleter = match shell {
        Shell::Bash => &Bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
    };
    let mut text = Vec::new();
    completer.write_registration("COMPLETE", "lxcctl", "lxcctl", "lxcctl", &mut text)?;
    String::from_utf8(text).map_err(std::io::Error::other)
}

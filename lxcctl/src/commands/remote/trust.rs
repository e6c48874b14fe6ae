//! `lxcctl remote trust`: the certificates and SSH host keys shown now against the pinned ones; `--rotate` takes the new.

use std::collections::HashMap;

use lxc_core::error::{Code, Error, Exit, Result};

use super::ssh::COMPARE;
use crate::cli::TrustRemote;
use crate::client::view::{TrustItem, Warning};
use crate::context::Context;
use crate::ui::escape::escape;
use crate::ui::style::Tone;
use crate::ui::table::{Cell, Column, Table};

/// What says on a node which certificate is its own.
const CERTIFICATE: &str = "pvenode cert info";

pub(super) async fn run(context: &mut Context, args: &TrustRemote) -> Result<Exit> {
    let client = context.connect().await?;
    let seen = client.trust(&args.name, HashMap::new()).await?.items;
    let changed: Vec<&TrustItem> = seen.iter().filter(|item| item.changed).collect();
    if !args.rotate || changed.is_empty() {
        print(context, &seen)?;
        return match changed.as_slice() {
            [] => Ok(Exit::Done),
            [first, ..] => Err(not_pinned(&args.name, first)),
        };
    }
    if seen.iter().any(|item| item.installation_changed) {
        context
            .printer
            .warn("the root CA changed too: this may be another installation under the same address");
    }
    let compare = compare(&changed);
    let lines: Vec<String> = changed.iter().map(|item| offer(item)).collect();
    if !args.yes {
        if !context.printer.can_ask {
            let mut fault = Error::new(
                Code::NeedsFingerprint,
                "new certificates want a yes, and there is no terminal to ask on",
            );
            fault.why = lines;
            let note = format!("if {compare} says the same on the nodes");
            return Err(fault.hint_noted(context.command_line_with("--yes", None), note));
        }
        context.printer.must_say(&lines.join("\n"));
        let question = format!("Does {compare} say the same on the nodes? [y/N] ");
        let answer = context.printer.ask(&question).unwrap_or_default();
        if !matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes") {
            let first = compare.split(',').next().unwrap_or_default();
            return Err(Error::new(Code::AnsweredNo, "the certificates were not accepted")
                .because("the answer was not yes; the pins are as they were")
                .hint_noted(first, "on the nodes, says which are theirs"));
        }
    }
    let accept = changed
        .iter()
        .filter_map(|item| Some((item.url.clone(), item.certificate.as_ref()?.fingerprint.clone())))
        .collect();
    let items = client.trust(&args.name, accept).await?.items;
    print(context, &items)?;
    Ok(Exit::Done)
}

fn offer(item: &TrustItem) -> String {
    let new = item.certificate.as_ref().map_or("-", |certificate| certificate.fingerprint.as_str());
    let old = item.old_fingerprint.as_deref().unwrap_or("-");
    format!("{}\n  was {}\n  now {}", escape(&item.url), escape(old), escape(new))
}

/// A host key stands among the certificates.
fn is_host_key(item: &TrustItem) -> bool {
    item.url.starts_with("ssh://")
}

/// What says on a node which certificate or host key is its own.
fn compare(changed: &[&TrustItem]) -> String {
    match (changed.iter().all(|item| is_host_key(item)), changed.iter().any(|item| is_host_key(item))) {
        (true, _) => COMPARE.to_owned(),
        (_, true) => format!("pvenode cert info, and {COMPARE},"),
        _ => CERTIFICATE.to_owned(),
    }
}

fn not_pinned(name: &str, item: &TrustItem) -> Error {
    if is_host_key(item) {
        return Error::new(
            Code::HostKeyChanged,
            format!("{} shows another SSH host key than the pinned one", item.url),
        )
        .because("made anew on the node, or somebody stands in between")
        .hint_noted(format!("lxcctl remote trust {name} --rotate"), format!("if {COMPARE} says the same"));
    }
    Error::new(
        Code::CertificateChanged,
        format!("{} shows another certificate than the pinned one", item.url),
    )
    .because("renewed on the node, or somebody stands in between")
    .hint_noted(format!("lxcctl remote trust {name} --rotate"), "if pvenode cert info says the same")
}

fn print(context: &mut Context, items: &[TrustItem]) -> Result<()> {
    if context.structured("TrustList", items, &[] as &[Warning], |item| &item.url)? {
        return Ok(());
    }
    let mut table = Table::new(vec![Column::left("URL"), Column::left("RESULT"), Column::left("SHA-256")]);
    for item in items {
        let (result, tone) = match (&item.error, item.changed) {
            (Some(_), _) => ("failed", Tone::Red),
            (None, true) => ("changed", Tone::Yellow),
            (None, false) => ("pinned", Tone::Green),
        };
        let shown = item.error.as_deref().or(item.certificate.as_ref().map(|c| c.fingerprint.as_str()));
        table.row(vec![Cell::new(&item.url), Cell::toned(result, tone), Cell::known(shown)]);
    }
    let text = table.render(context.printer.look);
    context.printer.answer(&text);
    Ok(())
}

//! What must hold of everything that reads bytes from outside, whatever the bytes. The fuzz targets call these with
//! what the fuzzer finds; `tests/tests/edges.rs` with the corpus and with random bytes.

use lxc_core::pve::Upid;
use lxc_core::selector::{Query, Selection};
use lxc_core::template::{self, Source, Sources};
use lxcd::config::{Config, Environment};

/// The first two bytes say the status, the first line behind them is the reason phrase, the rest the body.
pub(crate) fn pve_answer(bytes: &[u8]) {
    let Some((status, rest)) = bytes.split_at_checked(2) else { return };
    let status = u16::from_be_bytes([status[0], status[1]]) % 1000;
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (reason, body) = rest.split_at(end);
    lxcd::edges::pve_answer(status, &String::from_utf8_lossy(reason), body.get(1..).unwrap_or_default());
}

/// One that can be read is spelled as it was.
pub(crate) fn upid(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(upid) = text.parse::<Upid>() {
        assert_eq!(upid.to_string(), text);
        assert_eq!(upid.to_string().parse::<Upid>().ok(), Some(upid));
    }
}

/// One that cannot be read is shown with its place, and what is suggested can be read further than that.
pub(crate) fn selector(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    for selection in [
        Selection { targets: vec![text.clone()], ..Selection::default() },
        Selection { labels: vec![text.clone()], ..Selection::default() },
    ] {
        match Query::parse(&selection) {
            Ok(query) => drop((query.by_pattern(), query.counts_as_all(), selection.describe())),
            Err(error) => {
                assert!(!error.caret().is_empty());
                drop((error.corrected(), error.for_verb("ls")));
            }
        }
    }
}

/// Every mistake has its place; a secret in it is not repeated by `Debug`.
pub(crate) fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Config::parse("config.toml", &text, &Environment::default()) {
        Ok(config) => drop(format!("{config:?}")),
        Err(error) => assert!(error.message.starts_with("config.toml:"), "{error:?}"),
    }
}

/// Any message is read or refused.
pub(crate) fn grpc(bytes: &[u8]) {
    lxcd::edges::grpc_message(bytes);
}

/// The files of a template, with a zero between them; the first line of each is its path. What can be read is written
/// to files that are read as the same, and written to the same bytes.
pub(crate) fn template(bytes: &[u8]) {
    let mut sources = Sources::new();
    for file in bytes.split(|byte| *byte == 0) {
        let end = file.iter().position(|byte| *byte == b'\n').unwrap_or(file.len());
        let path = String::from_utf8_lossy(&file[..end]).into_owned();
        let content = file.get(end + 1..).unwrap_or_default().to_vec();
        sources.insert(path, Source { content, executable: file.len() % 2 == 0 });
    }
    match template::read(&sources, "called") {
        Ok(read) => {
            let written = template::write(&read);
            assert_eq!(template::read(&written, ""), Ok(read.clone()));
            assert!(template::difference(&read, &read).is_empty());
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            drop(template::refused(&faults, "directory").whole());
        }
    }
}

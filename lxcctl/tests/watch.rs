//! `ls --watch` on a terminal: it fits, follows the terminal's size, and says when it shows something old.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use lxc_proto::v1 as pb;
use nix::sys::signal::Signal;
use support::pty::{Terminal, screen};
use support::{Fake, Script, Step};

fn many(count: u32) -> Script {
    let row = |vmid| pb::Container {
        remote: "homelab".into(),
        vmid,
        name: Some(format!("web-{vmid}")),
        status: "running".into(),
        node: Some("pve1".into()),
        freshness: "live".into(),
        ..Default::default()
    };
    let items = (101..101 + count).map(row).collect();
    let list = pb::ListContainersReply { items, remotes: 1, ..Default::default() };
    Script { list: Some(Ok(list)), changes: vec![Step::Hang], ..Script::default() }
}

fn last(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

#[test]
fn what_does_not_fit_is_counted_and_a_resize_is_followed() {
    let fake = Fake::start(many(60));
    let terminal = Terminal::run(&fake.socket(), "lxcctl ls --watch");
    let shown = terminal.wait_until("the list", |now| last(now) == "… and 22 more");
    assert_eq!(shown.lines().count(), 40, "{shown}");
    assert!(shown.starts_with("TARGET ") && shown.contains("TEMPLATE"), "{shown}");
    terminal.resize(40, 10);
    let shown = terminal.wait_until("the smaller list", |now| last(now) == "… and 52 more");
    assert_eq!(shown.lines().count(), 10, "{shown}");
    assert!(shown.contains("homelab/108") && !shown.contains("TEMPLATE"), "{shown}");
    terminal.resize(100, 70);
    terminal.wait_until("the whole list", |now| last(now).starts_with("homelab/160"));
    terminal.signal(Signal::SIGINT);
    let (shown, code) = terminal.end();
    assert_eq!(code, 130);
    assert!(screen(&shown).ends_with('\n'), "the prompt stands on a line of its own");
}

#[test]
fn an_old_list_says_that_it_is_old_until_lxcd_is_back() {
    let mut fake = Fake::start(many(3));
    let terminal = Terminal::run(&fake.socket(), "lxcctl ls --watch");
    terminal.wait_until("the list", |now| last(now).starts_with("homelab/103"));
    fake.go_away();
    let old = terminal.wait_until("the mark, and it goes on", |now| {
        now.starts_with("lxcd unreachable since 1s; showing what was last seen\nTARGET ")
    });
    assert!(last(&old).starts_with("homelab/103"), "{old}");
    fake.come_back(many(4));
    terminal
        .wait_until("the new list", |now| now.starts_with("TARGET ") && last(now).starts_with("homelab/104"));
    terminal.signal(Signal::SIGTERM);
    assert_eq!(terminal.end().1, 143);
}

#[test]
fn a_refusal_ends_it() {
    let mut fake = Fake::start(many(3));
    let terminal = Terminal::run(&fake.socket(), "lxcctl ls --watch --remote homelab");
    terminal.wait_until("the list", |now| last(now).starts_with("homelab/103"));
    fake.go_away();
    let gone = support::build::error("LXC0302", "there is no remote homelab", &["it was removed"], &[]);
    fake.come_back(Script { list: Some(Err(gone)), changes: vec![Step::Hang], ..Script::default() });
    let (shown, code) = terminal.end();
    assert_eq!(code, 3);
    assert!(screen(&shown).contains("\nerror[LXC0302]: there is no remote homelab\n"), "{shown}");
}

//! Ctrl-C at awkward moments: whatever has begun goes on, and how to come back is said.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::time::Duration;

use nix::sys::signal::Signal;
use support::build::{ended, error, failed, one, operation, snapshot, start_104, web_1};
use support::fake::Gate;
use support::pty::{Terminal, screen};
use support::{Fake, Script, Step};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn ctrl_c_while_lxcd_takes_the_order_detaches() {
    let (op, _) = start_104();
    let (gate, arrivals) = Gate::new();
    let script = Script { gate: Some(gate.clone()), ..one(&web_1(), "104", &op, vec![Step::Hang]) };
    let fake = Fake::start(script);
    let terminal = Terminal::run(&fake.socket(), "lxcctl start 104");
    arrivals.recv_timeout(PATIENCE).unwrap();
    terminal.signal(Signal::SIGINT);
    gate.open();
    let (shown, code) = terminal.end();
    assert_eq!(code, 130);
    let left = screen(&shown);
    assert!(left.contains("→ homelab/104  web-1  detached  "), "{left}");
    assert!(left.contains("op c81f03d7 goes on without you.  watch: lxcctl op watch c81f03d7"), "{left}");
}

#[test]
fn who_insists_is_told_what_to_look_for() {
    let (op, _) = start_104();
    let (gate, arrivals) = Gate::new();
    let script = Script { gate: Some(gate.clone()), ..one(&web_1(), "104", &op, vec![Step::Hang]) };
    let fake = Fake::start(script);
    let key = "01a1fe6a-2384-7b31-9c44-a1d24f9c2e1b";
    let terminal = Terminal::run(&fake.socket(), &format!("lxcctl start 104 --request-id {key}"));
    arrivals.recv_timeout(PATIENCE).unwrap();
    terminal.signal(Signal::SIGINT);
    terminal.signal(Signal::SIGTERM);
    let (shown, code) = terminal.end();
    assert!(code == 130 || code == 143, "{code}");
    assert_eq!(
        screen(&shown),
        "error[LXC1001]: let go before lxcd had answered\n\
         \x20 why:  whether it has begun anything is not known here\n\
         \x20 try:  lxcctl op watch 4f9c2e1b        (if it has, that goes on without you)\n"
    );
}

#[test]
fn ctrl_c_is_a_no_to_the_offer_to_forget() {
    let op = operation("4f9c2e1b", "delete", &web_1());
    let away = error("LXC0702", "homelab/104 (web-1): pve1 does not answer", &["595"], &[]);
    let watch = vec![snapshot(&op), ended(failed(&op, "refused", 0.1, away))];
    let fake = Fake::start(one(&web_1(), "104", &op, watch));
    let terminal = Terminal::run(&fake.socket(), "lxcctl delete 104 --yes");
    terminal.wait_for("Forget it instead?").signal(Signal::SIGINT);
    let (shown, code) = terminal.end();
    assert_eq!((code, fake.asked.lock().unwrap().submits.len()), (7, 1), "{shown}");
}

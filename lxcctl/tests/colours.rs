//! What colour adds, as the guide's notes in `[…]` say it. Escapes are written as `<green>…</>` here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use lxc_proto::v1 as pb;
use support::build::{
    container_ref, ended, error, failed, found, one, operation, submitted, succeeded, web_1,
};
use support::{Fake, Run, Script};

/// Escapes as words.
fn worded(text: &str) -> String {
    let words = [
        ("\u{1b}[1m", "<bold>"),
        ("\u{1b}[2m", "<dim>"),
        ("\u{1b}[31m", "<red>"),
        ("\u{1b}[32m", "<green>"),
        ("\u{1b}[33m", "<yellow>"),
        ("\u{1b}[34m", "<blue>"),
        ("\u{1b}[35m", "<magenta>"),
        ("\u{1b}[36m", "<cyan>"),
        ("\u{1b}[0m", "</>"),
    ];
    let text = words.iter().fold(text.to_owned(), |text, (escape, word)| text.replace(escape, word));
    assert!(!text.contains('\u{1b}'), "another escape: {text:?}");
    text
}

fn coloured(fake: &Fake, line: &str) -> Run {
    let run = fake.run(&format!("{line} --color always"));
    Run { out: worded(&run.out), err: worded(&run.err), code: run.code }
}

#[test]
fn statuses_have_their_colours_and_a_stale_row_is_dim() {
    let container = |vmid: u32, status: &str, freshness: &str| pb::Container {
        remote: "homelab".into(),
        vmid,
        name: Some(format!("ct-{vmid}")),
        status: status.into(),
        freshness: freshness.into(),
        ..Default::default()
    };
    let items = vec![
        container(1, "running", "live"),
        container(2, "stopped", "live"),
        container(3, "creating", "live"),
        container(4, "error", "live"),
        container(5, "unknown", "stale"),
    ];
    let warning = pb::Warning { code: "LXC0504".into(), message: "blind".into(), ..Default::default() };
    let list = pb::ListContainersReply { items, warnings: vec![warning], remotes: 1 };
    let fake = Fake::start(Script { list: Some(Ok(list)), ..Script::default() });
    let run = coloured(&fake, "lxcctl ls --columns target,name,status");
    assert_eq!(
        run.out,
        "TARGET     NAME  STATUS\n\
         <bold>homelab/1</>  ct-1  <green>running</>\n\
         <bold>homelab/2</>  ct-2  <dim>stopped</>\n\
         <bold>homelab/3</>  ct-3  <blue>creating</>\n\
         <bold>homelab/4</>  ct-4  <red>error</>\n\
         <dim>homelab/5</>  <dim>ct-5</>  <yellow>unknown</>\n"
    );
    assert_eq!(run.err, "<yellow>warning:</> blind\n");
    // Without colour nothing is lost, and nothing is added.
    let plain = fake.run("lxcctl ls --columns target,name,status").out;
    assert!(!plain.contains('\u{1b}') && plain.contains("homelab/5  ct-5  unknown"), "{plain}");
}

#[test]
fn an_error_is_red_its_commands_bold_and_the_caret_green() {
    let fake = Fake::start(Script::default());
    let run = coloured(&fake, "lxcctl ls -l 'tag=web,stauts=running'");
    assert_eq!(
        run.err,
        "<red>error[LXC0203]:</> a selector has no key stauts\n\
         \x20 why:  tag=web,stauts=running\n\
         \x20       <green>        ^^^^^^ status?</>\n\
         \x20 try:  <bold>lxcctl ls -l 'tag=web,status=running' --color always</>\n"
    );
}

#[test]
fn every_mark_has_its_colour() {
    let target = |vmid: u32| container_ref(&format!("homelab/{vmid}"), "a", "running", "pve1");
    let op = |vmid: u32| operation(&format!("{vmid:08}"), "shutdown", &target(vmid));
    let lock = error(
        "LXC0402",
        "Proxmox holds the lock 'backup'",
        &[],
        &[("lxcctl stop {target} --wait-lock 10m", "")],
    );
    let attention = error("LXC1101", "nobody knows", &["lost"], &[("lxcctl show {target}", "")]);
    let outcomes = vec![
        succeeded(&op(1), "stopped", 1.0),
        pb::Operation { detail: "already stopped".into(), ..succeeded(&op(2), "unchanged", 0.1) },
        pb::Operation { warnings: vec!["loud".into()], ..succeeded(&op(3), "stopped", 1.0) },
        pb::Operation { how: Some("forced".into()), ..succeeded(&op(4), "stopped", 31.0) },
        failed(&op(5), "refused", 0.1, lock),
        pb::Operation { state: "needs_attention".into(), ..failed(&op(6), "unknown", 9.0, attention) },
    ];
    let all: Vec<pb::Operation> = (1..=6).map(op).collect();
    let fake = Fake::start(Script {
        resolve: Some(Ok(found((1..=6).map(target).collect(), false, &[]))),
        submit: Some(Ok(submitted(all))),
        watches: [outcomes.into_iter().map(ended).collect()].into(),
        ..Script::default()
    });
    let run = coloured(&fake, "lxcctl shutdown 1 2 3 4 5 6");
    let rows: Vec<&str> = run.out.lines().map(|row| row.split("  ").next().unwrap()).collect();
    assert_eq!(
        rows,
        [
            "<green>✓</> <bold>homelab/1</>",
            "<dim>·</> <bold>homelab/2</>",
            "<yellow>!</> <bold>homelab/3</>",
            "<green>✓</> <bold>homelab/4</>",
            "<red>✗</> <bold>homelab/5</>",
            "<magenta>?</> <bold>homelab/6</>",
        ]
    );
    assert!(
        run.out.contains("a  <dim>unchanged</>") && run.out.contains("<dim>already stopped</>"),
        "{}",
        run.out
    );
    assert!(run.out.contains("stopped <yellow>(forced)</>  <dim>31.0s</>"), "{}", run.out);
    assert!(
        run.err.contains("<dim>6 targets: 3 stopped, 1 unchanged, 1 refused, 1 unknown</>\n"),
        "{}",
        run.err
    );
    assert!(run.err.contains("\n  LXC0402  <bold>lxcctl stop homelab/5 --wait-lock 10m</>\n"), "{}", run.err);
}

#[test]
fn what_goes_on_is_cyan() {
    let op = operation("c81f03d7", "start", &web_1());
    let fake = Fake::start(one(&web_1(), "104", &op, Vec::new()));
    let run = coloured(&fake, "lxcctl start 104 --detach");
    assert!(run.out.starts_with("<cyan>→</> <bold>homelab/104</>  web-1  detached  <dim>"), "{}", run.out);
    assert!(run.err.contains("watch: <bold>lxcctl op watch c81f03d7</>"), "{}", run.err);
}

#[test]
fn no_color_and_never_mean_none() {
    let fake = Fake::start(Script::default());
    let run = fake.run("lxcctl start --color never");
    assert!(run.err.starts_with("error[LXC0205]: "), "{}", run.err);
}

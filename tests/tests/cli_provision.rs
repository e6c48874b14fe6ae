//! `lxcctl create` from a template to a provisioned container: a real node over SSH, real scripts in a real root file
//! system.

use lxc_tests::harness::node::Tree;
use lxc_tests::harness::{Postgres, Setup, Site, template, until};

fn site(tree: Tree) -> Option<Site> {
    Site::start(Setup::default().containers([]), tree)
}

#[test]
fn a_template_becomes_a_provisioned_container() {
    let Some(site) = site(Tree::Busybox) else { return };
    let world = &site.world;
    template(
        world,
        "box",
        &[
            ("files/app.conf", "port = 80\n"),
            ("files/app.conf.path", "/etc/app\n"),
            (
                "scripts/10-first.sh",
                "#!/bin/sh\nset -eu\necho \"hello from $CONTAINER_NAME\"\necho first >>/root/order\n",
            ),
            (
                "scripts/20-second.sh",
                "log making a secret\nsave_credential app PASSWORD \"$(random_password 12)\"\necho second >>/root/order\n",
            ),
        ],
    );
    let run = world.ctl("create web-7 --template box");
    run.exits(0).prints("homelab/100  web-7  created").says("script 1/2 10-first.sh");
    assert_eq!(site.read(100, "/root/order").as_deref(), Some("first\nsecond\n"));
    assert_eq!(site.read(100, "/etc/app/app.conf").as_deref(), Some("port = 80\n"));
    let secret = site.read(100, "/etc/lxcd/credentials/app").unwrap_or_default();
    assert!(secret.starts_with("PASSWORD=") && secret.len() > 12, "{secret:?}");
    let id = world.ctl("op ls -n 1 -o name").out.trim().to_owned();
    let log = world.ctl(&format!("op log {id}"));
    log.exits(0).prints("hello from web-7").prints("making a secret");
    assert!(!log.out.contains(secret.trim().trim_start_matches("PASSWORD=")), "a secret in the log");
    let shown = world.ctl(&format!("op show {id}"));
    shown.exits(0).prints("script:10-first.sh").prints("files");
    let events = world.ctl("events homelab/100 -o json").exits(0).json();
    let types: Vec<_> =
        events["items"].as_array().expect("items").iter().map(|event| event["type"].clone()).collect();
    assert_eq!(types, ["created", "started", "script_completed", "script_completed"]);
    assert_eq!(world.listed("homelab/100").expect("listed")["template"], "box");
}

#[test]
fn without_a_template_it_is_reached_and_looked_at() {
    let Some(site) = site(Tree::Busybox) else { return };
    let world = &site.world;
    let run = world.ctl("create box-1 --image debian-12 --fail-on-warnings");
    run.exits(0).prints("homelab/100  box-1  created").prints("192.0.2.2, 0/0 services");
    let id = world.ctl("op ls -n 1 -o name").out.trim().to_owned();
    world.ctl(&format!("op show {id}")).exits(0).prints("reach").prints("discover");
    world.ctl("create box-2 --image debian-12 --stop-after deploy").exits(0);
    let id = world.ctl("op ls -n 1 -o name").out.trim().to_owned();
    let shown = world.ctl(&format!("op show {id}"));
    shown.exits(0).prints("reach");
    assert!(!shown.out.contains("discover"), "{shown}");
}

#[test]
fn a_script_that_fails_is_resumed_and_nothing_before_it_runs_twice() {
    let Some(site) = site(Tree::Busybox) else { return };
    let world = &site.world;
    template(
        world,
        "box",
        &[
            ("scripts/10-a.sh", "echo a >>/root/order\n"),
            (
                "scripts/20-b.sh",
                "echo b >>/root/order\n[ -e /root/fixed ] || { echo 'no /root/fixed here' >&2; exit 3; }\n",
            ),
            ("scripts/30-c.sh", "echo c >>/root/order\n"),
        ],
    );
    let run = world.ctl("create web-8 --template box");
    run.fails("LXC0110").says("script 20-b.sh (2/3) failed in homelab/100 (web-8)");
    run.says("exit code 3").says("no /root/fixed here").says("lxcctl op retry");
    let listed = world.listed("homelab/100").expect("listed");
    assert_eq!((&listed["status"], &listed["lifecycle"]), (&"error".into(), &"error".into()));
    std::fs::write(site.file(100, "/root/fixed"), "").expect("written");
    let id = world.ctl("op ls -n 1 -o name").out.trim().to_owned();
    let again = world.ctl(&format!("op retry {id}"));
    again.exits(0).prints("created").says("goes on from").says("script 2/3 20-b.sh");
    assert_eq!(site.read(100, "/root/order").as_deref(), Some("a\nb\nb\nc\n"));
    assert_eq!(world.listed("homelab/100").expect("listed")["status"], "running");
    // … and from an earlier step, when that is wished.
    world.ctl("create web-8 --template box --if-needed").exits(0).prints("unchanged");
}

/// kill -9 at each side of what matters: the record of a piece of work, the start of its job, its end.
fn killed_anywhere(setup: Setup) {
    const PLACES: [&str; 9] = [
        "work.before",
        "work.after",
        "job.before#2",
        "job.after#2",
        "work.after#3",
        "job.after#3",
        "done.before#4",
        "done.after#4",
        "terminal.before",
    ];
    let Some(mut site) = Site::start(setup.containers([]), Tree::Busybox) else { return };
    template(
        &site.world,
        "box",
        &[("scripts/10-a.sh", "echo a >>/root/order\n"), ("scripts/20-b.sh", "echo b >>/root/order\n")],
    );
    for (number, place) in PLACES.iter().enumerate() {
        site.world.daemon.stop();
        site.world.daemon.env("LXCD_FAILPOINT", *place);
        site.world.daemon.start();
        let made = site.world.begin(&format!("create box-{number} --template box -o json"));
        let killed = site.world.daemon.ended();
        assert!(!killed.success(), "{place}: {killed}");
        site.world.daemon.env("LXCD_FAILPOINT", "");
        site.world.daemon.start();
        let made = made.end();
        let json = made.exits(0).json();
        let target = json["items"][0]["target"].as_str().expect("a target").to_owned();
        let vmid: u32 = target.trim_start_matches("homelab/").parse().expect("a number");
        assert_eq!(site.read(vmid, "/root/order").as_deref(), Some("a\nb\n"), "killed at {place}");
        assert_eq!(site.world.listed(&target).expect("listed")["status"], "running", "killed at {place}");
    }
}

#[test]
fn killed_anywhere_every_script_runs_once() {
    killed_anywhere(Setup::default());
}

#[test]
fn killed_anywhere_on_postgres_every_script_runs_once() {
    let Some(postgres) = Postgres::shared() else { return };
    let url = postgres.url(&postgres.create(None));
    killed_anywhere(Setup::default().config(&format!("database = \"{url}\"\n")));
}

#[test]
fn a_create_may_stop_early_and_be_taken_up_from_an_earlier_step() {
    let Some(site) = site(Tree::Busybox) else { return };
    let world = &site.world;
    let failing = "echo b >>/root/order\n[ -e /root/fixed ]\n";
    template(
        world,
        "box",
        &[
            ("files/motd", "hello\n"),
            ("files/motd.path", "/etc\n"),
            ("scripts/10-a.sh", "echo a >>/root/order\n"),
            ("scripts/20-b.sh", failing),
        ],
    );
    for (phase, motd) in [("start", None), ("deploy", Some("hello\n"))] {
        let run = world.ctl(&format!("create {phase} --template box --stop-after {phase} -o json"));
        let vmid = run.exits(0).json()["items"][0]["vmid"].as_u64().expect("a number");
        let vmid = u32::try_from(vmid).expect("small");
        assert_eq!(site.read(vmid, "/etc/motd").as_deref(), motd, "{phase}");
        assert_eq!(site.read(vmid, "/root/order"), None, "{phase}");
    }
    world.ctl("create whole --template box --vmid 300").fails("LXC0110");
    let id = world.ctl("op ls -n 1 -o name").out.trim().to_owned();
    world.ctl(&format!("op retry {id} --from discover")).fails("LXC0214").says("is not done");
    world.ctl(&format!("op retry {id} --from script:99-z.sh")).fails("LXC0214").says("its steps are");
    std::fs::write(site.file(300, "/root/fixed"), "").expect("written");
    world.ctl(&format!("op retry {id} --from script:10-a.sh")).exits(0).prints("created");
    assert_eq!(site.read(300, "/root/order").as_deref(), Some("a\nb\na\nb\n"));
}

#[test]
fn a_cut_connection_is_made_again_and_the_script_goes_on() {
    let Some(site) = site(Tree::Busybox) else { return };
    let world = &site.world;
    let long = "echo begun\nwhile [ ! -e /root/go ]; do sleep 0.1; done\necho ended\n";
    template(world, "box", &[("scripts/10-long.sh", long)]);
    let mut made = world.begin("create box --template box");
    made.wait_for("script 1/1 10-long.sh");
    let log = || world.ctl(&format!("op log {}", world.ctl("op ls -n 1 -o name").out.trim())).out;
    lxc_tests::harness::until("the script to begin", || {
        log().contains("begun").then_some(()).ok_or_else(log)
    });
    // Everything that sshd has forked for lxcd: the connection, and with it every channel.
    site.server.cut();
    std::fs::write(site.file(100, "/root/go"), "").expect("written");
    made.end().exits(0).prints("created");
    assert_eq!(log().matches("begun").count(), 1);
    assert!(log().contains("ended"));
}

#[test]
fn a_script_is_told_apart_by_how_it_ends() {
    let Some(site) = site(Tree::Busybox) else { return };
    let world = &site.world;
    for (name, script, words) in [
        ("asks", "read answer || exit 9\n", "exit code 9"),
        ("dies", "kill -9 $$\n", "signal 9"),
        ("late", "# timeout: 1\nsleep 60\n", "took longer than 1s"),
        ("noisy", "head -c 3000000 /dev/urandom; exit 4\n", "exit code 4"),
        ("python", "#!/usr/bin/python9\n", "exit code 127"),
    ] {
        template(world, name, &[("scripts/10-x.sh", script)]);
        let run = world.ctl(&format!("create {name} --template {name}"));
        run.fails("LXC0110").says(words);
    }
    let forks = "(while :; do sleep 1; done) &\necho done\n";
    template(world, "forks", &[("scripts/10-x.sh", forks)]);
    world.ctl("create forks --template forks").exits(0).prints("created");
}

#[test]
fn what_fails_is_deleted_when_that_was_wished() {
    let Some(site) = site(Tree::Busybox) else { return };
    let world = &site.world;
    template(
        world,
        "box",
        &[("scripts/10-a.sh", "echo gone wrong; exit 1\n"), ("scripts/20-b.sh", "true\n")],
    );
    let run = world.ctl("create box --template box --on-failure delete");
    run.fails("LXC0110").says("gone wrong").says("the container was deleted");
    assert!(!run.err.contains("op retry"), "there is nothing to go on with");
    assert!(world.listed("homelab/100").is_none());
    let id = world.ctl("op ls -n 1 -o name").out.trim().to_owned();
    world.ctl(&format!("op show {id}")).exits(0).prints("delete");
    world.ctl(&format!("op log {id}")).exits(0).prints("gone wrong");
    world.ctl("create box --template box --stop-after start").exits(0).prints("homelab/100");
}

#[test]
fn without_ssh_nothing_is_made_but_what_needs_none() {
    let world = Setup::default().containers([]).start();
    template(&world, "box", &[("scripts/10-a.sh", "echo a\n")]);
    world.ctl("create web-7 --template box").fails("LXC0523").says("--stop-after start");
    assert!(world.calls().is_empty());
    world.ctl("create web-7 --template box --stop-after start").exits(0).prints("homelab/100");
    world.ctl("create web-8 --template box --without script:99-z.sh").fails("LXC0214").says("script:10-a.sh");
}

#[test]
fn a_cancel_ends_the_script_and_leaves_the_container() {
    let Some(site) = site(Tree::Busybox) else { return };
    let world = &site.world;
    template(world, "box", &[("scripts/10-long.sh", "sleep 600\n")]);
    let mut made = world.begin("create box --template box");
    made.wait_for("script 1/1 10-long.sh");
    let id = world.ctl("op ls -n 1 -o name").out.trim().to_owned();
    world.ctl(&format!("op cancel {id}")).exits(0);
    made.end().fails("LXC0102");
    assert_eq!(world.listed("homelab/100").expect("listed")["status"], "error");
}

#[test]
fn a_cancel_ends_a_look_that_has_found_something() {
    let Some(site) = site(Tree::Busybox) else { return };
    let world = &site.world;
    // The first section has something to say, and the one behind it takes its time.
    let script = "mkdir -p /run/systemd/system
        printf '#!/bin/sh\\necho Id=httpd.service\\n' >/bin/systemctl
        printf '#!/bin/sh\\n: >/root/asked\\nexec sleep 600\\n' >/bin/rc-status
        chmod +x /bin/systemctl /bin/rc-status\n";
    template(world, "box", &[("scripts/10-slow.sh", script)]);
    let made = world.begin("create box --template box");
    until("the look to be under way", || site.read(100, "/root/asked").ok_or("not yet".to_owned()));
    let id = world.ctl("op ls -n 1 -o name").out.trim().to_owned();
    world.ctl(&format!("op cancel {id}")).exits(0);
    made.end().fails("LXC0102");
}

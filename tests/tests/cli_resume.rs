//! A provisioning whose node is out of reach, or was tampered with: what has begun goes on and runs once, whatever
//! lxcd can see of it.

use lxc_tests::harness::node::Tree;
use lxc_tests::harness::{Running, Setup, Site, template, until};

/// Leaves a line when it begins and when it ends, and goes on when it may.
const LONG: &str =
    "echo begun | tee -a /root/order\nuntil [ -e /root/go ]; do sleep 0.1; done\necho ended >>/root/order\n";

/// A create whose script has begun.
fn begun(site: &Site) -> Running {
    template(&site.world, "box", &[("scripts/10-long.sh", LONG)]);
    let mut made = site.world.begin("create box --template box");
    made.wait_for("script 1/1 10-long.sh");
    until("the script to begin", || {
        let log = site.world.ctl(&format!("op log {}", last(site))).out;
        if log.contains("begun") { Ok(()) } else { Err(log) }
    });
    made
}

fn last(site: &Site) -> String {
    site.world.ctl("op ls -n 1 -o name").out.trim().to_owned()
}

fn degraded(site: &Site, id: &str) {
    until("the operation to hold on", || {
        let shown = site.world.ctl(&format!("op show {id}")).out;
        if shown.contains("degraded") { Ok(()) } else { Err(shown) }
    });
}

fn order(site: &Site) -> String {
    site.read(100, "/root/order").unwrap_or_default()
}

#[test]
fn a_host_key_that_changes_under_a_script_ends_nothing() {
    let Some(mut site) = Site::start(Setup::default().containers([]), Tree::Busybox) else { return };
    let made = begun(&site);
    let id = last(&site);
    site.server.lock_out();
    degraded(&site, &id);
    site.world.ctl(&format!("op show {id}")).exits(0).prints("running");
    let log = site.world.ctl(&format!("op log {id}"));
    log.exits(0).prints("waiting for SSH").prints("is not the pinned one");
    std::fs::write(site.file(100, "/root/go"), "").expect("written");
    site.set_ssh();
    made.end().exits(0).prints("created");
    assert_eq!(order(&site), "begun\nended\n");
}

#[test]
fn a_retry_ends_what_the_attempt_before_it_has_left_running() {
    let Some(mut site) = Site::start(Setup::default().containers([]), Tree::Busybox) else { return };
    let made = begun(&site);
    let first = last(&site);
    site.server.lock_out();
    degraded(&site, &first);
    site.world.ctl(&format!("op cancel {first} --abandon")).exits(0);
    made.end().says("its job may have begun there").says("remote doctor homelab");
    site.set_ssh();
    let mut again = site.world.begin(&format!("op retry {first}"));
    again.wait_for("script 1/1 10-long.sh");
    until("the script to begin anew", || {
        if order(&site) == "begun\nbegun\n" { Ok(()) } else { Err(order(&site)) }
    });
    std::fs::write(site.file(100, "/root/go"), "").expect("written");
    again.end().exits(0).prints("created");
    // Had the first one lived, it would have ended too.
    assert_eq!(order(&site), "begun\nbegun\nended\n");
}

#[test]
fn jobs_are_not_put_elsewhere_while_some_run() {
    let Some(site) = Site::start(Setup::default().containers([]), Tree::Busybox) else { return };
    let made = begun(&site);
    let server = &site.server;
    let elsewhere = format!(
        "remote set homelab --ssh {}@:{} --ssh-key {}",
        server.user(),
        server.address().port(),
        server.key().display()
    );
    site.world.ctl(&elsewhere).fails("LXC0507").says("a container is being made on homelab");
    std::fs::write(site.file(100, "/root/go"), "").expect("written");
    made.end().exits(0).prints("created");
}

#[test]
fn a_job_whose_directory_is_taken_away_is_lost_and_not_run_again() {
    let Some(mut site) = Site::start(Setup::default().containers([]), Tree::Busybox) else { return };
    let made = begun(&site);
    site.world.daemon.stop();
    let jobs = site.server.directory().join("jobs");
    std::fs::remove_dir_all(&jobs).expect("removed");
    site.world.daemon.start();
    made.end().fails("LXC0116").says("its directory on the node is gone");
    assert_eq!(order(&site), "begun\n");
}

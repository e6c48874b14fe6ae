//! Scripts that print more than anybody reads: lxcd, its database and the node stay small, and the create ends.

use lxc_tests::harness::{Setup, Site, Tree, World, template, until};

const MIB: u64 = 1 << 20;
/// What a node keeps of a script's output, and a little more.
const ON_THE_NODE: u64 = 17 * MIB;

fn site() -> Option<Site> {
    Site::start(Setup::default().containers([]).config("services = false\n"), Tree::Busybox)
}

/// The most memory that lxcd has had, bytes.
fn peak(world: &World) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", world.daemon.pid())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("Linux says");
    line.split_whitespace().nth(1).expect("a figure").parse::<u64>().expect("kB") * 1024
}

/// The bytes below a directory.
fn size(directory: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

fn stays_small(site: &Site) {
    let (peak, database) = (peak(&site.world), size(&site.world.daemon.state()));
    assert!(peak < 256 * MIB, "lxcd needed {} MiB", peak / MIB);
    // The last 2,000 lines of at most 16 KiB, and what is between a write and SQLite's next checkpoint.
    assert!(database < 64 * MIB, "the database has {} MiB", database / MIB);
}

#[test]
fn far_more_than_is_kept_without_a_line_break_is_borne() {
    let Some(site) = site() else { return };
    let world = &site.world;
    // Held before its last words, so that what lies on the node can be looked at.
    let script = "head -c 1048576 /dev/zero | tr '\\0' x >/root/mib
        i=0; while [ $i -lt 256 ]; do cat /root/mib; i=$((i + 1)); done
        : >/root/said; while [ ! -e /root/go ]; do sleep 0.1; done
        echo; echo the last words; exit 3\n";
    template(world, "box", &[("scripts/10-x.sh", script)]);
    let made = world.begin("create box --template box");
    until("all to be said", || site.read(100, "/root/said").ok_or("not yet".to_owned()));
    let kept = size(&site.server.directory().join("jobs"));
    assert!((12 * MIB..ON_THE_NODE).contains(&kept), "{} MiB lie on the node", kept / MIB);
    std::fs::write(site.file(100, "/root/go"), "").expect("written");
    made.end().fails("LXC0110").says("exit code 3").says("the last words");
    let id = world.ctl("op ls -n 1 -o name").out.trim().to_owned();
    let log = world.ctl(&format!("op log {id}"));
    log.exits(0).prints(" are left out here").prints("the last words");
    stays_small(&site);
}

#[test]
fn noise_and_countless_lines_are_borne() {
    let Some(site) = site() else { return };
    let world = &site.world;
    let noise = "head -c 4000000 /dev/urandom\n";
    let lines = "yes | head -n 1000000\necho the last words\nexit 3\n";
    template(world, "box", &[("scripts/10-x.sh", noise), ("scripts/20-y.sh", lines)]);
    let run = world.ctl("create box --template box");
    run.fails("LXC0110").says("script 20-y.sh (2/2)").says("exit code 3").says("the last words");
    let id = world.ctl("op ls -n 1 -o name").out.trim().to_owned();
    let log = world.ctl(&format!("op log {id}"));
    log.exits(0).prints("lines are left out here").prints("the last words");
    assert!(log.out.lines().count() < 3000, "{} lines", log.out.lines().count());
    stays_small(&site);
}

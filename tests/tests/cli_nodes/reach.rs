//! A container that runs and has no way out: what it lacks is said, and once it has that, the create goes on.

use std::fs;

use lxc_tests::harness::{Network, Setup, Site, SshSetup, Tree, template};

#[test]
fn a_container_without_a_route_is_said_and_gone_on_with() {
    let setup = Setup::default().containers([]).config("services = false\n");
    let site = Site::made_of(setup, Tree::Debian, Network::Own, SshSetup::default());
    let Some(site) = site else { return };
    let world = &site.world;
    template(world, "box", &[("scripts/10-a.sh", "echo a >>/root/order\n")]);
    let run = world.ctl("create web-9 --template box");
    run.fails("LXC0115").exits(1).says("homelab/100 (web-9) runs and does not answer");
    run.says("no default route after 3s (there is no network interface but lo)").says("lxcctl op retry");
    assert_eq!(world.listed("homelab/100").expect("listed")["status"], "error");
    // The next one is as far as the names.
    site.node().ip(100, "link add eth0 type bridge\nlink set eth0 up");
    site.node().ip(100, "addr add 10.0.0.24/24 dev eth0\nroute add default via 10.0.0.1 dev eth0");
    let etc = site.file(100, "/etc");
    fs::write(etc.join("apt/sources.list"), "deb http://packages.test/debian stable main\n")
        .expect("written");
    fs::write(etc.join("resolv.conf"), "nameserver 127.0.0.1\n").expect("written");
    let retry = || format!("op retry {}", world.ctl("op ls -n 1 -o name").out.trim());
    let run = world.ctl(&retry());
    run.fails("LXC0115").says("packages.test does not resolve after 3s (nameserver 127.0.0.1)");
    assert_eq!(site.read(100, "/root/order"), None);
    fs::write(etc.join("hosts"), "192.0.2.9 packages.test\n2001:db8::9 packages.test\n").expect("written");
    world.ctl(&retry()).exits(0).prints("created").says("goes on from").prints("10.0.0.24");
    assert_eq!(site.read(100, "/root/order").as_deref(), Some("a\n"));
    assert_eq!(world.listed("homelab/100").expect("listed")["status"], "running");
    let made = world.calls().into_iter().filter(|call| call == "POST /nodes/pve1/lxc").count();
    assert_eq!(made, 1, "{:?}", world.calls());
}

//! Nodes with addresses, SSH servers and host keys of their own: what is for one goes to that one, and what ails one
//! ails no other.

use std::collections::BTreeMap;

use lxc_tests::harness::{Cluster, Running, Setup, Tree, World, template, until};

/// Nobody looks into containers unasked, so that every connection is a create's.
fn cluster(names: &[&str]) -> Option<Cluster> {
    let cluster =
        Cluster::start(Setup::default().containers([]).config("services = false\n"), names, Tree::Busybox)?;
    // Says where it is, and goes on when it may.
    let script = "echo \"$CONTAINER_NODE\" >/root/where\nwhile [ ! -e /root/go ]; do sleep 0.05; done\n";
    template(&cluster.world, "held", &[("scripts/10-hold.sh", script)]);
    template(&cluster.world, "quick", &[("scripts/10-where.sh", "echo \"$CONTAINER_NODE\" >/root/where\n")]);
    Some(cluster)
}

/// Waits until the script of a container on that node has said where it is.
fn held(cluster: &mut Cluster, node: &str, vmid: u32) {
    let place = cluster.place(node);
    until("the script to run", || {
        let said = place.read(vmid, "/root/where");
        if said.as_deref() == Some(&format!("{node}\n")) { Ok(()) } else { Err(format!("{said:?}")) }
    });
}

fn release(cluster: &mut Cluster, node: &str, vmid: u32) {
    let go = cluster.place(node).node().files(vmid).join("root/go");
    std::fs::write(go, "").expect("written");
}

fn operation(world: &World, id: &str) -> String {
    world.ctl(&format!("op show {id} -o json")).out.clone()
}

fn newest(world: &World) -> String {
    world.ctl("op ls -n 1 -o name").out.trim().to_owned()
}

/// What the nodes were asked to run so far, and how many jobs lie there.
fn asked(cluster: &Cluster) -> Vec<(usize, usize)> {
    let jobs = |directory| std::fs::read_dir(directory).expect("there").count();
    cluster.places.iter().map(|place| (place.server.commands(), jobs(place.jobs()))).collect()
}

#[test]
fn a_create_works_where_its_container_is_and_nowhere_else() {
    let Some(mut cluster) = cluster(&["a", "b", "c"]) else { return };
    let shown = cluster.world.ctl("remote show homelab -o json").json();
    let hosts: Vec<_> =
        shown["ssh"]["hosts"].as_array().expect("hosts").iter().map(|host| host["host"].clone()).collect();
    assert_eq!(hosts, ["127.0.1.1", "127.0.1.2", "127.0.1.3"], "each at its own address");
    let before = asked(&cluster);
    let made = cluster.world.begin("create box --template held --node b --vmid 300");
    held(&mut cluster, "b", 300);
    let during = asked(&cluster);
    assert_eq!((during[0], during[2]), (before[0], before[2]), "nothing was asked of the others");
    assert!(during[1].1 > 0, "its jobs lie on its node: {during:?}");
    release(&mut cluster, "b", 300);
    made.end().exits(0).prints("homelab/300");
    let after = asked(&cluster);
    assert_eq!((after[0], after[2]), (before[0], before[2]));
    assert_eq!(cluster.place("a").read(300, "/root/where"), None);
    // Without a wish it goes where it was placed.
    let run = cluster.world.ctl("create free --template quick --vmid 301");
    run.exits(0);
    let node =
        cluster.world.listed("homelab/301").expect("listed")["node"].as_str().expect("a node").to_owned();
    assert_eq!(cluster.place(&node).read(301, "/root/where"), Some(format!("{node}\n")));
}

#[test]
fn a_changed_host_key_shuts_out_its_node_alone() {
    let Some(mut cluster) = cluster(&["a", "b"]) else { return };
    let made = cluster.world.begin("create held --template held --node b --vmid 300");
    held(&mut cluster, "b", 300);
    let (id, before) = (newest(&cluster.world), cluster.place("b").server.log_ins());
    cluster.place("b").server.lock_out();
    // What has begun there holds on; what would begin there is refused before anything is made.
    let world = &cluster.world;
    until("the create to be degraded", || {
        let shown = operation(world, &id);
        if shown.contains("\"degraded_since\": \"") { Ok(()) } else { Err(shown) }
    });
    world.ctl("create late --template quick --node b").fails("LXC0523").says("--rotate");
    world.ctl("create other --template quick --node a --vmid 301").exits(0);
    let other = cluster.place("a").read(301, "/root/where");
    assert_eq!(other.as_deref(), Some("a\n"));
    let fingerprint = cluster.place("b").server.fingerprint();
    assert_eq!(cluster.place("b").server.log_ins(), before, "it was told nothing");
    let world = &cluster.world;
    world.ctl("remote trust homelab").fails("LXC0705").says("ssh://127.0.1.2:");
    world.ctl("remote trust homelab --rotate").fails("LXC0215").says(&fingerprint);
    world.ctl("remote trust homelab --rotate --yes").exits(0);
    release(&mut cluster, "b", 300);
    made.end().exits(0).prints("homelab/300");
}

#[test]
fn a_node_without_ssh_keeps_its_own_waiting_and_no_other() {
    let Some(mut cluster) = cluster(&["a", "b"]) else { return };
    let made = cluster.world.begin("create held --template held --node b --vmid 300");
    held(&mut cluster, "b", 300);
    let id = newest(&cluster.world);
    cluster.place("b").server.halt();
    let world = &cluster.world;
    world.ctl("create other --template quick --node a --vmid 301").exits(0);
    until("the create to be degraded", || {
        let shown = operation(world, &id);
        if shown.contains("\"degraded_since\": \"") { Ok(()) } else { Err(shown) }
    });
    world.ctl("create late --template quick --node b").fails("LXC0523");
    world.ctl("create another --template quick --node a --vmid 302").exits(0);
    release(&mut cluster, "b", 300);
    cluster.place("b").server.resume();
    made.end().exits(0).prints("homelab/300");
    assert!(!operation(&cluster.world, &id).contains("\"degraded_since\": \""));
}

/// Creates that are under way, by node.
fn under_way(world: &World) -> BTreeMap<String, usize> {
    let listed = world.ctl("op ls -o json -n 50").json();
    let mut all = BTreeMap::new();
    for op in listed["items"].as_array().expect("items") {
        if op["state"] == "running" {
            *all.entry(op["node"].as_str().unwrap_or("?").to_owned()).or_default() += 1;
        }
    }
    all
}

#[test]
fn many_creates_at_once_share_the_nodes_and_their_connections() {
    const NODES: [&str; 4] = ["a", "b", "c", "d"];
    let Some(mut cluster) = cluster(&NODES) else { return };
    // One more on each node than may be made there at once.
    let places: Vec<(u32, &str)> = (300..320).zip(NODES.into_iter().cycle()).collect();
    let made: Vec<Running> = places
        .iter()
        .map(|(vmid, node)| {
            cluster.world.begin(&format!("create box-{vmid} --template held --node {node} --vmid {vmid}"))
        })
        .collect();
    let here = |cluster: &Cluster, vmid| {
        cluster
            .places
            .iter()
            .find(|place| place.read(vmid, "/root/where").is_some())
            .map(|place| place.name.clone())
    };
    let mut left = places.clone();
    let mut most: BTreeMap<String, usize> = BTreeMap::new();
    let mut first = true;
    while !left.is_empty() {
        let wanted = left.len().min(if first { 16 } else { 1 });
        let ready = until("scripts to run", || {
            for (node, many) in under_way(&cluster.world) {
                most.entry(node).and_modify(|most| *most = (*most).max(many)).or_insert(many);
            }
            let ready: Vec<(u32, &str)> =
                left.iter().copied().filter(|(vmid, _)| here(&cluster, *vmid).is_some()).collect();
            if ready.len() >= wanted { Ok(ready) } else { Err(format!("{ready:?} run, {most:?}")) }
        });
        for (vmid, node) in &ready {
            assert_eq!(here(&cluster, *vmid).as_deref(), Some(*node));
            release(&mut cluster, node, *vmid);
        }
        left.retain(|one| !ready.contains(one));
        first = false;
    }
    for one in made {
        one.end().exits(0).prints("created");
    }
    let four = NODES.map(|node| (node.to_owned(), 4));
    assert_eq!(most, BTreeMap::from(four), "as many as may be, and no more");
    for place in &cluster.places {
        // One looked around for `remote set`; the other is lxcd's only one.
        assert_eq!(place.server.log_ins(), 2, "{}", place.name);
    }
}

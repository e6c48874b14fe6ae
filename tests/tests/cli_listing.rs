//! The list itself: formats, columns, order, selectors, emptiness.

use lxc_tests::harness::{Setup, World, ct, running};
use lxc_tests::pvesim::CtSpec;
use serde_json::{Value, json};

fn world() -> World {
    let on = |node: &str, tag: &str, spec: CtSpec| CtSpec {
        node: Some(node.into()),
        tags: vec![tag.into()],
        ..spec
    };
    Setup::default()
        .nodes(&["pve1", "pve2"])
        .containers([
            on("pve1", "web", CtSpec { memory: Some(2048), ..running(104, "web-1") }),
            on("pve2", "web", CtSpec { memory: Some(512), pool: Some("prod".into()), ..ct(105, "web-2") }),
            on("pve2", "db", CtSpec { memory: Some(8192), ..running(109, "db-1") }),
        ])
        .start()
}

/// First words of every line but the header.
fn first_words(text: &str) -> Vec<&str> {
    text.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect()
}

#[test]
fn every_format() {
    let world = world();
    let table = world.ctl("ls");
    table.exits(0);
    let header =
        table.out.lines().next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(header, "TARGET NAME STATUS NODE IP CPU MEMORY UPTIME TEMPLATE SERVICES");
    assert_eq!(first_words(&table.out), ["homelab/109", "homelab/104", "homelab/105"], "by name");
    assert_eq!(table.err, "");
    let wide = world.ctl("ls -o wide");
    assert!(
        wide.exits(0)
            .out
            .lines()
            .next()
            .is_some_and(|line| line.len() > table.out.lines().next().map_or(0, str::len))
    );
    assert_eq!(world.ctl("ls -o name").out, "homelab/109\nhomelab/104\nhomelab/105\n");
    let json = world.ctl("ls -o json").exits(0).json();
    assert_eq!(
        (&json["api_version"], &json["kind"], &json["warnings"]),
        (&json!("v1"), &json!("ContainerList"), &json!([]))
    );
    let lines = world.ctl("ls -o jsonl").out.clone();
    let parsed: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(parsed.len(), 3);
    // Figures move between two lists; what a container is does not.
    for (one, other) in parsed.iter().zip(json["items"].as_array().expect("a list")) {
        let keys = |value: &Value| value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>());
        assert_eq!((keys(one), &one["id"]), (keys(other), &other["id"]), "every field always there");
    }
    world.ctl("ls -o yaml").exits(0).prints("kind: ContainerList").prints("target: homelab/104");
    world.ctl("list --no-headers -o table").exits(0);
    assert!(!world.ctl("ls --no-headers").out.contains("TARGET"));
    let narrow = world.terminal("ls");
    assert!(narrow.end().exits(0).out.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn columns_and_order() {
    let world = world();
    let order = |line: &str| {
        first_words(&world.ctl(line).exits(0).out).into_iter().map(|w| w[8..].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(order("ls --sort=-memory").len(), 3);
    assert_eq!(order("ls --sort=status,name"), ["109", "104", "105"]);
    assert_eq!(order("ls --sort=-name"), ["105", "104", "109"]);
    assert_eq!(order("ls --sort node,-name"), ["104", "105", "109"]);
    let header = world.ctl("ls --columns target,node").out.lines().next().map(str::to_owned);
    assert_eq!(header.as_deref().map(str::trim_end), Some("TARGET       NODE"));
    let run = world.ctl("ls --columns +disk,-cpu,-services");
    let header = run.exits(0).out.lines().next().unwrap_or_default();
    assert!(header.contains("DISK") && !header.contains("CPU") && !header.contains("SERVICES"), "{run}");
    world.ctl("ls --columns +nonsense").exits(2);
    world.ctl("ls --sort nonsense").exits(2);
}

#[test]
fn selectors_pick() {
    let world = world();
    let names = |line: &str| {
        world
            .ctl(&format!("{line} -o name"))
            .exits(0)
            .out
            .lines()
            .map(|l| l[8..].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("ls 104"), ["104"]);
    assert_eq!(names("ls web-1 homelab/109"), ["109", "104"]);
    assert_eq!(names("ls 'web-*'"), ["104", "105"]);
    assert_eq!(names("ls -l tag=web,status=running"), ["104"]);
    assert_eq!(names("ls -l tag=web -l power=stopped"), ["105"]);
    assert_eq!(names("ls -l 'status=running|stopped,vmid!=104'"), ["109", "105"]);
    assert_eq!(names("ls -l node=pve2"), ["109", "105"]);
    assert_eq!(names("ls -l pool=prod"), ["105"]);
    assert_eq!(names("ls -l 'name=db-*'"), ["109"]);
    assert_eq!(names("ls --all"), ["109", "104", "105"]);
    let run = world.ctl("ls -l status=error");
    run.exits(0).says("No container matches status=error.");
    assert_eq!(run.out, "");
    assert_eq!(world.ctl("ls -l status=error -o json").exits(0).json()["items"], json!([]));
    world.ctl("ls -l 'stauts=x'").fails("LXC0203").says("lxcctl ls -l 'status=x'");
    world.ctl("ls -l ''").exits(2);
    world.ctl("ls --remote nope").fails("LXC0302");
}

#[test]
fn one_container_and_all_of_them() {
    let world = world();
    let run = world.ctl("show web-1");
    run.exits(0).prints("homelab/104").prints("pve1");
    let shown = world.ctl("show homelab/104 -o json").exits(0).json();
    assert_eq!(
        (&shown["kind"], &shown["name"], &shown["config"]["hostname"]),
        (&json!("Container"), &json!("web-1"), &json!("web-1"))
    );
    assert_eq!(shown["memory_max_bytes"], 2_147_483_648_u64);
    world.ctl("stop 104").exits(0);
    let shown = world.ctl("show 104 -o json").exits(0).json();
    assert_eq!(
        shown["events"].as_array().map(|events| events.iter().any(|e| e["type"] == "stopped")),
        Some(true),
        "{shown}"
    );
    world.ctl("show 'web-*'").exits(2);
    world.ctl("show 999").fails("LXC0301");
    let summary = world.ctl("summary -o json").exits(0).json();
    assert_eq!(
        (&summary["total"], &summary["running"], &summary["stopped"]),
        (&json!(3), &json!(1), &json!(2))
    );
    world.ctl("summary -l tag=db").exits(0).prints("1");
    let nodes = world.ctl("node ls -o json").exits(0).json();
    assert_eq!(nodes["items"].as_array().map(Vec::len), Some(2), "{nodes}");
    world.ctl("node --remote homelab").exits(0).prints("pve2");
    world.ctl("node --remote nope").exits(3);
}

#[test]
fn an_empty_fleet_says_what_to_do() {
    let world = World::with([]);
    let run = world.ctl("ls");
    run.exits(0).says("No container is there yet");
    assert_eq!(run.out, "");
    world.ctl("summary").exits(0);
    world.ctl("start 104").exits(3);
    assert_eq!(world.ctl("ls -o json").exits(0).json()["items"], json!([]));
}

#[test]
fn fresh_means_asked_now() {
    let world = world();
    world.ctl("ls").exits(0);
    let lists = || {
        world
            .sim
            .counters()
            .by_class
            .iter()
            .filter(|(class, _)| class.ends_with("/lxc"))
            .map(|(_, n)| n)
            .sum::<u64>()
    };
    let before = lists();
    world.ctl("ls --fresh").exits(0);
    assert!(lists() >= before + 2, "both nodes were asked");
    let item = world.listed("homelab/104").expect("listed");
    assert_eq!(item["freshness"], "live");
}

#[test]
fn a_pipe_that_closes_and_a_locale_that_cannot() {
    let world = world();
    let closed = std::process::Command::new("sh")
        .args(["-c", "\"$@\" | head -c 1 >/dev/null; exit 0", "sh"])
        .arg(lxc_tests::harness::binary::program("lxcctl"))
        .args(["ls", "-o", "json"])
        .env("LXCCTL_SOCKET", world.daemon.socket())
        .output()
        .expect("started");
    assert_eq!(String::from_utf8_lossy(&closed.stderr), "", "SIGPIPE is silent");
    let plain = world.cli.clone().env("LC_ALL", "C");
    let run = plain.run("stop 104");
    assert!(run.exits(0).out.starts_with("+ homelab/104") && run.out.is_ascii(), "{run}");
    let watched = world.begin("ls --watch -o name");
    drop(watched);
}

#[test]
fn a_list_is_drawn_anew_when_something_changes() {
    let world = world();
    let mut watching = world.begin("ls 104 --watch -o jsonl");
    watching.wait_for("\"status\":\"running\"");
    world.ctl("stop 104").exits(0);
    watching.wait_for("\"status\":\"stopped\"");
    watching.signal(nix::sys::signal::Signal::SIGINT);
    watching.end().exits(130);
    world.ctl("ls --watch -o json").exits(2);
}

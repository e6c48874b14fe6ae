//! The audit: who, from where, through what, and every way to narrow it.

use lxc_tests::harness::{World, ct, running, until};
use serde_json::Value;

fn items(world: &World, flags: &str) -> Vec<Value> {
    let listed = world.ctl(&format!("audit ls {flags} -o json")).exits(0).json();
    listed["items"].as_array().cloned().unwrap_or_default()
}

#[test]
fn every_filter_narrows_and_they_add_up() {
    let world = World::with([running(104, "web-1"), ct(105, "web-2")]);
    world.ctl("stop 104").exits(0);
    world.ctl("stop 105").exits(5);
    world.ctl("start 105").exits(0);
    let verbs = |flags: &str| -> Vec<String> {
        let words = items(&world, flags).into_iter().map(|item| {
            format!("{} {}", item["verb"].as_str().unwrap_or("-"), item["target"].as_str().unwrap_or("-"))
        });
        words.collect()
    };
    assert_eq!(verbs("--verb stop"), ["stop homelab/104", "stop homelab/105"]);
    assert_eq!(verbs("--verb stop --failed"), ["stop homelab/105"]);
    assert_eq!(verbs("--target homelab/105"), ["stop homelab/105", "start homelab/105"]);
    assert_eq!(verbs("--target homelab --verb start"), ["start homelab/105"]);
    assert_eq!(verbs("--target homelab/10"), [""; 0], "a target is no prefix");
    assert_eq!(verbs("--actor nobody-here"), [""; 0]);
    assert_eq!(verbs("--since 1h").len(), 4, "the remote was added, too");
    until("nothing to be so young", || {
        let young = verbs("--since 5ms");
        if young.is_empty() { Ok(()) } else { Err(format!("{young:?}")) }
    });
    world.ctl("audit ls --since 5ms").exits(0).says("No audit record matches");
    world.ctl("audit ls --failed --verb stop").exits(0).prints("refused").prints("LXC0502");
}

#[test]
fn sudo_and_login_stand_beside_the_actor() {
    let mut world = World::with([running(104, "web-1")]);
    let plain = world.cli.clone();
    // Whoever may not set a login uid keeps the one there is.
    let login = ["sh", "-c", "echo 1234 2>/dev/null >/proc/self/loginuid; exec \"$@\"", "sh"];
    world.cli = plain.clone().env("SUDO_UID", "1000").under(&login);
    world.ctl("stop 104").exits(0);
    world.ctl("remote set homelab --default").exits(0);
    world.cli = plain;
    let set = std::process::Command::new("sh")
        .args(["-c", "echo 1234 2>/dev/null >/proc/self/loginuid; cat /proc/self/loginuid"])
        .output()
        .expect("a shell");
    let set = String::from_utf8_lossy(&set.stdout).trim().parse::<u32>().ok().filter(|uid| *uid != u32::MAX);
    for verb in ["stop", "'remote set'"] {
        let found = items(&world, &format!("--verb {verb}"));
        let actor = &found[0]["actor"];
        assert_eq!(actor["sudo_uid"], 1000, "{found:?}");
        assert_eq!(actor["login_uid"].as_u64(), set.map(u64::from), "{found:?}");
        assert!(actor["domain"].as_str().is_some_and(|domain| !domain.is_empty()), "{found:?}");
    }
    let wide = world.ctl("audit ls --verb stop -o wide");
    wide.exits(0).prints("SUDO").prints("1000").prints("LOGIN").prints("DOMAIN");
    assert_eq!(items(&world, "--verb 'remote add'")[0]["actor"]["sudo_uid"], Value::Null);
}

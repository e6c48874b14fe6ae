//! What was recorded of real containers, judged; and that nothing printed can do harm.

use proptest::prelude::*;

use super::*;

/// Debian 12 under systemd: two web servers, Redis, a unit that fails to start again and again, one that failed once, one
/// that is starting and one that was stopped.
const DEBIAN: &[u8] = include_bytes!("fixtures/debian.txt");
/// The same programs under OpenRC, which makes no control groups there.
const OPENRC: &[u8] = include_bytes!("fixtures/openrc.txt");

fn rows(services: &[Service]) -> Vec<String> {
    let row = |one: &Service| {
        let port = one.port.map_or("-".to_owned(), |port| port.to_string());
        let url = one.url.as_deref().unwrap_or("-");
        let words = [one.name.as_str(), one.kind.as_str(), one.status.as_str(), &port, url];
        format!("{} {} {}", words.join(" "), one.secrets, one.detail).trim_end().to_owned()
    };
    services.iter().map(row).collect()
}

#[test]
fn a_debian_container() {
    let found = read(DEBIAN);
    assert!(found.whole && found.problems.is_empty());
    let judged = judge(&found);
    assert_eq!(
        rows(&judged.services),
        [
            "broken systemd error - - 0 exit code 2",
            "code-server systemd running 8080 http://10.0.0.14:8080 2",
            "nginx systemd running 80 http://10.0.0.14 0",
            "old systemd stopped - - 0",
            "redis-server systemd running 6379 - 0",
            "warm systemd starting - - 0",
            "worker systemd error - - 0 exit code 203, 57 restarts",
        ]
    );
    assert_eq!((judged.healthy(), judged.total()), (3, 7));
    let system: Vec<&str> = judged.system.iter().map(|service| service.name.as_str()).collect();
    let folded = ["dbus", "postfix", "rsyslog", "ssh", "systemd-journald", "systemd-logind"];
    assert!(folded.iter().all(|name| system.contains(name)), "{system:?}");
    assert!(judged.system.iter().all(|service| service.port != Some(22)));
    assert!(!rows(&judged.system).iter().any(|row| row.contains("error")));
}

#[test]
fn a_container_under_openrc() {
    let judged = judge(&read(OPENRC));
    assert_eq!(judged.problems, []);
    let wanted = ["nginx openrc running 80 http://10.0.0.15 0", "redis-server openrc running 6379 - 0"];
    assert_eq!(rows(&judged.services), wanted);
    let system: Vec<&str> = judged.system.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(system, ["cgroups", "cron", "hwclock.sh", "procps", "ssh"]);
    let crashed = "\u{1e}lxcd section openrc\n[default]\nweb = crashed\nsshd = crashed\n[x]\ny = stopped\n\u{1e}lxcd end\n";
    let judged = judge(&read(crashed.as_bytes()));
    assert_eq!(rows(&judged.services), ["sshd openrc error - - 0 crashed", "web openrc error - - 0 crashed"]);
}

fn unit(properties: &str) -> Vec<String> {
    let text = format!("\u{1e}lxcd section systemd\n{properties}\n\n\u{1e}lxcd end\n");
    rows(&judge(&read(text.as_bytes())).services)
}

#[test]
fn units_that_are_listed_and_units_that_are_not() {
    let web = "Id=web.service\nLoadState=loaded\nFragmentPath=/lib/systemd/system/web.service\n";
    for (more, want) in [
        ("ActiveState=active\nSubState=running", "web systemd running - - 0"),
        ("ActiveState=active\nNRestarts=1", "web systemd running - - 0 1 restart"),
        ("ActiveState=inactive\nUnitFileState=disabled", ""),
        ("ActiveState=inactive\nUnitFileState=enabled", "web systemd stopped - - 0"),
        ("ActiveState=inactive\nUnitFileState=enabled\nType=oneshot", ""),
        ("ActiveState=active\nSubState=exited\nType=oneshot", ""),
        ("ActiveState=failed\nResult=signal\nExecMainStatus=11", "web systemd error - - 0 signal 11"),
        ("ActiveState=failed\nType=oneshot\nResult=timeout", "web systemd error - - 0 timed out"),
        ("ActiveState=failed\nResult=start-limit-hit", "web systemd error - - 0 start limit hit"),
        (
            "ActiveState=failed\nResult=oom-kill\nNRestarts=2",
            "web systemd error - - 0 out of memory, 2 restarts",
        ),
        ("ActiveState=activating\nSubState=start-pre\nResult=success", "web systemd starting - - 0"),
        (
            "ActiveState=activating\nResult=exit-code\nExecMainStatus=2\nNRestarts=3",
            "web systemd error - - 0 exit code 2, 3 restarts",
        ),
    ] {
        assert_eq!(unit(&format!("{web}{more}")).join("\n"), want, "{more}");
    }
    let cron = |path: &str, state: &str| {
        unit(&format!(
            "Id=cron.service\nLoadState=loaded\nActiveState={state}\nFragmentPath={path}/cron.service"
        ))
    };
    assert!(cron("/lib/systemd/system", "active").is_empty());
    assert_eq!(cron("/lib/systemd/system", "failed"), ["cron systemd error - - 0"]);
    assert_eq!(cron("/etc/systemd/system", "active"), ["cron systemd running - - 0"]);
    // The empty unit in front of the only instance is a oneshot.
    let instance =
        |name: &str| format!("Id=postgresql@{name}.service\nLoadState=loaded\nActiveState=active\n");
    let (one, two) = (instance("15-main"), instance("16-main"));
    let front =
        "Id=postgresql.service\nLoadState=loaded\nActiveState=active\nSubState=exited\nType=oneshot\n";
    assert_eq!(unit(&format!("{front}\n{one}")), ["postgresql systemd running - - 0"]);
    assert_eq!(unit(&format!("{one}\n{two}")).len(), 2);
    assert!(unit(&format!("{one}\n{two}"))[0].starts_with("postgresql@15-main "));
}

#[test]
fn docker_next_to_a_part_that_fails() {
    let text = "\u{1e}lxcd error systemd it does not answer\n\u{1e}lxcd section docker\n\
        {\"Names\":\"redis\",\"State\":\"running\",\"Status\":\"Up\",\"Ports\":\"0.0.0.0:6379->6379/tcp\",\"ID\":\"1\"}\n\
        {\"Names\":\"web\",\"State\":\"exited\",\"Status\":\"Exited (2) now\",\"Ports\":\"\",\"ID\":\"2\"}\nnoise\n\
        {\"Names\":\"once\",\"State\":\"exited\",\"Status\":\"Exited (1) now\",\"Ports\":\"\",\"ID\":\"3\"}\n\
        1 always\n2 unless-stopped\n3 no\n\
        \u{1e}lxcd section addresses\nfd00::1\nx\n\u{1e}lxcd section credentials\nkey redis A\nvalue redis B=c=d\nkey x\n";
    let found = read(text.as_bytes());
    assert_eq!(found.secrets["redis"][1].value.as_deref(), Some("c=d"));
    assert!(!format!("{found:?}").contains("c=d"));
    let judged = judge(&found);
    assert_eq!(
        rows(&judged.services),
        ["redis docker running 6379 - 2", "web docker error - - 0 exit code 2"]
    );
    assert!(judged.others.is_empty());
    let alone = "\u{1e}lxcd section credentials\nkey backup A\nkey backup B\n\u{1e}lxcd end\n";
    assert_eq!(judge(&read(alone.as_bytes())).others, [("backup".to_owned(), 2)].into());
    let parts: Vec<&str> = judged.problems.iter().map(|problem| problem.part.as_str()).collect();
    assert_eq!(parts, ["systemd", "discovery"], "the last line is missing");
}

#[test]
fn the_address_on_the_default_route_is_the_one() {
    let text = "\u{1e}lxcd section addresses\n10.9.0.14\n172.17.0.1\n192.168.7.2\n\
        fd00:0000:0000:0000:0000:0000:0000:0014 eth1\nroute docker0 000011AC 0000FFFF\nroute eth0 0000090A 00FFFFFF\n\
        route eth1 0007A8C0 00FFFFFF\nroute eth1 00000000 00000000\nroute6 eth0\nnoise of three\n\u{1e}lxcd end\n";
    let addresses: Vec<_> = read(text.as_bytes()).addresses.iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["192.168.7.2", "fd00::14", "10.9.0.14"]);
}

#[test]
fn what_was_said_before_anything_was_found_is_why() {
    let said = |text: &str| failure(text.as_bytes());
    assert_eq!(
        said("lxcd: x\n\u{1e}lxcd fault tar is not in this image\n").as_deref(),
        Some("tar is not in this image")
    );
    assert_eq!(said("lxc-attach: 104: no init pid\n\n").as_deref(), Some("lxc-attach: 104: no init pid"));
    assert_eq!(said("\u{1e}lxcd section credentials\nvalue app PASSWORD=x\n"), None, "never a secret");
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = judge(&read(&bytes));
    }

    #[test]
    fn any_lines_are_read(lines in prop::collection::vec(line(), 0..40)) {
        let judged = judge(&read(lines.join("\n").as_bytes()));
        prop_assert!(judged.healthy() <= judged.total());
        prop_assert!(judged.services.iter().chain(&judged.system).all(|service| service.port != Some(22)));
    }

    #[test]
    fn a_cut_anywhere_is_seen(end in 0..DEBIAN.len() - 1) {
        let found = read(&DEBIAN[..end]);
        prop_assert!(!found.whole);
        prop_assert!(!judge(&found).problems.is_empty());
    }
}

/// Lines that are nearly right.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "\u{1e}lxcd (section|error|end) (systemd|openrc|docker|sockets|owners|credentials|addresses)( \\PC{0,9})?",
        "(Id|LoadState|ActiveState|SubState|ControlGroup|MainPID|NRestarts)=(loaded|active|failed|[a-z@./0-9]{0,9})",
        "(tcp|udp)6? [0-9A-F]{8}:(0016|[0-9A-F]{4}) [1-3]",
        "[1-3] [0-9]{1,9} ([0-9],?){0,4} [a-z]{0,4} [a-z./]{0,9}",
        "\\[(default|boot|[a-z]{0,3})\\]|[a-z]{1,4} = (started|crashed|stopped)",
        "\\{\"(Names|State|Status|Ports)\":\"(0.0.0.0:[0-9]{1,6}(-[0-9]{1,5})?->|[a-z:>-]{0,9})\"\\}",
        "(key|value) [a-z]{0,3} [A-Z]{0,3}=?[a-z]{0,3}",
        Just(String::new()),
    ]
}

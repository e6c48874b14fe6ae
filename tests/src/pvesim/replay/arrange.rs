//! Puts the simulator into the state a recording had, where the requests that led there were not recorded.
//!
//! Owns preconditions only: what exists, what runs, what is locked. It never touches an answer.

use super::Exchange;
use super::run::Replay;
use crate::pvesim::auth::Identity;
use crate::pvesim::control::Control;
use crate::pvesim::model::population::CtSpec;
use crate::pvesim::model::{CreateRequest, Vmid, Work, World};

/// Preconditions by the beginning of an exchange's name: (name, numbers, what).
const BEFORE: &[(&str, &[Vmid], State)] = &[
    ("stubborn.shutdown.forceStop#2", &[106], State::Running),
    ("overrule.shutdown60", &[106], State::Running),
    ("lockwait.stop", &[106], State::Running),
    ("locked.current", &[105], State::Stopped),
    ("locked.current", &[105], State::Locked),
    ("stubborn.shutdown.default-timeout", &[106], State::Running),
    ("locked.running.stop", &[105], State::Running),
    ("locked.running.reboot", &[105], State::Running),
    ("config.put.unprivileged-ro", &[105], State::Unlocked),
    ("config.put.ostype-running", &[105], State::Running),
    ("config.put.protection", &[105], State::Unlocked),
    ("start.wrong-ostype.task-status", &[105], State::Stopped),
    ("start.wrong-ostype.task-status", &[105], State::Broken),
    ("delete.running.purge", &[105], State::Running),
    ("delete.after.current", &[105], State::Gone),
    ("delete.stopped.full-flags", &[105], State::Stopped),
    ("delete.with-unreferenced-disk", &[105], State::Stopped),
    ("stubborn.reboot.timeout5", &[106], State::Running),
    ("stop.106#2", &[106], State::Running),
    ("acl.get", &[104], State::LongStopped),
    ("perm.ticket.worker.stop-104", &[104], State::Running),
    ("json.post.ok", &[104], State::Stopped),
    ("race.create", &[111], State::Stopped),
    ("race.create#2", &[111], State::Gone),
    ("template.create", &[106], State::Stopped),
    ("cluster.resources.vm.fresh-create", &[104, 105, 106], State::LongStopped),
    ("cluster.resources.vm.fresh-create", &[112], State::Stopped),
    ("worker-killed.then-stop", &[106], State::Running),
    ("daemon-restarted.lxc-list", &[104], State::Running),
    ("daemon-restart-during-task.shutdown", &[106], State::Running),
    ("warnings.interfaces-dhcp-pending", &[113], State::Leaseless),
    ("tasks.running-visibility.shutdown", &[106], State::Running),
];

/// Tasks whose requests were not recorded and that others run into: (name, recorded task, seconds given).
const SHUTDOWNS: &[(&str, &str, u64)] = &[
    ("lockwait.stop", "UPID:pve:000005E7:00040E02:6B00DBCA:vzshutdown:106:root@pam!lxcd:", 25),
    (
        "worker-killed.shutdown.task-status",
        "UPID:pve:0000205A:000567F7:6B00DF3F:vzshutdown:106:root@pam!lxcd:",
        60,
    ),
];

/// The recorded creation of container 104.
const CREATE_104: &str = "UPID:pve:00000192:00037131:6B00DA38:vzcreate:104:root@pam!lxcd:";

#[derive(Debug, Clone, Copy)]
enum State {
    Running,
    Stopped,
    /// Stopped, and every list knows.
    LongStopped,
    Gone,
    Locked,
    Unlocked,
    /// Its start fails.
    Broken,
    /// DHCP does not answer.
    Leaseless,
}

fn spec(vmid: Vmid) -> CtSpec {
    let mut spec = CtSpec { vmid, memory: Some(128), disk: Some(1), ..CtSpec::default() };
    spec.config.insert("rootfs".into(), format!("local:{vmid}/vm-{vmid}-disk-0.raw,size=1G"));
    match vmid {
        104 => {
            spec.name = Some("deb104".into());
            spec.memory = Some(256);
            spec.tags = vec!["lxcd".into(), "test".into()];
            spec.cores = Some(1);
            spec.ip = Some("10.66.0.104/24".into());
            spec.config.insert("features".into(), "nesting=1".into());
        }
        106 => {
            spec.name = Some("stubborn106".into());
            spec.stubborn = true;
            spec.config.insert("ostype".into(), "unmanaged".into());
        }
        _ => {
            spec.name = Some(format!("quick{vmid}"));
            spec.ip = Some("manual".into());
            spec.config.insert("ostype".into(), "unmanaged".into());
        }
    }
    spec
}

fn ensure(world: &mut World, vmid: Vmid, state: State) {
    if matches!(state, State::Gone) {
        world.remove(vmid);
        return;
    }
    if world.container(vmid).is_none() {
        world.populate(&spec(vmid)).expect("container");
    }
    match state {
        State::Running => world.power_on_inside(vmid),
        State::Stopped | State::LongStopped => world.power_off_inside(vmid),
        _ => {}
    }
    if let Some(ct) = world.container_mut(vmid) {
        match state {
            State::Locked => ct.config.set("lock", "backup"),
            State::Unlocked => ct.config.remove("lock"),
            State::Broken => ct.behaviour.fails_start = true,
            State::Leaseless => ct.behaviour.no_lease = true,
            _ => {}
        }
    }
}

/// What has to be so before an exchange.
pub(super) fn before(replay: &mut Replay, exchange: &Exchange) {
    for (_, vmids, state) in BEFORE.iter().filter(|(name, _, _)| exchange.name == *name) {
        replay.app.world(|world| vmids.iter().for_each(|vmid| ensure(world, *vmid, *state)));
        if matches!(state, State::LongStopped) {
            replay.app.clock.turn(12_000);
        }
    }
    special(replay, exchange);
    if let Some(upid) = upid_in(&exchange.path) {
        task(replay, exchange, &upid);
    }
}

/// Preconditions that are not about the state of a container.
fn special(replay: &mut Replay, exchange: &Exchange) {
    let lxcd = Identity::from_auth_id("root@pam!lxcd");
    let name = exchange.name.as_str();
    for (_, recorded, timeout) in SHUTDOWNS.iter().filter(|(n, _, _)| *n == name) {
        let ours = replay.app.world(|world| {
            ensure(world, 106, State::Running);
            let work = Work::Shutdown { timeout: *timeout, force: false };
            let task = world.spawn(0, "vzshutdown", "106", &lxcd, work);
            if name.starts_with("worker-killed") {
                world.kill(task);
            }
            world.tasks.get(task).map(|t| t.upid.clone()).unwrap_or_default()
        });
        replay.stand_in(recorded, ours);
        // Long enough for it to hold the lock.
        replay.app.clock.turn(100);
    }
    let faults: &[&str] = match name {
        "transient.list-while-stopping" | "transient.current-while-stopping" => &["transient-list"],
        "transient.interfaces-while-stopping" => {
            &["http500:GET:*/interfaces:command 'nsenter -t 6282 --net -- ip --json a' failed: exit code 1"]
        }
        _ => &[],
    };
    faults.iter().for_each(|spec| Control::new(&replay.app).add_fault(spec).expect("fault"));
    match name {
        "create.vmid-exists.early" | "create.running.task-status" => {
            let ours = replay.app.world(|world| {
                world.remove(104);
                let task = world.create(0, 104, &lxcd, deb104());
                world.tasks.get(task).map(|t| t.upid.clone()).unwrap_or_default()
            });
            replay.stand_in(CREATE_104, ours);
        }
        "access.token.create-again" => {
            replay.app.world(|world| world.access.add_token("worker@pve", "tmp1", "x", false));
        }
        // The recorder waited for the start that follows the create.
        "current.105-after-start-flag" => replay.app.clock.turn(3000),
        // The recorder asked until the list knew.
        "cluster.resources.vm.after-stop" => replay.app.clock.turn(10_000),
        "tasks.list.statusfilter" => {
            let control = Control::new(&replay.app);
            control.add_fault("task-warn:vzwarn:106:text").expect("fault");
            let work = Work::Plain { lines: Vec::new(), ms: 100 };
            replay.app.world(|world| world.spawn(0, "vzwarn", "106", &lxcd, work));
            replay.app.clock.turn(3000);
        }
        "daemon-down.version" => replay.app.world(|world| world.set_daemon(0, false)),
        "daemon-restarted.lxc-list" => replay.app.world(|world| world.set_daemon(0, true)),
        _ => {}
    }
}

fn deb104() -> CreateRequest {
    let options = [
        ("hostname", "deb104"),
        ("memory", "256"),
        ("swap", "0"),
        ("cores", "1"),
        ("unprivileged", "1"),
        ("features", "nesting=1"),
        ("net0", "name=eth0,bridge=vmbr0,ip=10.66.0.104/24"),
        ("description", "line one\nline two"),
        ("tags", "lxcd;test"),
    ];
    CreateRequest {
        options: options.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        ostemplate: "local:vztmpl/debian-12-standard_12.11-1_amd64.tar.zst".to_owned(),
        storage: "local".to_owned(),
        disk: 2 << 30,
        ..CreateRequest::default()
    }
}

fn upid_in(path: &str) -> Option<String> {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned();
    let upid = decoded.split('/').find(|s| s.starts_with("UPID:"))?.split('?').next()?;
    Some(upid.to_owned())
}

/// A task whose request was not recorded is started as its name says; the recorder waited for the end of all
/// tasks but those it wanted to see running.
fn task(replay: &mut Replay, exchange: &Exchange, upid: &str) {
    let fields: Vec<&str> = upid.split(':').collect();
    let [_, node, pid, _, _, kind, id, user, _] = fields.as_slice() else { return };
    // Names made up by the recorder to be unknown.
    if *node != "pve" || *pid == "00000001" {
        return;
    }
    if replay.upid(upid).is_none() {
        let who = Identity::from_auth_id(user);
        let vmid: Vmid = id.parse().unwrap_or_default();
        let ours = replay.app.world(|world| {
            let task = match *kind {
                "vzcreate" => {
                    world.remove(vmid);
                    world.create(0, vmid, &who, create_request(exchange))
                }
                other => {
                    let work = work(world, other, vmid, exchange.name.contains("debug"));
                    world.spawn(0, other, id, &who, work)
                }
            };
            world.tasks.get(task).map(|t| t.upid.clone()).unwrap_or_default()
        });
        replay.stand_in(upid, ours);
    }
    let seen_running = exchange.answer.contains("\"status\":\"running\"")
        || ["running-log", "create.running.task-log"].iter().any(|n| exchange.name.ends_with(n));
    if !seen_running && exchange.method == "GET" {
        let ours = replay.upid(upid).unwrap_or_default().to_owned();
        for _ in 0..2000 {
            let ended = replay
                .app
                .world(|w| w.tasks.find(&ours).and_then(|id| w.tasks.get(id)).is_none_or(|t| t.ended()));
            if ended {
                break;
            }
            replay.app.clock.turn(100);
        }
    }
}

fn work(world: &mut World, kind: &str, vmid: Vmid, debug: bool) -> Work {
    match kind {
        "vzstart" => Work::Start { debug },
        "vzstop" => Work::Stop { overrule: false },
        "vzshutdown" => Work::Shutdown { timeout: 60, force: false },
        "vzreboot" => Work::Reboot { timeout: 60 },
        "vzdestroy" => {
            if world.container(vmid).is_none() {
                world.populate(&spec(vmid)).expect("container");
            }
            Work::Destroy { force: true, purge: true }
        }
        _ => Work::Plain { lines: Vec::new(), ms: 100 },
    }
}

fn create_request(exchange: &Exchange) -> CreateRequest {
    let stubborn = exchange.name.contains("stubborn");
    let file =
        if stubborn { "busybox-stubborn-1.37_amd64.tar.gz" } else { "busybox-quick-1.37_amd64.tar.gz" };
    let ostype = ("ostype".to_owned(), "unmanaged".to_owned());
    CreateRequest {
        options: if exchange.name.contains("ostype-not") { Vec::new() } else { vec![ostype] },
        ostemplate: format!("local:vztmpl/{file}"),
        storage: "local".to_owned(),
        disk: 1 << 30,
        subvol: stubborn,
        ..CreateRequest::default()
    }
}

//! Operations and facts of every shape, also such as no run would ever bring together. Every strategy is
//! boxed: nested by value they outgrow the stack of a test.

use std::collections::HashSet;
use std::time::Duration;

use lxc_core::create::{Addressing, Download, Features, Network, OnFailure, Part, Phase, Spec};
use lxc_core::ids::{ContainerId, Installation, Micros, OperationId, RequestId};
use lxc_core::job::{JobExit, JobReading, JobState};
use lxc_core::op::{
    Dispatch, Facts, Found, Kind, Operation, Outcome, Reply, Seen, State, StepState, Target, Watch, Work,
};
use lxc_core::ports::{JobError, LogPage, PveError};
use lxc_core::pve::{Call, Config, Ha, Live, Power, Refusal, TaskEntry, TaskExit, Upid, Usage};
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

/// Times around which everything happens.
pub(crate) const T0: Micros = 1_700_000_000_000_000;
/// The image of what is made.
pub(crate) const FILE: &str = "debian-12-standard_12.11-1_amd64.tar.zst";
/// Our token.
pub(crate) const OURS: &str = "lxcd@pve!cli";

pub(crate) fn upid(start: u32, kind: &str, vmid: u32, user: &str) -> Upid {
    upid_of(start, kind, &vmid.to_string(), user)
}

/// Of a task that need not be about a container.
pub(crate) fn upid_of(start: u32, kind: &str, id: &str, user: &str) -> Upid {
    format!("UPID:pve1:0003A1F2:01F0C3B7:{start:08X}:{kind}:{id}:{user}:").parse().unwrap()
}

pub(crate) fn live(power: Power) -> Live {
    Live {
        vmid: 104,
        name: None,
        power,
        lock: None,
        template: false,
        ha: None,
        tags: Vec::new(),
        usage: Usage::default(),
    }
}

pub(crate) fn operation(kind: Kind) -> Operation {
    let target = Target {
        installation: Installation("ab".into()),
        vmid: 104,
        container_id: ContainerId(Uuid::from_u128(9)),
        remote: "lab".into(),
        name: None,
        node: "pve1".into(),
    };
    Operation {
        id: OperationId(Uuid::from_u128(7)),
        state: State::Running,
        fence: 1,
        started: Some(T0),
        ..Operation::queued(RequestId(Uuid::from_u128(8)), kind, target, "alice", T0)
    }
}

pub(crate) fn kind() -> BoxedStrategy<Kind> {
    let graceful = || (1..100_u32, any::<bool>());
    prop_oneof![
        Just(Kind::Start),
        Just(Kind::Stop),
        graceful().prop_map(|(grace, force)| Kind::Shutdown { grace, force }),
        graceful().prop_map(|(grace, force)| Kind::Restart { grace, force }),
        any::<bool>().prop_map(|free| Kind::Delete { destroy_unreferenced_disks: free }),
        Just(Kind::Forget),
        [any::<bool>(), any::<bool>(), any::<bool>()].prop_map(|[any_vmid, delete, downloads]| {
            let made = create(any_vmid, if delete { OnFailure::Delete } else { OnFailure::Keep });
            if downloads { with_download(made) } else { made }
        }),
    ]
    .boxed()
}

/// Makes a container and starts it.
pub(crate) fn create(any_vmid: bool, on_failure: OnFailure) -> Kind {
    let network = Network {
        bridge: "vmbr0".into(),
        vlan: None,
        ip: Addressing::Dhcp,
        gateway: None,
        ip6: Addressing::None,
        gateway6: None,
    };
    let spec = Spec {
        name: "web-7".into(),
        template: None,
        any_vmid,
        image: format!("local:vztmpl/{FILE}"),
        download: None,
        placed: None,
        cores: 1,
        memory_mb: 512,
        swap_mb: 512,
        storage: "local".into(),
        disk_gb: 8,
        unprivileged: true,
        features: Features::default(),
        network,
        nameserver: None,
        searchdomain: None,
        tags: Vec::new(),
        pool: None,
        onboot: false,
        start_order: None,
        description: String::new(),
        ssh_keys: Vec::new(),
        parts: vec![
            Part::Reach,
            Part::Script { name: "10-a.sh".into(), place: 1, of: 1, seconds: 60 },
            Part::Discover,
        ],
        stop_after: Phase::Discover,
        on_failure,
    };
    Kind::Create { spec: Box::new(spec), marker: OperationId(Uuid::from_u128(7)) }
}

/// The same, whose image is to be downloaded.
pub(crate) fn with_download(kind: Kind) -> Kind {
    let Kind::Create { mut spec, marker } = kind else { return kind };
    spec.download = Some(Download { storage: "local".into(), file: FILE.into() });
    Kind::Create { spec, marker }
}

fn time() -> BoxedStrategy<Micros> {
    prop_oneof![Just(0), Just(T0), T0 - 100_000_000..T0 + 200_000_000, Just(Micros::MAX)].boxed()
}

fn task() -> BoxedStrategy<Upid> {
    (
        0..5_u32,
        select(vec!["vzstart", "vzstop", "vzshutdown", "hastart", "vzdestroy", "vzcreate", "download"]),
        any::<bool>(),
    )
        .prop_map(|(start, kind, ours)| {
            let user = if ours { OURS } else { "root@pam" };
            if kind == "download" { upid_of(start, kind, FILE, user) } else { upid(start, kind, 104, user) }
        })
        .boxed()
}

/// Words Proxmox is known to use, and others.
fn words() -> BoxedStrategy<String> {
    let known = vec![
        "CT 104 already running",
        "CT 104 not running",
        "CT is locked (backup)",
        "can't lock file '/run/lock/lxc/pve-config-104.lock' - got timeout",
        "protection mode enabled",
        "Configuration file 'nodes/pve1/lxc/104.conf' does not exist",
        "Permission check failed (/vms/104, VM.PowerMgmt)",
        "failed to read from command socket",
        "container did not stop",
        "CT 104 already exists on node 'pve1'",
    ];
    prop_oneof![select(known).prop_map(str::to_owned), ".{0,20}"].boxed()
}

fn exit() -> BoxedStrategy<TaskExit> {
    prop_oneof![
        Just(TaskExit::Ok),
        (0..3_u32).prop_map(TaskExit::Warnings),
        Just(TaskExit::Vanished("unexpected status".into())),
        Just(TaskExit::Vanished(TaskExit::NO_ANSWER.into())),
        words().prop_map(TaskExit::Error),
    ]
    .boxed()
}

fn dispatch() -> BoxedStrategy<Dispatch> {
    let call = prop_oneof![
        Just(Call::Download { storage: "local".into(), file: FILE.into() }),
        Just(Call::Start),
        (1..100_u32, any::<bool>()).prop_map(|(timeout, force_stop)| Call::Shutdown { timeout, force_stop }),
        Just(Call::Delete { force: true, destroy_unreferenced_disks: false }),
    ];
    (call, prop::collection::vec(task(), 0..3), 0..4_i64, time(), any::<bool>())
        .prop_map(|(call, baseline, newest_start, at, ha)| Dispatch {
            call,
            node: "pve1".into(),
            identity: OURS.into(),
            baseline,
            newest_start,
            at,
            ha,
        })
        .boxed()
}

fn watch() -> BoxedStrategy<Watch> {
    (dispatch(), task(), any::<Option<bool>>(), any::<bool>(), prop::option::of(time()))
        .prop_map(|(dispatch, upid, outlived_grace, stop_requested, resumed)| Watch {
            dispatch,
            upid,
            outlived_grace,
            stop_requested,
            log_next: 0,
            resumed,
        })
        .boxed()
}

fn work() -> BoxedStrategy<StepState> {
    (time(), 0..9_u64, prop::collection::vec(any::<u8>(), 0..5), any::<bool>())
        .prop_map(|(at, next, rest, stop_requested)| {
            let (detail, tail) = (String::new(), vec!["a line".to_owned()]);
            let fault = String::new();
            let work = Work { node: "pve1".into(), at, next, rest, detail, fault, tail, stop_requested };
            StepState::Working { work }
        })
        .boxed()
}

fn reading() -> BoxedStrategy<JobReading> {
    let state = select(vec![
        JobState::Absent,
        JobState::Running,
        JobState::Ended(JobExit::Code(0)),
        JobState::Ended(JobExit::Code(7)),
        JobState::Ended(JobExit::TimedOut),
        JobState::Ended(JobExit::Cancelled),
        JobState::Lost("the node was restarted".into()),
    ]);
    (0..2_u64, prop::collection::vec(any::<u8>(), 0..40), 9..99_u64, state)
        .prop_map(|(skipped, output, next, state)| JobReading { skipped, output, next, state })
        .boxed()
}

fn step() -> BoxedStrategy<StepState> {
    let counts = || (0..5_u32, 1..4_u32);
    prop_oneof![
        (prop::option::of(time()), 0..5_u32, 0..3_u32)
            .prop_map(|(not_before, busy, sent)| StepState::Pending { not_before, busy, sent }),
        (dispatch(), counts()).prop_map(|(dispatch, (busy, sent))| StepState::Dispatching {
            dispatch,
            busy,
            sent
        }),
        (watch(), counts()).prop_map(|(watch, (busy, sent))| StepState::Watching { watch, busy, sent }),
        work(),
        (watch(), exit(), prop::collection::vec(".{0,10}", 0..3), time(), counts()).prop_map(
            |(watch, exit, tail, ended, (busy, sent))| StepState::Verifying {
                watch,
                exit,
                tail,
                ended,
                busy,
                sent
            }
        ),
        Just(StepState::Done { upid: None, exit: "-".into(), how: None }),
        Just(StepState::Failed { upid: None, exit: "no".into(), error: None }),
        Just(StepState::Unknown { exit: "?".into() }),
    ]
    .boxed()
}

fn state() -> BoxedStrategy<State> {
    prop_oneof![
        1 => Just(State::Queued),
        8 => Just(State::Running),
        1 => Just(State::Ended(Box::new(Outcome::done()))),
    ]
    .boxed()
}

/// An operation in any state.
pub(crate) fn any_operation() -> BoxedStrategy<Operation> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (kind(), state(), [step(), step()], flags, prop::option::of(time()), prop::option::of(time()))
        .prop_map(|(kind, state, steps, (if_needed, cancel, abandon), lock_deadline, degraded_since)| {
            let mut op = Operation {
                state,
                if_needed,
                cancel,
                abandon,
                lock_deadline,
                degraded_since,
                ..operation(kind)
            };
            for (step, state) in op.steps.iter_mut().zip(steps) {
                step.state = state;
            }
            op
        })
        .boxed()
}

fn seen() -> BoxedStrategy<Seen> {
    let ha = select(vec![None, Some("started"), Some("stopped"), Some("error")]);
    let lock = select(vec![None, Some("backup"), Some("mounted")]);
    let power = select(vec![Power::Running, Power::Stopped]);
    let node = select(vec!["pve1", "pve2"]);
    let there = (power, lock, ha, any::<Option<bool>>(), prop::option::of(any::<bool>()), node).prop_map(
        |(power, lock, ha, same, protected, node)| {
            let mut live = live(power);
            live.lock = lock.map(str::to_owned);
            live.ha = ha.map(|state| Ha { state: state.to_owned() });
            let config = protected.map(|protected| Config {
                values: [("protection".to_owned(), u8::from(protected).to_string())].into(),
            });
            Seen::There { node: node.into(), live: Box::new(live), same, config }
        },
    );
    prop_oneof![4 => there, 1 => Just(Seen::Absent), 1 => Just(Seen::Vm)].boxed()
}

fn trouble() -> BoxedStrategy<PveError> {
    prop_oneof![
        Just(PveError::NotDelivered("no route".into())),
        Just(PveError::Lost("reset".into())),
        words().prop_map(|text| PveError::Refused(Refusal::from_text(&text))),
        Just(PveError::Unauthorized("no".into())),
        Just(PveError::Untrusted { fingerprint: "AA".into() }),
        Just(PveError::Garbage("<html>".into())),
    ]
    .boxed()
}

fn found() -> BoxedStrategy<Found> {
    prop_oneof![3 => seen().prop_map(Found::Elsewhere), 1 => Just(Found::Nowhere)].boxed()
}

/// A list of tasks, running and ended.
pub(crate) fn listed() -> BoxedStrategy<Vec<TaskEntry>> {
    let entry =
        (task(), prop::option::of(exit())).prop_map(|(upid, exit)| TaskEntry { upid, exit, end_time: None });
    prop::collection::vec(entry, 0..4).boxed()
}

fn job_error() -> BoxedStrategy<JobError> {
    prop_oneof![
        Just(JobError::Lost("it was cut".to_owned())),
        Just(JobError::NotConnected("nobody answers".to_owned())),
        Just(JobError::Refused("not with that key".to_owned())),
        Just(JobError::HostKeyChanged { fingerprint: "SHA256:x".to_owned() }),
    ]
    .boxed()
}

/// What a turn may have learned, alone or together.
pub(crate) fn any_facts() -> BoxedStrategy<Facts> {
    let reply = prop_oneof![
        4 => task().prop_map(Reply::Accepted),
        1 => Just(Reply::Held),
        4 => trouble().prop_map(Reply::Error)
    ];
    let learned = (
        time(),
        -1.0..2.0_f64,
        prop::option::of(seen()),
        prop::option::weighted(0.1, ("[a-z]{1,4}", prop::option::of(Just(Duration::from_secs(60))))),
        prop::option::of(reply),
        prop::option::of(listed()),
        prop::collection::hash_set(task(), 0..3),
        prop::option::of((exit(), prop::collection::vec(".{0,10}", 0..3))),
        prop::option::weighted(0.2, 1..9_u64),
        any::<bool>(),
        prop::option::weighted(0.2, (trouble(), prop::option::of(found()))),
        prop::option::of(prop_oneof![4 => reading().prop_map(Ok), 1 => job_error().prop_map(Err)]),
    );
    (learned, any::<Option<bool>>())
        .prop_map(
            |(
                (now, jitter, seen, held, reply, listed, taken, ended, next, answered, trouble, job),
                image,
            )| {
                let (reading, unreached) = match job {
                    Some(Ok(reading)) => (Some(reading), None),
                    Some(Err(error)) => (None, Some(error)),
                    None => (None, None),
                };
                let (trouble, found) = trouble.unzip();
                let found = found.flatten();
                let taken: HashSet<Upid> = taken;
                let free_vmid = next.map(|next| 200 + next as u32);
                let log = next.map(|next| LogPage { lines: vec!["a line".into()], next });
                Facts {
                    now,
                    jitter,
                    seen,
                    image,
                    held,
                    reply,
                    listed,
                    taken,
                    ended,
                    log,
                    answered,
                    trouble,
                    found,
                    free_vmid,
                    reading,
                    no_access: unreached.clone().filter(|error| !error.passes()),
                    unreached: unreached.filter(JobError::passes),
                }
            },
        )
        .boxed()
}

//! Crash everywhere: for every kind of operation and each side of every commit that matters, lxcd is
//! stopped dead there and started again. Whatever happened, Proxmox was asked exactly once per step, the
//! container ended as it should, and the record is whole (ARCHITECTURE.md, Tests).

use lxc_proto::v1 as pb;
use lxc_tests::pvesim::CtSpec;
use lxcd::failpoint::Action;

use super::client::{Client, Order, PATIENCE};
use super::lab::{Base, Daemon, Lab, running, stopped};

/// Before and after 7b, the call itself, 7d, 12 and 14.
pub(crate) const PLACES: [&str; 10] = [
    "record.before",
    "record.after",
    "sent.before",
    "sent.after",
    "upid.before",
    "upid.after",
    "ended.before",
    "ended.after",
    "terminal.before",
    "terminal.after",
];
/// The same places in an operation's second step.
pub(crate) const SECOND: [&str; 8] = [
    "record.before#2",
    "record.after#2",
    "sent.before#2",
    "sent.after#2",
    "upid.before#2",
    "upid.after#2",
    "ended.before#2",
    "ended.after#2",
];

/// What is done to which container, and what must come of it.
struct Kind {
    order: Order,
    container: CtSpec,
    tasks: &'static [&'static str],
    result: &'static str,
    how: &'static [&'static str],
    /// Runs, stands still, or is gone.
    power: Option<bool>,
}

fn kind(order: Order, container: CtSpec) -> Kind {
    Kind { order, container, tasks: &[], result: "", how: &[], power: None }
}

/// Crashes at each place in turn, each time with a container of its own.
async fn crash_at(base: Base, places: &[&str], kind: impl Fn(u32) -> Kind) {
    let first = 100;
    let vmids = first..first + u32::try_from(places.len()).unwrap();
    let population = vmids.clone().map(|vmid| kind(vmid).container).collect();
    let Some(lab) = Lab::on(base, population).await else { return };
    let mut daemon = lab.daemon().await;
    for (place, vmid) in places.iter().zip(vmids) {
        let kind = kind(vmid);
        let request = uuid::Uuid::now_v7().to_string();
        crash_once(daemon, place, &kind.order, &request).await;
        daemon = lab.daemon().await;
        let id = daemon.client.get(&request).await.id;
        let op = whole(&lab, &daemon.client, &id).await;
        let at = format!("{} crashed at {place}: {op:#?}\n{:#?}", kind.order.verb, lab.sim.ledger());
        assert_eq!(op.result, kind.result, "{at}");
        assert!(op.changed, "{at}");
        assert_eq!(lab.tasks(vmid), kind.tasks, "{at}");
        assert_eq!(lab.power(vmid), kind.power, "{at}");
        match &op.how {
            Some(how) => assert!(kind.how.contains(&how.as_str()), "{at}"),
            None => assert!(kind.how.is_empty(), "{at}"),
        }
    }
    daemon.stop().await;
}

async fn crash_once(daemon: Daemon, place: &str, order: &Order, request: &str) {
    let reference = daemon.client.reference(order.verb, order.vmid).await.unwrap();
    let client = daemon.client.clone();
    crash_during(daemon, place, request, client.submit(order, reference, request)).await;
}

/// Stops lxcd dead where it comes to that place while something is submitted.
pub(crate) async fn crash_during(
    daemon: Daemon,
    place: &str,
    request: &str,
    submitting: impl Future<Output = Result<pb::Operation, tonic::Status>>,
) {
    daemon.scope.arm(place, Action::Hang);
    // The answer may be lost in the crash; the request id finds the operation again.
    let (answer, reached) = tokio::join!(submitting, tokio::time::timeout(PATIENCE, daemon.scope.reached()));
    if reached.is_err() {
        panic!("{place} was never reached: {answer:#?}: {:#?}", daemon.client.find(request).await);
    }
    daemon.crash().await;
}

/// Follows an operation to its end and checks what holds for every one: each event once and in order, an
/// audit record with its ending, no lock left.
pub(crate) async fn whole(lab: &Lab, client: &Client, id: &str) -> pb::Operation {
    let story = client.story(id, 0).await;
    let op = story.result.clone().unwrap_or_else(|| panic!("no result: {story:#?}"));
    assert_eq!(story.seqs(), (1..=op.last_seq).collect::<Vec<_>>(), "{story:#?}");
    let audit = client.audit(id).await;
    assert_eq!(audit.result.as_deref(), Some(op.result.as_str()), "{audit:#?}");
    assert!(audit.ended_us.is_some(), "{audit:#?}");
    assert!(op.finished_us.is_some() && op.degraded_since_us.is_none(), "{op:#?}");
    let locks = "SELECT COUNT(*) FROM container_lock l JOIN operation o ON o.id = l.operation_id \
                 WHERE o.finished_us IS NOT NULL";
    assert_eq!(lab.count(locks).await, 0, "a finished operation holds no lock");
    op
}

/// Every case on either database.
macro_rules! on_both {
    ($($case:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(super::Base::Sqlite).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(super::Base::Postgres).await;
            })*
        }
    };
}

on_both! { start stop graceful_shutdown forced_shutdown restart restart_of_a_stopped_one delete_of_a_running_one delete_of_a_stopped_one }

async fn start(base: Base) {
    crash_at(base, &PLACES, |vmid| Kind {
        tasks: &["vzstart"],
        result: "started",
        power: Some(true),
        ..kind(Order::new("start", vmid), stopped(vmid))
    })
    .await;
}

async fn stop(base: Base) {
    crash_at(base, &PLACES, |vmid| Kind {
        tasks: &["vzstop"],
        result: "stopped",
        power: Some(false),
        ..kind(Order::new("stop", vmid), running(vmid))
    })
    .await;
}

async fn graceful_shutdown(base: Base) {
    crash_at(base, &PLACES, |vmid| Kind {
        tasks: &["vzshutdown"],
        result: "stopped",
        // A task that was over while lxcd was down, within the grace or not: nobody looked.
        how: &["graceful", "unobserved"],
        power: Some(false),
        ..kind(Order { grace: Some(200), ..Order::new("shutdown", vmid) }, running(vmid))
    })
    .await;
}

async fn forced_shutdown(base: Base) {
    crash_at(base, &PLACES, |vmid| Kind {
        tasks: &["vzshutdown"],
        result: "stopped",
        how: &["forced", "unobserved"],
        power: Some(false),
        ..kind(
            Order { grace: Some(10), ..Order::new("shutdown", vmid) },
            CtSpec { stubborn: true, ..running(vmid) },
        )
    })
    .await;
}

async fn restart(base: Base) {
    let places: Vec<&str> = PLACES.into_iter().chain(SECOND).collect();
    crash_at(base, &places, |vmid| Kind {
        tasks: &["vzshutdown", "vzstart"],
        result: "restarted",
        how: &["graceful", "unobserved"],
        power: Some(true),
        ..kind(Order { grace: Some(200), ..Order::new("restart", vmid) }, running(vmid))
    })
    .await;
}

async fn restart_of_a_stopped_one(base: Base) {
    crash_at(base, &PLACES, |vmid| Kind {
        tasks: &["vzstart"],
        result: "restarted",
        power: Some(true),
        ..kind(Order::new("restart", vmid), stopped(vmid))
    })
    .await;
}

async fn delete_of_a_running_one(base: Base) {
    crash_at(base, &PLACES, |vmid| Kind {
        tasks: &["vzdestroy"],
        result: "deleted",
        power: None,
        ..kind(Order::new("delete", vmid), running(vmid))
    })
    .await;
}

async fn delete_of_a_stopped_one(base: Base) {
    crash_at(base, &PLACES, |vmid| Kind {
        tasks: &["vzdestroy"],
        result: "deleted",
        power: None,
        ..kind(Order::new("delete", vmid), stopped(vmid))
    })
    .await;
}

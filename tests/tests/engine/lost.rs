//! Answers that never came: whatever broke the connection, before the effect or after it, Proxmox does the
//! thing once and the operation ends as if nothing had been.

use lxc_tests::pvesim::CtSpec;
use lxcd::failpoint::Action;

use super::client::Order;
use super::lab::{Daemon, Lab, running, stopped};
use super::matrix::whole;

/// What may happen to a call. Everything but a refused connection leaves its outcome unknown.
const FAULTS: [&str; 7] = ["lost-before", "lost-after", "reset-body", "595", "596", "html", "truncated"];
/// Verb, method, path, whether the container runs before, and the one task.
const VERBS: [(&str, &str, &str, bool, &str); 4] = [
    ("start", "POST", "/status/start", false, "vzstart"),
    ("stop", "POST", "/status/stop", true, "vzstop"),
    ("shutdown", "POST", "/status/shutdown", true, "vzshutdown"),
    ("delete", "DELETE", "", false, "vzdestroy"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_lost_answer_is_one_task() {
    let cases: Vec<_> = VERBS.iter().flat_map(|verb| FAULTS.map(|fault| (verb, fault))).collect();
    let vmids = 100..100 + u32::try_from(cases.len()).unwrap();
    let spec = |(((.., runs, _), _), vmid): (&(&(_, _, _, bool, _), _), u32)| {
        if *runs { running(vmid) } else { stopped(vmid) }
    };
    let lab = Lab::new(cases.iter().zip(vmids.clone()).map(spec).collect()).await;
    let daemon = lab.daemon().await;
    for (((_, method, path, ..), fault), vmid) in cases.iter().zip(vmids.clone()) {
        lab.sim.control().add_fault(&format!("{fault}:{method}:*/lxc/{vmid}{path}")).unwrap();
    }
    let runs = cases.iter().zip(vmids).map(async |(((verb, .., task), fault), vmid)| {
        let op = daemon.client.order(&Order { grace: Some(200), ..Order::new(verb, vmid) }).await;
        let op = whole(&lab, &daemon.client, &op.id).await;
        let about = format!("{verb} with {fault}: {op:#?}");
        assert_eq!(op.state, "succeeded", "{about}");
        assert_eq!(lab.tasks(vmid), [*task], "{about}");
        let goal = match *verb {
            "start" => Some(true),
            "delete" => None,
            _ => Some(false),
        };
        assert_eq!(lab.power(vmid), goal, "{about}");
    });
    futures::future::join_all(runs).await;
    assert!(lab.sim.control().faults().is_empty(), "each fault has struck");
    daemon.stop().await;
}

async fn one(container: lxc_tests::pvesim::CtSpec) -> (Lab, Daemon) {
    let lab = Lab::new(vec![container]).await;
    let daemon = lab.daemon().await;
    (lab, daemon)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_lost_twice_at_most() {
    let (lab, daemon) = one(stopped(104)).await;
    lab.sim.control().add_fault("lost-before#*:POST:*/status/start").unwrap();
    let op = daemon.client.order(&Order::new("start", 104)).await;
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!((op.state.as_str(), op.result.as_str()), ("needs_attention", "unknown"), "{op:#?}");
    let posts =
        lab.sim.ledger().iter().filter(|entry| format!("{entry:?}").contains("method: \"POST\"")).count();
    assert_eq!(posts, 2, "{:#?}", lab.sim.ledger());
    // The mark asks for a look; the next success clears it, and the lock is free for that.
    lab.sim.control().clear_faults();
    let story = daemon.client.run(&Order::new("start", 104)).await;
    assert_eq!(story.result.unwrap().result, "started");
    assert_eq!(lab.count("SELECT COUNT(*) FROM container WHERE attention IS NOT NULL").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_lags_still_has_it_in_the_end() {
    let (lab, daemon) = one(stopped(104)).await;
    lab.sim.control().add_fault("list-lag:15").unwrap();
    lab.sim.control().add_fault("lost-after:POST:*/status/start").unwrap();
    let op = daemon.client.order(&Order::new("start", 104)).await;
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "started", "{op:#?}");
    assert!(op.steps[0].upid.is_some(), "adopted, not guessed: {op:#?}");
    assert_eq!(lab.tasks(104), ["vzstart"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotated_index_leaves_the_state_to_decide() {
    let (lab, daemon) = one(CtSpec { start_seconds: Some(0.1), ..stopped(104) }).await;
    // Answered late enough for the task to be over and forgotten before anybody can look for it.
    daemon.scope.arm("sent.after", Action::Pause);
    lab.sim.control().add_fault("lost-after:POST:*/status/start").unwrap();
    let op = daemon.client.order(&Order::new("start", 104)).await;
    daemon.scope.reached().await;
    lab.ended(104).await;
    lab.sim.control().add_fault("log-rotate").unwrap();
    daemon.scope.resume();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!((op.result.as_str(), &op.steps[0].upid), ("started", &None), "{op:#?}");
    assert_eq!(lab.tasks(104), ["vzstart"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watched_task_that_was_forgotten_leaves_the_state_to_decide() {
    let (lab, daemon) = one(CtSpec { start_seconds: Some(0.1), ..stopped(104) }).await;
    daemon.scope.arm("upid.after", Action::Pause);
    let op = daemon.client.order(&Order::new("start", 104)).await;
    daemon.scope.reached().await;
    lab.ended(104).await;
    lab.sim.control().add_fault("log-rotate").unwrap();
    daemon.scope.resume();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "started", "{op:#?}");
    assert_eq!(lab.tasks(104), ["vzstart"]);
}

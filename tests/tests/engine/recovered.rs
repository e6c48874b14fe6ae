//! Nodes that die with an operation on them, and HA that recovers the container on another one: what was asked for
//! is decided there (docs/adr/0008).

use lxc_core::timing::Timing;
use lxc_proto::v1 as pb;
use lxc_tests::pvesim::CtSpec;
use lxcd::failpoint::Action;

use super::client::Order;
use super::lab::{Daemon, Lab, SPEED, running, stopped};
use super::matrix::whole;

fn service(spec: CtSpec) -> CtSpec {
    CtSpec { ha: Some(if spec.running { "started" } else { "stopped" }.to_owned()), ..spec }
}

async fn lab(spec: CtSpec) -> (Lab, Daemon) {
    let lab = Lab::cluster(vec![spec]).await;
    let daemon = lab.daemon().await;
    (lab, daemon)
}

/// Sends and stops at `place`, with whatever HA has made of it by then.
async fn sent(daemon: &Daemon, verb: &'static str, place: &str) -> pb::Operation {
    daemon.scope.arm(place, Action::Pause);
    let op = daemon.client.order(&Order::new(verb, 104)).await;
    daemon.scope.reached().await;
    op
}

/// What the warning has to name, and a failure too.
fn says_where(text: &str, node: &str) {
    assert!(text.contains(&format!("pve1 did not answer; HA recovered lab/104 on {node}")), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_is_found_running_where_ha_took_it() {
    let (lab, daemon) = lab(service(stopped(104))).await;
    let op = sent(&daemon, "start", "upid.after").await;
    // The request is HA's before the node dies.
    lab.until(104, |ct| ct.ha.as_deref() != Some("stopped")).await;
    lab.sim.control().node("pve1", "power-off").unwrap();
    daemon.scope.resume();
    let seen = daemon.client.until(&op.id, |op| op.degraded_since_us.is_some()).await;
    assert_eq!(seen.state, "running", "{seen:#?}");
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "started", "{op:#?}");
    let node = lab.node(104).unwrap();
    assert_ne!(node, "pve1");
    says_where(&op.warnings[0], &node);
    assert_eq!((lab.tasks(104), lab.power(104)), (vec!["hastart".to_owned()], Some(true)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_was_away_meanwhile_decides_it_too() {
    let (lab, daemon) = lab(service(stopped(104))).await;
    let op = sent(&daemon, "start", "upid.after").await;
    lab.until(104, |ct| ct.ha.as_deref() != Some("stopped")).await;
    daemon.crash().await;
    lab.sim.control().node("pve1", "power-off").unwrap();
    lab.until(104, |ct| ct.running && ct.node != "pve1").await;
    let daemon = lab.daemon().await;
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "started", "{op:#?}");
    says_where(&op.warnings[0], &lab.node(104).unwrap());
    assert_eq!(lab.tasks(104), ["hastart"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_start_is_found_running_without_another_call() {
    let (lab, daemon) = lab(service(stopped(104))).await;
    lab.sim.control().add_fault("lost-after:POST:*/status/start").unwrap();
    let op = sent(&daemon, "start", "sent.after").await;
    lab.until(104, |ct| ct.ha.as_deref() != Some("stopped")).await;
    lab.sim.control().node("pve1", "power-off").unwrap();
    lab.until(104, |ct| ct.running && ct.node != "pve1").await;
    daemon.scope.resume();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!((op.result.as_str(), &op.steps[0].upid), ("started", &None), "{op:#?}");
    says_where(&op.warnings[0], &lab.node(104).unwrap());
    assert_eq!(lab.tasks(104), ["hastart"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_that_reached_nobody_is_sent_once_more_to_where_it_runs() {
    let (lab, daemon) = lab(service(running(104))).await;
    lab.sim.control().add_fault("lost-before:POST:*/status/stop").unwrap();
    let op = sent(&daemon, "stop", "sent.after").await;
    lab.sim.control().node("pve1", "power-off").unwrap();
    daemon.scope.resume();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "stopped", "{op:#?}");
    assert_eq!((lab.tasks(104), lab.power(104)), (vec!["hastop".to_owned()], Some(false)));
    assert!(!op.steps[0].upid.as_deref().unwrap().starts_with("UPID:pve1:"), "{op:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_that_holds_elsewhere_is_done() {
    let (lab, daemon) = lab(service(running(104))).await;
    let op = sent(&daemon, "stop", "upid.after").await;
    lab.until(104, |ct| ct.ha.as_deref() != Some("started")).await;
    lab.sim.control().node("pve1", "power-off").unwrap();
    daemon.scope.resume();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "stopped", "{op:#?}");
    assert_eq!((lab.tasks(104), lab.power(104)), (vec!["hastop".to_owned()], Some(false)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_that_died_with_its_node_and_is_undone_has_failed() {
    let (lab, daemon) = lab(service(running(104))).await;
    // Its task never gets as far as to ask HA.
    lab.sim.control().add_fault("task-hang:stop:104").unwrap();
    let op = sent(&daemon, "stop", "upid.after").await;
    lab.sim.control().node("pve1", "power-off").unwrap();
    daemon.scope.resume();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "failed", "{op:#?}");
    let error = op.error.as_ref().unwrap();
    assert_eq!(error.code, "LXC0104");
    says_where(&error.why[0], &lab.node(104).unwrap());
    assert!(error.why[0].ends_with("where it is running"), "{error:#?}");
    assert_eq!(
        (lab.tasks(104), lab.power(104)),
        (vec!["hastop".to_owned()], Some(true)),
        "nobody asks again"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delete_that_died_with_its_node_says_where_the_rest_is() {
    let (lab, daemon) = lab(service(running(104))).await;
    lab.sim.control().add_fault("task-hang:delete:104").unwrap();
    let op = sent(&daemon, "delete", "upid.after").await;
    lab.sim.control().node("pve1", "power-off").unwrap();
    daemon.scope.resume();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!((op.result.as_str(), op.error.unwrap().code.as_str()), ("failed", "LXC0104"));
    assert_eq!(lab.tasks(104), ["vzdestroy"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_recovered_before_anything_was_sent_is_simply_found() {
    let (lab, daemon) = lab(service(running(104))).await;
    let reference = daemon.client.reference("stop", 104).await.unwrap();
    lab.sim.control().node("pve1", "power-off").unwrap();
    lab.until(104, |ct| ct.running && ct.node != "pve1").await;
    let op = daemon.client.submit(&Order::new("stop", 104), reference, "").await.unwrap();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!((op.result.as_str(), op.warnings.len()), ("stopped", 0), "{op:#?}");
    assert_eq!(lab.tasks(104), ["hastop"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_reboots_in_time_has_its_service_started_by_ha() {
    let (lab, daemon) = lab(service(stopped(104))).await;
    lab.sim.control().add_fault("task-hang:start:104").unwrap();
    let op = sent(&daemon, "start", "upid.after").await;
    // The request was through; only its worker did not get to say so.
    lab.sim.world(|world| world.ha_request(104, "started", 0));
    lab.sim.control().node("pve1", "reboot").unwrap();
    daemon.scope.resume();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "started", "waited for, not called a failure at once: {op:#?}");
    assert_eq!((lab.tasks(104), lab.node(104).as_deref()), (vec!["hastart".to_owned()], Some("pve1")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_recovers_needs_a_person_in_the_end() {
    // Not HA's: it stays on its dead node.
    let lab = Lab::cluster(vec![CtSpec { start_seconds: Some(600.0), ..stopped(104) }]).await;
    let timing = Timing { attention_after: std::time::Duration::from_millis(1500), ..Timing::scaled(SPEED) };
    let daemon = lab.daemon_with(timing).await;
    let op = sent(&daemon, "start", "upid.after").await;
    lab.sim.control().node("pve1", "power-off").unwrap();
    daemon.scope.resume();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!((op.state.as_str(), op.error.unwrap().code.as_str()), ("needs_attention", "LXC1101"));
    assert_eq!(lab.count("SELECT COUNT(*) FROM container WHERE attention IS NOT NULL").await, 1);
    daemon.client.resolve(&op.id, false).await;
    assert_eq!(daemon.client.get(&op.id).await.state, "failed");
    assert_eq!(lab.count("SELECT COUNT(*) FROM container WHERE attention IS NOT NULL").await, 0);
    assert_eq!(lab.tasks(104), ["vzstart"]);
}

//! Nodes that do not answer: before anything is sent that is a refusal, afterwards the operation holds on.

use lxc_tests::pvesim::CtSpec;

use super::client::{Client, Order};
use super::lab::{Daemon, Lab, stopped};
use super::matrix::whole;

/// A container whose start takes long enough for a node to go away and come back.
fn slow(vmid: u32, seconds: f64) -> CtSpec {
    CtSpec { start_seconds: Some(seconds), ..stopped(vmid) }
}

async fn lab(population: Vec<CtSpec>) -> (Lab, Daemon) {
    let lab = Lab::new(population).await;
    let daemon = lab.daemon().await;
    (lab, daemon)
}

async fn watching(client: &Client, vmid: u32) -> String {
    let op = client.order(&Order::new("start", vmid)).await;
    client.until(&op.id, |op| op.steps[0].upid.is_some()).await.id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_away_before_anything_was_sent_is_a_refusal() {
    let (lab, daemon) = lab(vec![stopped(104)]).await;
    let reference = daemon.client.reference("start", 104).await.unwrap();
    lab.sim.control().node("pve1", "offline").unwrap();
    let op = daemon.client.submit(&Order::new("start", 104), reference, "").await.unwrap();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "refused", "{op:#?}");
    assert!(op.error.as_ref().unwrap().code.starts_with("LXC07"), "{op:#?}");
    assert!(lab.tasks(104).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_comes_back_is_told_while_the_task_still_runs() {
    let (lab, daemon) = lab(vec![slow(104, 250.0)]).await;
    let id = watching(&daemon.client, 104).await;
    lab.sim.control().node("pve1", "daemon-down").unwrap();
    let op = daemon.client.until(&id, |op| op.degraded_since_us.is_some()).await;
    assert_eq!(op.state, "running");
    lab.sim.control().node("pve1", "daemon-up").unwrap();
    let op = daemon.client.until(&id, |op| op.degraded_since_us.is_none()).await;
    assert_eq!(op.state, "running", "long before its end: {op:#?}");
    let op = whole(&lab, &daemon.client, &id).await;
    assert_eq!(op.result, "started", "{op:#?}");
    assert_eq!(lab.tasks(104), ["vzstart"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_while_the_node_is_away_changes_nothing() {
    let (lab, daemon) = lab(vec![slow(104, 60.0)]).await;
    let id = watching(&daemon.client, 104).await;
    lab.sim.control().node("pve1", "daemon-down").unwrap();
    daemon.client.until(&id, |op| op.degraded_since_us.is_some()).await;
    daemon.crash().await;
    let daemon = lab.daemon().await;
    lab.sim.control().node("pve1", "daemon-up").unwrap();
    let op = whole(&lab, &daemon.client, &id).await;
    assert_eq!(op.result, "started", "{op:#?}");
    assert_eq!(lab.tasks(104), ["vzstart"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_reboots_takes_the_task_with_it() {
    let (lab, daemon) = lab(vec![slow(104, 60.0)]).await;
    let id = watching(&daemon.client, 104).await;
    lab.sim.control().node("pve1", "reboot").unwrap();
    daemon.client.until(&id, |op| op.degraded_since_us.is_some()).await;
    let op = whole(&lab, &daemon.client, &id).await;
    assert_eq!(op.result, "failed", "it stands still after the reboot: {op:#?}");
    assert_eq!(lab.tasks(104), ["vzstart"], "nobody starts it again unasked");
    assert_eq!(lab.power(104), Some(false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stays_away_is_given_up_by_a_person() {
    let (lab, daemon) = lab(vec![slow(104, 60.0)]).await;
    let id = watching(&daemon.client, 104).await;
    lab.sim.control().node("pve1", "offline").unwrap();
    daemon.client.until(&id, |op| op.degraded_since_us.is_some()).await;
    daemon.client.cancel(&id, true).await;
    let op = whole(&lab, &daemon.client, &id).await;
    assert_eq!(op.state, "needs_attention", "{op:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_call_to_a_node_that_then_goes_away_is_found_when_it_is_back() {
    let (lab, daemon) = lab(vec![slow(104, 60.0)]).await;
    lab.sim.control().add_fault("lost-after:POST:*/status/start").unwrap();
    daemon.scope.arm("sent.after", lxcd::failpoint::Action::Pause);
    let op = daemon.client.order(&Order::new("start", 104)).await;
    daemon.scope.reached().await;
    lab.sim.control().node("pve1", "daemon-down").unwrap();
    daemon.scope.resume();
    daemon.client.until(&op.id, |op| op.degraded_since_us.is_some()).await;
    lab.sim.control().node("pve1", "daemon-up").unwrap();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "started", "{op:#?}");
    assert_eq!(lab.tasks(104), ["vzstart"]);
}

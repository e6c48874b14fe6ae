//! Containers that move while an operation is on them, by a person's hand or by HA: they are found, called where
//! they are, once, and told of truthfully.

use lxc_tests::pvesim::model::Record;
use lxc_tests::pvesim::{CtChange, CtSpec};
use lxcd::failpoint::Action;

use super::client::Order;
use super::lab::{Daemon, Lab, running, stopped};
use super::matrix::whole;

async fn lab(population: Vec<CtSpec>) -> (Lab, Daemon) {
    let lab = Lab::new(population).await;
    let daemon = lab.daemon().await;
    (lab, daemon)
}

fn service(spec: CtSpec) -> CtSpec {
    CtSpec { ha: Some(if spec.running { "started" } else { "stopped" }.to_owned()), ..spec }
}

/// Somebody moves it at once, without HA.
fn carry(lab: &Lab, vmid: u32, node: &str) {
    let change = CtChange { node: Some(node.to_owned()), ..CtChange::default() };
    lab.sim.control().change_container(vmid, &change).unwrap();
}

/// Somebody has HA take it to the second node; it is there, as it was.
async fn relocate(lab: &Lab, vmid: u32) {
    let ran = lab.power(vmid);
    let change = CtChange { relocate: Some("pve2".to_owned()), ..CtChange::default() };
    lab.sim.control().change_container(vmid, &change).unwrap();
    lab.until(vmid, |ct| ct.node == "pve2" && Some(ct.running) == ran && ct.lock.is_none()).await;
}

/// What happened to the container besides moving, in order.
fn effects(lab: &Lab, vmid: u32) -> Vec<String> {
    let of = |record: Record| match record {
        Record::Effect { vmid: other, what, .. } if other == vmid && what != "moved" => Some(what),
        _ => None,
    };
    lab.sim.ledger().into_iter().filter_map(|entry| of(entry.record)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_the_look_and_the_call() {
    let specs = [
        ("start", stopped(104)),
        ("stop", running(105)),
        ("shutdown", running(106)),
        ("delete", stopped(107)),
    ];
    let (lab, daemon) = lab(specs.iter().map(|(_, spec)| spec.clone()).collect()).await;
    for (verb, spec) in specs {
        daemon.scope.arm("sent.before", Action::Pause);
        let op = daemon.client.order(&Order::new(verb, spec.vmid)).await;
        daemon.scope.reached().await;
        carry(&lab, spec.vmid, "pve2");
        daemon.scope.resume();
        let op = whole(&lab, &daemon.client, &op.id).await;
        assert_eq!(op.state, "succeeded", "{verb}: {op:#?}");
        let upid = op.steps[0].upid.as_deref().unwrap();
        assert!(upid.starts_with("UPID:pve2:"), "{verb}: {op:#?}");
        assert_eq!(effects(&lab, spec.vmid).len(), 1, "{verb}: {:#?}", lab.sim.ledger());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_container_under_its_number_is_left_alone() {
    // Ours has moved away and was destroyed there; somebody else's has come since.
    let (lab, daemon) = lab(vec![running(104)]).await;
    daemon.scope.arm("sent.before", Action::Pause);
    let op = daemon.client.order(&Order::new("stop", 104)).await;
    daemon.scope.reached().await;
    lab.sim.control().remove_container(104).unwrap();
    let other = CtSpec {
        hwaddr: Some("BC:24:11:99:99:99".to_owned()),
        node: Some("pve2".to_owned()),
        ..running(104)
    };
    lab.sim.control().add_container(&other).unwrap();
    daemon.scope.resume();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!((op.result.as_str(), op.changed), ("refused", false), "{op:#?}");
    assert!(op.error.unwrap().message.contains("replaced"));
    assert_eq!(lab.power(104), Some(true), "the other one was not touched");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_ha_takes_away_before_the_call() {
    let (lab, daemon) = lab(vec![service(running(104))]).await;
    daemon.scope.arm("sent.before", Action::Pause);
    let op = daemon.client.order(&Order::new("stop", 104)).await;
    daemon.scope.reached().await;
    relocate(&lab, 104).await;
    daemon.scope.resume();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "stopped", "{op:#?}");
    assert_eq!(lab.tasks(104), ["hastop"], "refused on the first node, taken on the second");
    assert_eq!((lab.power(104), lab.node(104).as_deref()), (Some(false), Some("pve2")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_ha_takes_away_after_a_lost_call() {
    // The request of the first node is HA's all the same, and is found there.
    let (lab, daemon) = lab(vec![service(stopped(104))]).await;
    lab.sim.control().add_fault("lost-after:POST:*/status/start").unwrap();
    daemon.scope.arm("sent.after", Action::Pause);
    let op = daemon.client.order(&Order::new("start", 104)).await;
    daemon.scope.reached().await;
    lab.until(104, |ct| ct.running && ct.ha.as_deref() == Some("started")).await;
    relocate(&lab, 104).await;
    daemon.scope.resume();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "started", "{op:#?}");
    assert!(op.steps[0].upid.as_deref().unwrap().starts_with("UPID:pve1:"), "{op:#?}");
    assert_eq!(lab.tasks(104), ["hastart"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_ha_takes_away_before_the_end_is_verified() {
    for (vmid, place) in [(104, "upid.after"), (105, "ended.after")] {
        let (lab, daemon) = lab(vec![service(stopped(vmid))]).await;
        daemon.scope.arm(place, Action::Pause);
        let op = daemon.client.order(&Order::new("start", vmid)).await;
        daemon.scope.reached().await;
        lab.until(vmid, |ct| ct.running && ct.ha.as_deref() == Some("started")).await;
        relocate(&lab, vmid).await;
        daemon.scope.resume();
        let story = daemon.client.story(&op.id, 0).await;
        assert!(story.events.iter().any(|event| event.message.contains("it is on pve2 now")), "{story:#?}");
        let op = whole(&lab, &daemon.client, &op.id).await;
        assert_eq!(op.result, "started", "{op:#?}");
        assert_eq!(op.warnings, [""; 0], "an orderly move is nothing to warn of");
        assert_eq!(lab.tasks(vmid), ["hastart"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_that_is_taken_along_goes_on_there() {
    let (lab, daemon) = lab(vec![service(running(104))]).await;
    daemon.scope.arm("done.after", Action::Pause);
    let op = daemon.client.order(&Order::new("restart", 104)).await;
    daemon.scope.reached().await;
    relocate(&lab, 104).await;
    daemon.scope.resume();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "restarted", "{op:#?}");
    assert_eq!(lab.tasks(104), ["hastop", "hastart"]);
    assert_eq!((lab.power(104), lab.node(104).as_deref()), (Some(true), Some("pve2")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_falls_into_error_after_the_look_is_told_so() {
    let (lab, daemon) = lab(vec![service(stopped(104))]).await;
    daemon.scope.arm("sent.before", Action::Pause);
    let op = daemon.client.order(&Order::new("start", 104)).await;
    daemon.scope.reached().await;
    let change = CtChange { ha: Some("error".to_owned()), ..CtChange::default() };
    lab.sim.control().change_container(104, &change).unwrap();
    daemon.scope.resume();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!((op.result.as_str(), op.error.unwrap().code.as_str()), ("failed", "LXC0105"));
    assert_eq!(lab.tasks(104), ["hastart"]);
}

//! Other people and programs on the same containers: what they do in the windows between our looks and
//! our calls is told as it is, and never counted as ours.

use lxc_tests::pvesim::CtSpec;
use lxcd::failpoint::Action;

use super::client::Order;
use super::lab::{Daemon, Lab, running, stopped};
use super::matrix::whole;

async fn lab(population: Vec<CtSpec>) -> (Lab, Daemon) {
    let lab = Lab::new(population).await;
    let daemon = lab.daemon().await;
    (lab, daemon)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_start_between_look_and_call() {
    let (lab, daemon) = lab(vec![stopped(104), stopped(105)]).await;
    for (vmid, if_needed, result) in [(104, false, "refused"), (105, true, "unchanged")] {
        daemon.scope.arm("sent.before", Action::Pause);
        let op = daemon.client.order(&Order { if_needed, ..Order::new("start", vmid) }).await;
        daemon.scope.reached().await;
        lab.sim.control().foreign("start", vmid, "carol@pam").unwrap();
        lab.ended(vmid).await;
        daemon.scope.resume();
        let op = whole(&lab, &daemon.client, &op.id).await;
        assert_eq!(op.result, result, "{op:#?}");
        assert!(!op.changed, "{op:#?}");
        assert!(lab.tasks(vmid).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_start_while_ours_is_looked_for() {
    let (lab, daemon) = lab(vec![stopped(104)]).await;
    lab.sim.control().add_fault("lost-before:POST:*/status/start").unwrap();
    daemon.scope.arm("sent.after", Action::Pause);
    let op = daemon.client.order(&Order::new("start", 104)).await;
    daemon.scope.reached().await;
    lab.sim.control().foreign("start", 104, "carol@pam").unwrap();
    daemon.scope.resume();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!((op.result.as_str(), &op.steps[0].upid), ("started", &None), "not hers adopted: {op:#?}");
    assert!(lab.tasks(104).is_empty(), "and nothing sent again");
    assert_eq!(lab.power(104), Some(true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_lxcd_with_our_token_while_ours_is_looked_for() {
    let (lab, daemon) = lab(vec![stopped(104)]).await;
    // Both have an effect as far as one can tell: two candidates, and the state decides once they end.
    lab.sim.control().add_fault("lost-after:POST:*/status/start").unwrap();
    daemon.scope.arm("sent.after", Action::Pause);
    let op = daemon.client.order(&Order::new("start", 104)).await;
    daemon.scope.reached().await;
    lab.sim.control().foreign("start", 104, "root@pam!lxcd").unwrap();
    daemon.scope.resume();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "started", "{op:#?}");
    assert_eq!(lab.tasks(104).len(), 2, "ours and theirs, nothing more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_was_used_again_is_another_container() {
    let (lab, daemon) = lab(vec![running(104), running(105)]).await;
    let reference = daemon.client.reference("stop", 104).await.unwrap();
    let other = || CtSpec { hwaddr: Some("BC:24:11:99:99:99".to_owned()), ..running(104) };
    lab.sim.control().remove_container(104).unwrap();
    lab.sim.control().add_container(&other()).unwrap();
    let order = Order::new("stop", 104);
    let op = daemon.client.submit(&order, reference, "").await.unwrap();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "refused", "{op:#?}");
    assert!(op.error.unwrap().message.contains("replaced"));
    assert!(lab.tasks(104).is_empty());
    assert_eq!(lab.power(104), Some(true), "the new one was not touched");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_is_used_again_while_the_call_is_lost() {
    let (lab, daemon) = lab(vec![running(104)]).await;
    lab.sim.control().add_fault("lost-before:POST:*/status/stop").unwrap();
    daemon.scope.arm("sent.after", Action::Pause);
    let op = daemon.client.order(&Order::new("stop", 104)).await;
    daemon.scope.reached().await;
    lab.sim.control().remove_container(104).unwrap();
    let other = CtSpec { hwaddr: Some("BC:24:11:99:99:99".to_owned()), ..running(104) };
    lab.sim.control().add_container(&other).unwrap();
    daemon.scope.resume();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "failed", "{op:#?}");
    assert!(op.error.unwrap().message.contains("replaced"));
    assert!(lab.tasks(104).is_empty(), "not sent again to a stranger");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_that_moved_meanwhile_is_found() {
    let (lab, daemon) = lab(vec![stopped(104)]).await;
    let reference = daemon.client.reference("start", 104).await.unwrap();
    let change = lxc_tests::pvesim::CtChange { node: Some("pve2".to_owned()), ..Default::default() };
    lab.sim.control().change_container(104, &change).unwrap();
    let op = daemon.client.submit(&Order::new("start", 104), reference, "").await.unwrap();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "started", "{op:#?}");
    assert!(op.steps[0].upid.as_ref().unwrap().starts_with("UPID:pve2:"), "{op:#?}");
}

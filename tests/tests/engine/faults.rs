//! Tasks that fail, hang, vanish or warn, and a config file somebody else keeps busy.

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
async fn a_busy_config_file_is_tried_again_three_times() {
    let (lab, daemon) = lab(vec![stopped(104), stopped(105)]).await;
    lab.sim.control().add_fault("lock-timeout:104:3").unwrap();
    lab.sim.control().add_fault("lock-timeout:105:4").unwrap();
    let first = daemon.client.order(&Order::new("start", 104)).await;
    let second = daemon.client.order(&Order::new("start", 105)).await;
    let op = whole(&lab, &daemon.client, &first.id).await;
    assert_eq!(op.result, "started", "{op:#?}");
    let op = whole(&lab, &daemon.client, &second.id).await;
    assert_eq!(op.state, "failed", "{op:#?}");
    assert!(op.error.as_ref().unwrap().code.starts_with("LXC04"), "{op:#?}");
    assert_eq!(lab.power(105), Some(false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_fails_ends_the_operation_with_its_words() {
    let (lab, daemon) = lab(vec![stopped(104)]).await;
    lab.sim.control().add_fault("task-fail:start:104:no space left on device").unwrap();
    let op = daemon.client.order(&Order::new("start", 104)).await;
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "failed", "{op:#?}");
    assert!(format!("{:?}", op.error).contains("no space left on device"), "{op:#?}");
    assert_eq!(lab.tasks(104), ["vzstart"], "not tried again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_warns_is_a_success_with_a_warning() {
    let (lab, daemon) = lab(vec![stopped(104)]).await;
    lab.sim.control().add_fault("task-warn:start:104:systemd 255 needs nesting").unwrap();
    let op = daemon.client.order(&Order::new("start", 104)).await;
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "started", "{op:#?}");
    assert!(op.warnings.iter().any(|line| line.contains("nesting")), "{op:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_worker_leaves_the_state_to_decide() {
    let (lab, daemon) = lab(vec![CtSpec { start_seconds: Some(600.0), ..stopped(104) }, running(105)]).await;
    // In the middle of a start: it does not run, so it failed.
    let op = daemon.client.order(&Order::new("start", 104)).await;
    let op = daemon.client.until(&op.id, |op| op.steps[0].upid.is_some()).await;
    lab.sim.control().kill_task(op.steps[0].upid.as_ref().unwrap()).unwrap();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "failed", "{op:#?}");
    assert!(format!("{:?}", op.error).contains("unexpected status"), "{op:#?}");
    // Killed, and yet it stands still: done.
    daemon.scope.arm("upid.after", Action::Pause);
    let op = daemon.client.order(&Order { grace: Some(600), ..Order::new("shutdown", 105) }).await;
    daemon.scope.reached().await;
    let upid = daemon.client.get(&op.id).await.steps[0].upid.clone().unwrap();
    // Whether the kill or the container is faster, the end is the same.
    let _ = lab.sim.control().kill_task(&upid);
    let change = lxc_tests::pvesim::CtChange { running: Some(false), ..Default::default() };
    lab.sim.control().change_container(105, &change).unwrap();
    daemon.scope.resume();
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.result, "stopped", "{op:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_start_can_be_cancelled() {
    let (lab, daemon) = lab(vec![stopped(104)]).await;
    lab.sim.control().add_fault("task-hang:start:104").unwrap();
    let op = daemon.client.order(&Order::new("start", 104)).await;
    daemon.client.until(&op.id, |op| op.steps[0].upid.is_some()).await;
    daemon.client.cancel(&op.id, false).await;
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!((op.state.as_str(), op.result.as_str()), ("cancelled", "cancelled"), "{op:#?}");
    assert_eq!(lab.power(104), Some(false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_outlives_a_crash() {
    let (lab, daemon) = lab(vec![stopped(104)]).await;
    lab.sim.control().add_fault("task-hang:start:104").unwrap();
    let op = daemon.client.order(&Order::new("start", 104)).await;
    daemon.client.until(&op.id, |op| op.steps[0].upid.is_some()).await;
    daemon.scope.arm("other.before", Action::Hang);
    daemon.client.cancel(&op.id, false).await;
    // Proxmox has been asked to abort; that it was is not written down.
    daemon.scope.reached().await;
    daemon.crash().await;
    let daemon = lab.daemon().await;
    let op = whole(&lab, &daemon.client, &op.id).await;
    assert_eq!(op.state, "cancelled", "{op:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_cannot_be_cut_off_but_a_restart_ends_between_its_steps() {
    let (lab, daemon) = lab(vec![running(104), running(105)]).await;
    for (vmid, verb, state) in [(104, "stop", "succeeded"), (105, "restart", "cancelled")] {
        daemon.scope.arm("done.before", Action::Pause);
        let op = daemon.client.order(&Order { grace: Some(200), ..Order::new(verb, vmid) }).await;
        daemon.scope.reached().await;
        daemon.client.cancel(&op.id, false).await;
        daemon.scope.resume();
        let op = whole(&lab, &daemon.client, &op.id).await;
        assert_eq!(op.state, state, "{op:#?}");
        assert_eq!(lab.power(vmid), Some(false));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_lock_gets_it() {
    let (lab, daemon) = lab(vec![running(104)]).await;
    daemon.scope.arm("upid.before", Action::Pause);
    let stop = daemon.client.order(&Order::new("stop", 104)).await;
    daemon.scope.reached().await;
    let refused = daemon.client.order(&Order::new("start", 104)).await;
    assert_eq!(whole(&lab, &daemon.client, &refused.id).await.result, "refused");
    let waits = Order { wait_lock_us: Some(0), ..Order::new("start", 104) };
    let waiting = daemon.client.order(&waits).await;
    assert_eq!(waiting.state, "queued", "{waiting:#?}");
    daemon.scope.resume();
    assert_eq!(whole(&lab, &daemon.client, &stop.id).await.result, "stopped");
    assert_eq!(whole(&lab, &daemon.client, &waiting.id).await.result, "started");
    assert_eq!(lab.tasks(104), ["vzstop", "vzstart"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_on_one_node_all_end() {
    let vmids = 100..140;
    let (lab, daemon) = lab(vmids.clone().map(stopped).collect()).await;
    let runs = vmids.clone().map(async |vmid| {
        let op = daemon.client.order(&Order::new("start", vmid)).await;
        whole(&lab, &daemon.client, &op.id).await
    });
    for op in futures::future::join_all(runs).await {
        assert_eq!(op.result, "started", "{op:#?}");
    }
    for vmid in vmids {
        assert_eq!(lab.tasks(vmid), ["vzstart"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_it_was_stopped_is_told() {
    let stubborn = 105..115;
    let others = stubborn.clone().map(|vmid| CtSpec { stubborn: true, ..running(vmid) });
    let (lab, daemon) = lab([running(104)].into_iter().chain(others).collect()).await;
    let how = async |vmid, grace| {
        let op = daemon.client.order(&Order { grace: Some(grace), ..Order::new("shutdown", vmid) }).await;
        let op = whole(&lab, &daemon.client, &op.id).await;
        assert_eq!(op.result, "stopped", "{op:#?}");
        assert_eq!(lab.tasks(vmid), ["vzshutdown"], "Proxmox itself kills it");
        op.how.unwrap()
    };
    assert_eq!(how(104, 300).await, "graceful");
    // The moment in which it can be seen is ten milliseconds long here; on a busy machine it may be missed,
    // and then nobody looked.
    for vmid in stubborn {
        match how(vmid, 20).await.as_str() {
            "forced" => return,
            other => assert_eq!(other, "unobserved"),
        }
    }
    panic!("never once seen");
}

//! Crash everywhere while a container is made: it is made once and started once, it is ours, and no number stays held.

use lxc_tests::pvesim::model::Record;

use super::lab::{Base, Lab};
use super::matrix::{PLACES, SECOND, crash_during, whole};

async fn crash_at(base: Base, places: &[&str]) {
    let Some(lab) = Lab::on(base, Vec::new()).await else { return };
    let mut daemon = lab.daemon().await;
    for (place, vmid) in places.iter().zip(300_u32..) {
        let request = uuid::Uuid::now_v7().to_string();
        let client = daemon.client.clone();
        let name = format!("box-{vmid}");
        crash_during(daemon, place, &request, client.create(&name, vmid, &request)).await;
        daemon = lab.daemon().await;
        let id = daemon.client.get(&request).await.id;
        let op = whole(&lab, &daemon.client, &id).await;
        let at = format!("crashed at {place}: {op:#?}\n{:#?}", lab.sim.ledger());
        assert_eq!((op.result.as_str(), op.changed), ("created", true), "{at}");
        assert_eq!(lab.tasks(vmid), ["vzcreate", "vzstart"], "{at}");
        assert_eq!(lab.power(vmid), Some(true), "{at}");
    }
    let ours = "SELECT COUNT(*) FROM container c JOIN operation o ON o.container_id = c.id AND o.id = c.marker \
                WHERE c.closed_us IS NULL AND c.lifecycle = 'ready'";
    assert_eq!(lab.count(ours).await, i64::try_from(places.len()).unwrap());
    assert_eq!(lab.count("SELECT COUNT(*) FROM container_lock").await, 0);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_while_it_is_made() {
    crash_at(Base::Sqlite, &PLACES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_while_it_is_started() {
    crash_at(Base::Sqlite, &SECOND).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_while_it_is_made() {
    crash_at(Base::Postgres, &PLACES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_while_it_is_started() {
    crash_at(Base::Postgres, &SECOND).await;
}

/// The answer to the call is lost, after and before Proxmox has heard it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_lost_makes_no_second_container() {
    let lab = Lab::new(Vec::new()).await;
    let daemon = lab.daemon().await;
    for (fault, vmid) in [("lost-after", 310), ("lost-before", 311), ("596", 312)] {
        lab.sim.control().add_fault(&format!("{fault}:POST:/nodes/*/lxc")).unwrap();
        let request = uuid::Uuid::now_v7().to_string();
        let op = daemon.client.create(&format!("box-{vmid}"), vmid, &request).await.unwrap();
        let op = whole(&lab, &daemon.client, &op.id).await;
        let at = format!("{fault}: {op:#?}\n{:#?}", lab.sim.ledger());
        assert_eq!(op.result, "created", "{at}");
        assert_eq!(lab.tasks(vmid), ["vzcreate", "vzstart"], "{at}");
    }
    daemon.stop().await;
}

/// Somebody else makes one at our number between our look and our call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_of_somebody_else_at_our_number_is_left_alone() {
    let lab = Lab::new(Vec::new()).await;
    let daemon = lab.daemon().await;
    daemon.scope.arm("sent.before", lxcd::failpoint::Action::Hang);
    let request = uuid::Uuid::now_v7().to_string();
    let submitted = daemon.client.create("box", 320, &request).await.unwrap();
    daemon.scope.reached().await;
    lab.sim.control().add_container(&super::lab::running(320)).unwrap();
    daemon.crash().await;
    let daemon = lab.daemon().await;
    let op = whole(&lab, &daemon.client, &submitted.id).await;
    let error = op.error.clone().unwrap_or_default();
    assert_eq!((op.state.as_str(), error.code.as_str()), ("failed", "LXC0518"), "{op:#?}");
    let touched =
        lab.sim.ledger().into_iter().filter(
            |entry| matches!(&entry.record, Record::Request { path, .. } if path.contains("/lxc/320/") ),
        );
    assert_eq!(touched.count(), 0, "nothing was sent to what is not ours");
    assert_eq!(lab.power(320), Some(true));
    daemon.stop().await;
}

/// The image was there when it was looked at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_that_vanishes_before_the_task_needs_it_is_named_and_nothing_stays() {
    let lab = Lab::new(Vec::new()).await;
    let daemon = lab.daemon().await;
    daemon.scope.arm("sent.before", lxcd::failpoint::Action::Hang);
    let request = uuid::Uuid::now_v7().to_string();
    let submitted = daemon.client.create("box", 330, &request).await.unwrap();
    daemon.scope.reached().await;
    lab.sim.control().remove_images("debian-12").unwrap();
    daemon.crash().await;
    let daemon = lab.daemon().await;
    let op = whole(&lab, &daemon.client, &submitted.id).await;
    assert_eq!(op.state, "failed", "{op:#?}");
    let error = op.error.clone().unwrap_or_default();
    assert!(error.why.iter().any(|why| why.contains("does not exist")), "{error:?}");
    assert_eq!(lab.count("SELECT COUNT(*) FROM container_lock").await, 0);
    assert_eq!(lab.count("SELECT COUNT(*) FROM container WHERE closed_us IS NULL").await, 0);
    daemon.stop().await;
}

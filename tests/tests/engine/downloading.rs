//! Crash everywhere while the OS image of a container is downloaded: Proxmox is asked for it once, and the container is
//! made of it.

use lxc_proto::v1 as pb;
use lxc_tests::pvesim::model::Record;

use super::lab::{Base, Lab};
use super::matrix::{PLACES, crash_during, whole};

const FILE: &str = "debian-13-standard_13.1-2_amd64.tar.zst";
fn wish() -> pb::Wish {
    pb::Wish {
        image: Some("debian-13".to_owned()),
        download: Some(true),
        stop_after: Some("start".to_owned()),
        ..Default::default()
    }
}

/// How many downloads were begun.
fn begun(lab: &Lab) -> usize {
    let one = |record: &Record| matches!(record, Record::TaskStart { upid } if upid.contains(":download:"));
    lab.sim.ledger().into_iter().filter(|entry| one(&entry.record)).count()
}

/// Somebody deletes the image.
fn gone(lab: &Lab) {
    lab.sim.control().remove_images(FILE).unwrap();
}

async fn crash_at(base: Base) {
    let Some(lab) = Lab::on(base, Vec::new()).await else { return };
    let mut daemon = lab.daemon().await;
    // Its last commit is none of the operation's end.
    let places = PLACES.into_iter().filter(|place| !place.starts_with("terminal"));
    let places = places.chain(["done.before", "done.after"]);
    for (number, (place, vmid)) in places.zip(340_u32..).enumerate() {
        let request = uuid::Uuid::now_v7().to_string();
        let client = daemon.client.clone();
        let name = format!("box-{vmid}");
        crash_during(daemon, place, &request, client.create_of(wish(), &name, vmid, &request)).await;
        daemon = lab.daemon().await;
        let id = daemon.client.get(&request).await.id;
        let op = whole(&lab, &daemon.client, &id).await;
        let at = format!("crashed at {place}: {op:#?}\n{:#?}", lab.sim.ledger());
        assert_eq!((op.result.as_str(), op.changed), ("created", true), "{at}");
        assert_eq!(
            op.steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(),
            ["download", "create", "start"]
        );
        assert_eq!(begun(&lab), number + 1, "{at}");
        assert_eq!(lab.tasks(vmid), ["vzcreate", "vzstart"], "{at}");
        gone(&lab);
    }
    assert_eq!(lab.count("SELECT COUNT(*) FROM operation WHERE kind_version = 3").await, 10);
    assert_eq!(lab.count("SELECT COUNT(*) FROM container_lock").await, 0);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    crash_at(Base::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    crash_at(Base::Postgres).await;
}

/// The answer to the call is lost, after and before Proxmox has heard it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_lost_downloads_nothing_twice() {
    let lab = Lab::new(Vec::new()).await;
    let daemon = lab.daemon().await;
    for (number, (fault, vmid)) in
        [("lost-after", 360), ("lost-before", 361), ("596", 362)].into_iter().enumerate()
    {
        lab.sim.control().add_fault(&format!("{fault}:POST:/nodes/*/aplinfo")).unwrap();
        let request = uuid::Uuid::now_v7().to_string();
        let op = daemon.client.create_of(wish(), &format!("box-{vmid}"), vmid, &request).await.unwrap();
        let op = whole(&lab, &daemon.client, &op.id).await;
        let at = format!("{fault}: {op:#?}\n{:#?}", lab.sim.ledger());
        assert_eq!((op.result.as_str(), begun(&lab)), ("created", number + 1), "{at}");
        gone(&lab);
    }
    daemon.stop().await;
}

/// All answers are lost, so that each finds the tasks of all others in the list, and none may end another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_that_lose_their_answers_at_once_all_get_it() {
    let lab = Lab::new(Vec::new()).await;
    let daemon = lab.daemon().await;
    lab.sim.control().add_fault("lost-after#4:POST:/nodes/*/aplinfo").unwrap();
    let mut all = Vec::new();
    for vmid in 370..374 {
        let request = uuid::Uuid::now_v7().to_string();
        let submitted = daemon.client.create_of(wish(), &format!("box-{vmid}"), vmid, &request).await;
        all.push(submitted.unwrap().id);
    }
    for id in all {
        let op = whole(&lab, &daemon.client, &id).await;
        assert_eq!(op.result, "created", "{op:#?}\n{:#?}", lab.sim.ledger());
    }
    daemon.stop().await;
}

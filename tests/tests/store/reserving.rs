//! Names, addresses and numbers of containers that are to be made: one of many has them.

use std::net::{IpAddr, Ipv4Addr};

use futures::future::join_all;
use lxc_core::create::{Addressing, Clash, Download, Features, Network, OnFailure, Phase, Spec};
use lxc_core::error::{Code, Error};
use lxc_core::ids::{OperationId, Vmid};
use lxc_core::op::{Change, Kind, Outcome, Step, StepState};
use lxc_core::ports::{Committed, OpStore};
use lxc_core::pve::{Live, Power, Upid};
use lxc_core::record::ContainerRecord;
use lxcd::store::{NewRequest, Submitted};

use super::make::{
    S, T0, advance, after, container, daemon, dispatch, installation, operation, request, submit,
};

const FILE: &str = "debian-13-standard_13.1-2_amd64.tar.zst";
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);

/// A create of a container of that name and number, at that address.
fn create(name: &str, vmid: Vmid, address: Option<Ipv4Addr>) -> NewRequest {
    let network = Network {
        bridge: "vmbr0".to_owned(),
        vlan: None,
        ip: address.map_or(Addressing::Dhcp, |address| Addressing::Static { address, prefix: 24 }),
        gateway: None,
        ip6: Addressing::None,
        gateway6: None,
    };
    let spec = Spec {
        name: name.to_owned(),
        template: None,
        any_vmid: true,
        image: "local:vztmpl/debian-12-standard_12.11-1_amd64.tar.zst".to_owned(),
        download: None,
        placed: None,
        cores: 1,
        memory_mb: 512,
        swap_mb: 512,
        storage: "local".to_owned(),
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
        parts: Vec::new(),
        stop_after: Phase::Discover,
        on_failure: OnFailure::Keep,
    };
    let mut op = operation(Kind::Create { marker: OperationId::generate(), spec: Box::new(spec) }, vmid);
    if let Kind::Create { marker, .. } = &mut op.kind {
        *marker = op.id;
    }
    let made = ContainerRecord {
        id: op.target.container_id,
        name: Some(name.to_owned()),
        power: None,
        lifecycle: "creating".to_owned(),
        marker: Some(op.id.to_string()),
        ips: address.iter().map(ToString::to_string).collect(),
        ..ContainerRecord::seen(&installation(), "pve1", Live::bare(vmid, Power::Stopped), T0)
    };
    NewRequest { made: Some(made), ..request(vec![op]) }
}

/// The same, of an image that is to be downloaded.
fn downloading(name: &str, vmid: Vmid) -> NewRequest {
    let mut new = create(name, vmid, None);
    let op = &mut new.operations[0];
    let Kind::Create { spec, .. } = &mut op.kind else { panic!() };
    spec.download = Some(Download { storage: "local".to_owned(), file: FILE.to_owned() });
    let step = |kind| Step { kind, state: StepState::NEW, started: None, finished: None };
    op.steps = op.kind.steps().into_iter().map(step).collect();
    new
}

on_both! {
    async fn several_may_follow_one_download_and_each_knows_the_tasks_of_the_others(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        let task = |start: u32| -> Upid {
            format!("UPID:pve1:0003A1F2:01F0C3B7:{start:08X}:download:{FILE}:lxcd@pve!cli:").parse().unwrap()
        };
        let mut all = Vec::new();
        for (name, vmid, start) in [("a", 104, 1), ("b", 105, 1), ("c", 106, 2)] {
            let op = submit(&db.store, me, &downloading(name, vmid)).await.ours.remove(0);
            let op = advance(&db.store, &op, Change::Dispatching(0, dispatch()), T0 + S).await;
            let watching = Change::Watching { step: 0, upid: task(start), adopted: vmid == 105 };
            all.push(advance(&db.store, &op, watching, T0 + S).await);
        }
        assert_eq!(db.store.taken_upids(&all[0]).await.unwrap(), [task(1), task(2)].into());
        assert_eq!(db.store.taken_upids(&all[2]).await.unwrap(), [task(1)].into());
        assert_eq!(db.store.upids_since(&installation(), T0).await.unwrap(), [task(1), task(2)].into());
        let read = db.store.operation(all[1].id).await.unwrap().unwrap();
        assert_eq!(read.steps[0].state.upid(), Some(&task(1)));
        // A container's own tasks are those of its number, as ever.
        let done = Change::StepDone { step: 0, exit: "OK".to_owned(), warning: None };
        let op = advance(&db.store, &all[0], done, T0 + S).await;
        assert!(db.store.taken_upids(&op).await.unwrap().is_empty());
    }

    async fn what_a_create_reads_is_kept_until_it_has_succeeded(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        for (vmid, outcome, kept) in [
            (200, Outcome::failed(Error::new(Code::ScriptFailed, "it failed"), true), 1),
            (201, Outcome::done(), 0),
        ] {
            let request = create(&format!("box-{vmid}"), vmid, None);
            let inputs = vec![(0, b"a script".to_vec())];
            let op = submit(&db.store, me, &NewRequest { inputs, ..request }).await.ours.remove(0);
            assert_eq!(db.store.work_input(&op, 0).await.unwrap(), Some(b"a script".to_vec()));
            let (ended, events) = after(&op, Change::Finish(outcome), T0 + S);
            assert!(matches!(db.store.commit(&ended, &events, T0 + S).await.unwrap(), Committed::Yes { .. }));
            assert_eq!(db.number("SELECT COUNT(*) FROM work_input").await, kept, "{vmid}");
            sqlx::query("DELETE FROM work_input").execute(&db.raw).await.unwrap();
        }
    }

    async fn of_ten_creates_of_one_name_one_is_made(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        let requests: Vec<_> = (0..10).map(|n| create("web-7", 200 + n, None)).collect();
        let submits = requests.iter().enumerate().map(|(n, request)| {
            let store = if n % 2 == 0 { &db.store } else { &db.other };
            store.submit(request, me)
        });
        let answers: Vec<_> = join_all(submits).await.into_iter().map(Result::unwrap).collect();
        let new: Vec<_> = answers.iter().filter(|one| matches!(one, Submitted::New(_))).collect();
        assert_eq!(new.len(), 1, "{answers:?}");
        let open = db.store.containers(None).await.unwrap();
        assert_eq!(open.len(), 1, "nothing is kept of the others");
        let refused = answers.iter().filter(|one| {
            matches!(one, Submitted::Clash(Clash::Name, other) if other.vmid == open[0].vmid)
        });
        assert_eq!(refused.count(), 9, "each names the one that has it: {answers:?}");
        assert_eq!(db.number("SELECT COUNT(*) FROM operation").await, 1);
    }

    async fn of_ten_creates_at_one_address_one_is_made(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        let requests: Vec<_> = (0..10).map(|n| create(&format!("box-{n}"), 200 + n, Some(ADDRESS))).collect();
        let submits = requests.iter().enumerate().map(|(n, request)| {
            let store = if n % 2 == 0 { &db.store } else { &db.other };
            store.submit(request, me)
        });
        let answers: Vec<_> = join_all(submits).await.into_iter().map(Result::unwrap).collect();
        let clash = Clash::Address(IpAddr::V4(ADDRESS));
        let refused =
            answers.iter().filter(|one| matches!(one, Submitted::Clash(found, _) if *found == clash));
        assert_eq!(refused.count(), 9, "{answers:?}");
        assert_eq!(db.store.containers(None).await.unwrap().len(), 1);
        // Longer addresses that hold this one's digits are others.
        for (vmid, more) in [(300, Ipv4Addr::new(10, 0, 0, 50)), (301, Ipv4Addr::new(110, 0, 0, 5))] {
            let other = create(&format!("more-{vmid}"), vmid, Some(more));
            assert!(matches!(db.store.submit(&other, me).await.unwrap(), Submitted::New(_)), "{more}");
        }
    }

    async fn what_proxmox_no_longer_has_keeps_no_name(db: Db) {
        let me = daemon(&db.store, "a", 30 * S).await;
        let gone = ContainerRecord { name: Some("web-7".to_owned()), gone_since: Some(T0), ..container(104) };
        db.store.record_containers(&installation(), &[gone], &[], &[], T0).await.unwrap();
        let answer = db.store.submit(&create("web-7", 200, None), me).await.unwrap();
        assert!(matches!(answer, Submitted::New(_)), "{answer:?}");
    }
}

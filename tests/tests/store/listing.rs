//! What narrows a listing does so before its limit counts: so many rows that match.

use lxc_core::ids::{Installation, Vmid};
use lxc_core::op::{Kind, Operation};
use lxc_core::record::{AuditFilter, AuditRecord, EventFilter, OperationFilter};
use lxcd::store::Store;

use super::make::{S, audit, daemon, installation, operation, request, submit};

fn elsewhere() -> Installation {
    Installation("cd".repeat(32))
}

fn on(remote: &str, installation: &Installation, vmid: Vmid) -> Operation {
    let mut op = operation(Kind::Start, vmid);
    (op.target.remote, op.target.installation) = (remote.to_owned(), installation.clone());
    op
}

/// One on each of these, and many others behind them.
async fn filled(store: &Store) {
    let me = daemon(store, "a", 30 * S).await;
    let wanted = [on("lab", &installation(), 104), on("o'lab_", &elsewhere(), 104)];
    let others = (1_000..1_060).map(|vmid| on("edge", &installation(), vmid));
    for op in wanted.into_iter().chain(others) {
        submit(store, me, &request(vec![op])).await;
    }
}

fn names(all: &[&str]) -> Option<Vec<String>> {
    Some(all.iter().map(|name| (*name).to_owned()).collect())
}

on_both! {
    async fn operations(db: Db) {
        filled(&db.store).await;
        let base = OperationFilter { limit: 2, ..OperationFilter::default() };
        let read = async |filter: OperationFilter| -> Vec<String> {
            let all = db.other.operations(&filter).await.unwrap();
            all.iter().map(|op| op.target.path()).collect()
        };
        let of = |containers| OperationFilter { containers: Some(containers), ..base.clone() };
        assert_eq!(read(of(vec![(installation(), 104)])).await, ["lab/104"]);
        assert_eq!(read(of(vec![(elsewhere(), 104), (elsewhere(), 105)])).await, ["o'lab_/104"]);
        assert!(read(of(Vec::new())).await.is_empty());
        let many: Vec<_> = (100..9_000).map(|vmid| (elsewhere(), vmid)).collect();
        assert_eq!(read(of(many)).await, ["o'lab_/104"], "a long list is a list");
        let seen = |all| OperationFilter { remotes: names(all), ..base.clone() };
        assert_eq!(read(seen(&["o'lab_"])).await, ["o'lab_/104"]);
        assert_eq!(read(seen(&["lab", "none"])).await, ["lab/104"]);
        assert!(read(seen(&[])).await.is_empty());
        let there = OperationFilter { installation: Some(elsewhere()), ..base.clone() };
        assert_eq!(read(there).await, ["o'lab_/104"]);
    }

    async fn events(db: Db) {
        filled(&db.store).await;
        super::events::settled(&db).await;
        let base = EventFilter { detailed: true, limit: 2, ..EventFilter::default() };
        let read = async |filter: EventFilter| -> Vec<String> {
            db.other.events(&filter).await.unwrap().into_iter().map(|event| event.target).collect()
        };
        let seen = |all| EventFilter { remotes: names(all), ..base.clone() };
        assert_eq!(read(seen(&["lab"])).await, ["lab/104"]);
        assert_eq!(read(seen(&["o'lab_"])).await, ["o'lab_/104"]);
        assert!(read(seen(&["la"])).await.is_empty(), "a beginning is not the name");
        assert!(read(seen(&[])).await.is_empty());
        let there = EventFilter { installation: Some(elsewhere()), ..base.clone() };
        assert_eq!(read(there).await, ["o'lab_/104"]);
        let many = (100..9_000).map(|vmid| (elsewhere(), vmid)).collect();
        assert_eq!(read(EventFilter { containers: Some(many), ..base.clone() }).await, ["o'lab_/104"]);
    }

    async fn audit_records(db: Db) {
        let of = |target: &str| AuditRecord { target: target.to_owned(), ..audit("start") };
        for target in ["o'lab_", "o'lab_/104", "o'labX/104"] {
            db.store.audit(&of(target)).await.unwrap();
        }
        for vmid in 1_000..1_060 {
            db.store.audit(&of(&format!("edge/{vmid}"))).await.unwrap();
        }
        let base = AuditFilter { limit: 3, ..AuditFilter::default() };
        let read = async |filter: AuditFilter| -> Vec<String> {
            db.other.audit_rows(&filter).await.unwrap().into_iter().map(|row| row.target).collect()
        };
        let seen = AuditFilter { remotes: names(&["o'lab_"]), ..base.clone() };
        assert_eq!(read(seen.clone()).await, ["o'lab_", "o'lab_/104"]);
        let target = |target: &str| AuditFilter { target: target.to_owned(), ..base.clone() };
        assert_eq!(read(target("o'lab_")).await, ["o'lab_", "o'lab_/104"], "no wildcard");
        assert_eq!(read(AuditFilter { target: "o'lab_/104".into(), ..seen.clone() }).await, ["o'lab_/104"]);
        assert!(read(AuditFilter { target: "edge".into(), ..seen }).await.is_empty());
    }
}

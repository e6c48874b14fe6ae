//! The journal: numbers without gaps inside an operation, a cursor behind which nothing is ever added.

use lxc_core::record::{EventFilter, EventRecord};
use std::collections::BTreeSet;

use lxc_core::op::{EventDraft, EventKind};
use lxc_core::ports::{Committed, OpStore};
use lxcd::store::Store;

use super::make::{S, T0, admitted, container, daemon, installation};

fn all(after: i64) -> EventFilter {
    EventFilter { after: Some(after), detailed: true, limit: 7, ..EventFilter::default() }
}

/// Reads on from a cursor until there is nothing more, page by page.
async fn read_on(store: &Store, cursor: &mut i64, seen: &mut Vec<EventRecord>) {
    loop {
        let page = store.events(&all(*cursor)).await.unwrap();
        let Some(last) = page.last() else { return };
        *cursor = last.cursor;
        seen.extend(page);
    }
}

on_both! {
    /// What was written while an older transaction is open is told once that one has ended, and said to be there.
    async fn what_cannot_be_told_yet_is_known(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        settled(&db).await;
        let mut older = db.raw.begin().await.unwrap();
        if !db.sqlite {
            sqlx::query("SELECT pg_current_xact_id()::TEXT").execute(&mut *older).await.unwrap();
        }
        admitted(&db.store, me, 104).await;
        let told = async || db.other.events(&all(0)).await.unwrap().len();
        assert_eq!((db.other.unsettled().await.unwrap(), told().await > 0), (!db.sqlite, db.sqlite));
        older.rollback().await.unwrap();
        settled(&db).await;
        assert_eq!((db.other.unsettled().await.unwrap(), told().await > 0), (false, true));
    }

    async fn a_reader_among_many_writers_misses_nothing(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        let mut ops = Vec::new();
        for vmid in 100..106 {
            ops.push(admitted(&db.store, me, vmid).await);
        }
        let writers = ops.iter().enumerate().map(|(n, op)| {
            let store = if n % 2 == 0 { db.store.clone() } else { db.other.clone() };
            let mut op = op.clone();
            tokio::spawn(async move {
                for n in 0..30_i64 {
                    let made = usize::try_from(n % 4).unwrap();
                    let events = vec![EventDraft::new(EventKind::Progress, format!("{n}")); made];
                    match store.commit(&op, &events, T0 + n * S).await.unwrap() {
                        Committed::Yes { last_seq, .. } => op.last_seq = last_seq,
                        Committed::Fenced => panic!("fenced"),
                    }
                }
                op
            })
        });
        let mut writing = Box::pin(futures::future::join_all(writers));
        let (mut cursor, mut seen) = (0, Vec::new());
        let ops = loop {
            tokio::select! {
                ops = &mut writing => break ops,
                () = read_on(&db.other, &mut cursor, &mut seen) => tokio::task::yield_now().await,
            }
        };
        settled(&db).await;
        read_on(&db.other, &mut cursor, &mut seen).await;
        for op in ops {
            let op = op.unwrap();
            let mine = seen.iter().filter_map(|event| event.operation).filter(|(id, _)| *id == op.id);
            let seqs: Vec<i64> = mine.map(|(_, seq)| seq).collect();
            assert_eq!(seqs, (1..=op.last_seq).collect::<Vec<_>>(), "each once, in order");
        }
        let cursors: BTreeSet<i64> = seen.iter().map(|event| event.cursor).collect();
        assert_eq!(cursors.len(), seen.len());
        assert_eq!(db.store.newest_cursor().await.unwrap(), cursor);
    }

    async fn an_open_transaction_holds_later_ones_back(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        let op = admitted(&db.store, me, 104).await;
        settled(&db).await;
        let before = db.store.newest_cursor().await.unwrap();
        if db.sqlite {
            // The one writer: a later transaction cannot even begin. Nothing to hold back.
            return;
        }
        let mut open = db.raw.begin().await.unwrap();
        let early = "INSERT INTO event (time_us, type, detail, installation, vmid, container_id, target, data) \
                     VALUES (1, 'changed', 0, 'ab', 104, 'c', 'lab/104', '{\"message\":\"early\"}')";
        sqlx::query(early).execute(&mut *open).await.unwrap();
        let late = [EventDraft::new(EventKind::Progress, "late")];
        assert!(matches!(db.store.commit(&op, &late, T0).await.unwrap(), Committed::Yes { .. }));
        assert!(db.store.events(&all(before)).await.unwrap().is_empty(), "the early one may still come");
        assert_eq!(db.store.newest_cursor().await.unwrap(), before);
        open.commit().await.unwrap();
        settled(&db).await;
        let both = db.store.events(&all(before)).await.unwrap();
        let said: Vec<&str> = both.iter().map(|event| event.data.message.as_str()).collect();
        assert_eq!(said, ["early", "late"]);
    }

    async fn the_last_ones_come_oldest_first_and_filtered(db: Db) {
        let event = |vmid, message: &str| lxc_core::record::NewEvent {
            kind: EventKind::Discovered,
            installation: installation(),
            vmid,
            container_id: container(vmid).id,
            target: format!("lab/{vmid}"),
            name: None,
            message: message.to_owned(),
        };
        let events: Vec<_> = (100..110).map(|vmid| event(vmid, "hello")).collect();
        db.store.record_containers(&installation(), &[], &[], &events, T0).await.unwrap();
        settled(&db).await;
        let read = async |filter: EventFilter| -> Vec<u32> {
            db.store.events(&filter).await.unwrap().iter().map(|event| event.vmid).collect()
        };
        let base = EventFilter { limit: 3, ..EventFilter::default() };
        assert_eq!(read(base.clone()).await, [107, 108, 109]);
        let one = EventFilter { containers: Some(vec![(installation(), 101)]), ..base.clone() };
        assert_eq!(read(one).await, [101]);
        assert!(read(EventFilter { containers: Some(vec![]), ..base.clone() }).await.is_empty());
        assert!(read(EventFilter { kinds: vec!["started".into()], ..base.clone() }).await.is_empty());
        assert!(read(EventFilter { since: Some(T0 + 1), ..base.clone() }).await.is_empty());
        assert!(read(EventFilter { actor: "alice".into(), ..base }).await.is_empty());
    }
}

/// Waits until everything written may be read: on Postgres, open transactions of other databases on the same
/// server hold the horizon back as well.
pub(crate) async fn settled(db: &crate::database::Db) {
    let written = db.number("SELECT COALESCE(MAX(cursor), 0) FROM event").await;
    let end = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    while db.store.newest_cursor().await.unwrap() != written {
        assert!(tokio::time::Instant::now() < end, "something is held back for ever");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

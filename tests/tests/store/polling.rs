//! Who polls an installation, and what is new there for those who do not.

use lxc_core::record::Round;

use super::make::{S, T0, container, daemon, installation};

on_both! {
    /// One at a time, until its lease ends or it lets go.
    async fn one_daemon_polls(db: Db) {
        let (one, two) = (daemon(&db.store, "one", 3600 * S).await, daemon(&db.store, "two", 3600 * S).await);
        let here = installation();
        let hold = |me, anyway| db.store.hold_poller(&here, me, anyway, T0);
        assert!(hold(one, false).await.unwrap());
        assert!(!hold(two, false).await.unwrap());
        assert!(hold(one, false).await.unwrap(), "it keeps it");
        assert_eq!(db.store.release_pollers(one).await.unwrap(), std::slice::from_ref(&here));
        assert!(hold(two, false).await.unwrap());
        assert!(!hold(one, false).await.unwrap());
        db.store.release_daemon(two).await.unwrap();
        assert!(hold(one, false).await.unwrap(), "the lease of the other has ended");
        assert!(hold(two, true).await.unwrap(), "one that does not answer is replaced");
    }

    /// The store refuses whoever was replaced meanwhile.
    async fn only_the_poller_writes_a_round(db: Db) {
        let (one, two) = (daemon(&db.store, "one", 3600 * S).await, daemon(&db.store, "two", 3600 * S).await);
        let here = installation();
        assert!(db.store.hold_poller(&here, one, false, T0).await.unwrap());
        let row = container(104);
        let asked = db.store.ask_poll(&here).await.unwrap();
        let round = Round { vms: vec![900], ..Round::default() };
        let write = |me| db.store.record_round(me, &here, std::slice::from_ref(&row), &[], &[], Some((&round, asked)), T0);
        assert!(!write(two).await.unwrap());
        assert!(db.store.containers(None).await.unwrap().is_empty(), "nothing of it is written");
        assert!(write(one).await.unwrap());
        let (_, polling) = db.other.polling().await.unwrap().remove(0);
        assert_eq!((polling.asked, polling.answered), (asked, asked));
        assert_eq!(polling.round, polling.version);
    }

    /// What was written behind a number, and no more.
    async fn what_is_newer_is_read_by_number(db: Db) {
        let (here, one) = (installation(), daemon(&db.store, "one", 3600 * S).await);
        assert!(db.store.hold_poller(&here, one, false, T0).await.unwrap());
        let (first, second) = (container(104), container(105));
        let rows = [first.clone(), second.clone()];
        db.store.record_round(one, &here, &rows, &[], &[], Some((&Round::default(), 0)), T0).await.unwrap();
        let version = async || db.other.polling().await.unwrap()[0].1.version;
        let before = version().await;
        let all = db.other.newer(&here, 0).await.unwrap();
        assert_eq!((all.rows.len(), all.round.is_some()), (2, true));

        db.store.record_containers(&here, std::slice::from_ref(&first), &[second.id], &[], T0).await.unwrap();
        assert!(version().await > before);
        let newer = db.other.newer(&here, before).await.unwrap();
        assert_eq!((newer.rows, newer.round), (vec![first], None));
        assert_eq!(newer.closed, [second.id].into());
    }
}

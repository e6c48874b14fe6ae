//! Remotes with their pins, containers, audit, and the empty values among them.

use lxc_core::pve::Power;
use lxc_core::record::{AuditFilter, AuditRecord, Pin, RemoteRecord, SshHost, SshRecord, SshWay};

use super::make::{S, T0, audit, container, installation, remote};

on_both! {
    async fn a_remote_is_read_as_it_was_written(db: Db) {
        let bare = remote("lab");
        db.store.put_remote("lab", &bare, None).await.unwrap();
        assert_eq!(db.other.remotes().await.unwrap(), std::slice::from_ref(&bare), "every optional column empty");
        let pin = |url: &str, node: Option<&str>, not_after| Pin {
            url: url.to_owned(),
            node: node.map(str::to_owned),
            fingerprint: "AA:BB".to_owned(),
            source: "person".to_owned(),
            not_after,
        };
        let host = |node: &str| SshHost {
            node: node.to_owned(),
            host: "192.0.2.1".to_owned(),
            fingerprint: "SHA256:AtI3".to_owned(),
        };
        let full = RemoteRecord {
            name: "büro".to_owned(),
            ca_pem: Some("PEM".to_owned()),
            pve_version: Some("9.2".to_owned()),
            cluster: Some("c".to_owned()),
            pins: vec![pin("https://a", None, None), pin("https://b", Some("pve2"), Some(T0))],
            ssh: Some(SshRecord {
                user: "root".to_owned(),
                port: 65_535,
                way: SshWay::Key,
                secret: Some("ciphertext".to_owned()),
                directory: Some("/srv/jobs".to_owned()),
                hosts: ["pve1", "pve2"].map(host).to_vec(),
            }),
            ..bare.clone()
        };
        db.store.put_remote("lab", &full, None).await.unwrap();
        assert_eq!(db.other.remotes().await.unwrap(), std::slice::from_ref(&full), "renamed, pins and all");
        let rival = RemoteRecord { name: "rival".to_owned(), ..full.clone() };
        assert!(db.store.put_remote("rival", &rival, Some(&audit("remote add"))).await.is_err(), "an installation has one name");
        assert_eq!(db.number("SELECT COUNT(*) FROM audit").await, 0, "what did not happen is not recorded");
        assert_eq!(db.other.remotes().await.unwrap(), std::slice::from_ref(&full), "and nothing of the attempt stays");
        let agent = SshRecord {
            user: "lxcd".to_owned(),
            port: 22,
            way: SshWay::Agent,
            secret: None,
            directory: None,
            hosts: Vec::new(),
        };
        let other = RemoteRecord { ssh: Some(agent), ..full };
        db.store.put_remote("büro", &other, None).await.unwrap();
        assert_eq!(db.other.remotes().await.unwrap(), [other], "another access in the place of the first");
        db.store.put_remote("büro", &bare, None).await.unwrap();
        assert_eq!(db.other.remotes().await.unwrap(), [bare], "and none again");
        assert_eq!(db.number("SELECT COUNT(*) FROM ssh").await, 0);
    }

    async fn there_is_one_default_remote(db: Db) {
        db.store.put_remote("one", &remote("one"), None).await.unwrap();
        let two = RemoteRecord { installation: lxc_core::ids::Installation("cd".repeat(32)), ..remote("two") };
        db.store.put_remote("two", &two, None).await.unwrap();
        let defaults: Vec<bool> = db.store.remotes().await.unwrap().iter().map(|row| row.is_default).collect();
        assert_eq!(defaults, [false, true]);
    }

    async fn a_removed_remote_takes_its_pins_and_containers_along(db: Db) {
        let pin = Pin {
            url: "https://a".to_owned(),
            node: None,
            fingerprint: "AA".to_owned(),
            source: "node".to_owned(),
            not_after: None,
        };
        db.store.put_remote("lab", &RemoteRecord { pins: vec![pin], ..remote("lab") }, Some(&audit("remote add"))).await.unwrap();
        db.store.record_containers(&installation(), &[container(104)], &[], &[], T0).await.unwrap();
        db.store.remove_remote("lab", &installation(), &audit("remote remove")).await.unwrap();
        assert!(db.store.remotes().await.unwrap().is_empty());
        assert!(db.store.containers(None).await.unwrap().is_empty());
        assert_eq!(db.number("SELECT COUNT(*) FROM pin").await, 0);
        assert_eq!(db.number("SELECT COUNT(*) FROM container").await, 1, "closed, not gone");
    }

    async fn an_older_sample_overrides_nothing_newer(db: Db) {
        let mut row = container(104);
        (row.power, row.node, row.observed) = (Some(Power::Running), "pve2".to_owned(), T0 + 10 * S);
        db.store.record_containers(&installation(), std::slice::from_ref(&row), &[], &[], T0).await.unwrap();
        let mut older = row.clone();
        (older.power, older.node, older.observed) = (None, "pve1".to_owned(), T0);
        older.name = Some("renamed".to_owned());
        db.store.record_containers(&installation(), std::slice::from_ref(&older), &[], &[], T0).await.unwrap();
        let now = db.other.container(&row.installation, 104).await.unwrap().unwrap();
        assert_eq!((now.power, now.node.as_str(), now.observed), (Some(Power::Running), "pve2", T0 + 10 * S));
        assert_eq!(now.name.as_deref(), Some("renamed"), "names do not come from the live state");
        let mut newer = older;
        (newer.power, newer.observed, newer.gone_since) = (None, T0 + 11 * S, Some(T0 + 11 * S));
        db.store.record_containers(&installation(), std::slice::from_ref(&newer), &[], &[], T0).await.unwrap();
        let now = db.other.container(&row.installation, 104).await.unwrap().unwrap();
        assert_eq!((now.power, now.gone_since), (None, Some(T0 + 11 * S)));
    }

    async fn closing_and_opening_an_incarnation_is_one_transaction(db: Db) {
        let (old, new) = (container(104), container(104));
        db.store.record_containers(&installation(), std::slice::from_ref(&old), &[], &[], T0).await.unwrap();
        let both = db.store.record_containers(&installation(), std::slice::from_ref(&new), &[], &[], T0).await;
        assert!(both.is_err(), "one open row per container");
        db.store.record_containers(&installation(), std::slice::from_ref(&new), &[old.id], &[], T0).await.unwrap();
        let open: Vec<_> = db.store.containers(None).await.unwrap().into_iter().map(|row| row.id).collect();
        assert_eq!(open, [new.id]);
    }

    async fn a_change_of_a_remote_and_its_record_are_one(db: Db) {
        db.store.put_remote("lab", &remote("lab"), Some(&audit("remote add"))).await.unwrap();
        let full = if db.sqlite {
            "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END"
        } else {
            "ALTER TABLE audit ADD CONSTRAINT no_more CHECK (id < 0) NOT VALID"
        };
        assert!(db.accepts(full).await);
        let renamed = RemoteRecord { name: "home".into(), ..remote("lab") };
        assert!(db.store.put_remote("lab", &renamed, Some(&audit("remote set"))).await.is_err());
        assert!(db.store.remove_remote("lab", &installation(), &audit("remote remove")).await.is_err());
        let names: Vec<_> = db.other.remotes().await.unwrap().into_iter().map(|remote| remote.name).collect();
        assert_eq!(names, ["lab"], "unrecorded, undone");
    }

    async fn audit_is_filtered_and_reads_as_written(db: Db) {
        let row = |verb: &str, target: &str, result: Option<&str>| AuditRecord {
            target: target.to_owned(),
            result: result.map(str::to_owned),
            ended: None,
            ..audit(verb)
        };
        let rows = [row("remote add", "lab", Some("done")), row("start", "lab/104", None), row("stop", "lab2/1", Some("denied"))];
        for row in &rows {
            db.store.audit(row).await.unwrap();
        }
        let base = AuditFilter { limit: 10, ..AuditFilter::default() };
        let read = async |filter: AuditFilter| -> Vec<String> {
            db.other.audit_rows(&filter).await.unwrap().into_iter().map(|row| row.verb).collect()
        };
        assert_eq!(read(base.clone()).await, ["remote add", "start", "stop"]);
        assert_eq!(read(AuditFilter { target: "lab".into(), ..base.clone() }).await, ["remote add", "start"]);
        assert_eq!(read(AuditFilter { failed: true, ..base.clone() }).await, ["stop"]);
        assert!(read(AuditFilter { since: Some(T0 + 1), ..base.clone() }).await.is_empty());
        let mut first = db.other.audit_rows(&AuditFilter { verb: "remote add".into(), ..base }).await.unwrap();
        first[0].id = 0;
        assert_eq!(first[0], rows[0]);
    }

    async fn what_was_set_is_read(db: Db) {
        assert_eq!(db.store.meta("key").await.unwrap(), None);
        db.store.set_meta("key", "one").await.unwrap();
        db.other.set_meta("key", "zwei").await.unwrap();
        assert_eq!(db.store.meta("key").await.unwrap().as_deref(), Some("zwei"));
    }
}

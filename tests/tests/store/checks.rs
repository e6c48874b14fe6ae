//! The schema itself refuses what must not be, whoever writes it.

use super::make::{S, admitted, daemon};

on_both! {
    async fn wrong_states_are_refused(db: Db) {
        let me = daemon(&db.store, "a", 3_600 * S).await;
        let op = admitted(&db.store, me, 104).await;
        let id = op.id;
        assert!(db.accepts(&format!("UPDATE operation SET node = 'pve2' WHERE id = '{id}'")).await);
        for bad in [
            format!("UPDATE operation SET state = 'sleeping' WHERE id = '{id}'"),
            format!("UPDATE operation SET state = 'succeeded' WHERE id = '{id}'"),
            format!("UPDATE operation SET finished_us = 1 WHERE id = '{id}'"),
            format!("UPDATE operation SET outcome = '{{}}' WHERE id = '{id}'"),
            format!("UPDATE operation SET owner = NULL WHERE id = '{id}'"),
            format!("UPDATE operation SET cancel = 2 WHERE id = '{id}'"),
            format!("UPDATE operation SET weight = 'light' WHERE id = '{id}'"),
            format!("UPDATE operation SET request_id = 'nobody' WHERE id = '{id}'"),
            format!("UPDATE step SET state = 'walking' WHERE operation_id = '{id}'"),
            "UPDATE step SET operation_id = 'nobody'".to_owned(),
            "INSERT INTO container_lock VALUES ('x', 1, 'nobody', 1)".to_owned(),
            format!("INSERT INTO container_lock SELECT installation, vmid, operation_id, 2 FROM container_lock WHERE operation_id = '{id}'"),
            "INSERT INTO event (operation_id, time_us, type, detail, installation, vmid, container_id, target, data) VALUES ('x', 1, 'log', 1, 'x', 1, 'x', 'x', '{}')".to_owned(),
            format!("INSERT INTO event (operation_id, seq, time_us, type, detail, installation, vmid, container_id, target, data) VALUES ('{id}', 1, 1, 'log', 1, 'x', 1, 'x', 'x', '{{}}')"),
            "INSERT INTO event (time_us, type, detail, installation, vmid, container_id, target, data) VALUES (1, 'log', 3, 'x', 1, 'x', 'x', '{}')".to_owned(),
        ] {
            assert!(!db.accepts(&bad).await, "accepted: {bad}");
        }
    }

    async fn wrong_containers_and_pins_are_refused(db: Db) {
        db.store.record_containers(&super::make::installation(), &[super::make::container(104)], &[], &[], 1).await.unwrap();
        db.store.put_remote("lab", &super::make::remote("lab"), None).await.unwrap();
        assert!(db.accepts("UPDATE container SET power = NULL").await);
        for bad in [
            "UPDATE container SET power = 'paused'",
            "UPDATE container SET lifecycle = 'tired'",
            "UPDATE remote SET is_default = 7",
            "INSERT INTO pin (remote, url, fingerprint, source) VALUES ('lab', 'u', 'f', 'rumour')",
            "INSERT INTO pin (remote, url, fingerprint, source) VALUES ('nobody', 'u', 'f', 'person')",
        ] {
            assert!(!db.accepts(bad).await, "accepted: {bad}");
        }
    }
}

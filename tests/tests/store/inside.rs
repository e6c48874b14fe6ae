//! What was found inside containers: kept by incarnation, told to whoever lists, gone with its container.

use std::net::IpAddr;

use lxc_core::record::{ContainerRecord, Inside};
use lxc_core::services::{Kind, Problem, Service, Services, Status};

use super::make::{S, T0, container, installation};

fn service(name: &str, status: Status) -> Service {
    Service {
        name: name.to_owned(),
        kind: Kind::Openrc,
        status,
        port: Some(65_535),
        ports: vec![80, 65_535],
        url: Some("https://[fd00::1]".to_owned()),
        detail: "ä".to_owned(),
        secrets: 2,
    }
}

fn services() -> Services {
    Services {
        services: vec![service("a", Status::Running), service("b", Status::Error)],
        system: vec![service("c", Status::Starting)],
        others: [("d".to_owned(), 3)].into(),
        problems: vec![Problem { part: "docker".to_owned(), why: "it hangs".to_owned() }],
    }
}

on_both! {
    async fn what_was_found_is_read_as_it_was_written(db: Db) {
        let (here, row) = (installation(), container(104));
        let ips: Vec<IpAddr> = ["10.0.0.4", "fd00::4"].map(|ip| ip.parse().unwrap()).to_vec();
        assert!(!db.store.write_services(&here, row.id, &services(), &ips, T0).await.unwrap());
        assert_eq!(db.number("SELECT COUNT(*) FROM services").await, 0, "of a container that nobody knows");
        db.store.record_containers(&here, &[row.clone(), container(105)], &[], &[], T0).await.unwrap();
        assert_eq!(db.other.services(row.id).await.unwrap(), Default::default());
        assert!(db.store.write_services(&here, row.id, &services(), &ips, T0).await.unwrap());
        let known = db.other.services(row.id).await.unwrap();
        let looked = known.looked.clone().unwrap();
        assert_eq!((&looked.services, &looked.addresses, looked.checked), (&services(), &ips, T0));
        let inside = Inside {
            healthy: 1,
            total: 2,
            addresses: ["10.0.0.4", "fd00::4"].map(str::to_owned).to_vec(),
            checked: T0,
        };
        let full = ContainerRecord { inside: Some(inside), ..row.clone() };
        assert_eq!(full.addresses(), ["10.0.0.4", "fd00::4"], "Proxmox tells none");
        assert_eq!(db.other.container(&here, 104).await.unwrap(), Some(full.clone()));
        let listed: Vec<_> = db.other.containers(None).await.unwrap().into_iter().map(|row| row.inside).collect();
        assert_eq!(listed, [full.inside.clone(), None]);

        // A failure leaves it, and the next look takes the failure away.
        db.store.write_no_services(row.id, "no route", T0 + S).await.unwrap();
        let failed = db.other.services(row.id).await.unwrap();
        assert_eq!((failed.looked, failed.trouble), (known.looked, Some(("no route".to_owned(), T0 + S))));
        db.store.write_services(&here, row.id, &services(), &ips, T0 + 2 * S).await.unwrap();
        assert_eq!(db.other.services(row.id).await.unwrap().trouble, None);
        sqlx::query("UPDATE services SET found = '{\"of\": \"a newer lxcd\"}'").execute(&db.raw).await.unwrap();
        assert_eq!(db.other.services(row.id).await.unwrap().looked, None);
        // What never went well has only that.
        let never = db.other.container(&here, 105).await.unwrap().unwrap().id;
        db.store.write_no_services(never, "no route", T0).await.unwrap();
        assert_eq!(db.other.services(never).await.unwrap().looked, None);
        assert_eq!(db.other.container(&here, 105).await.unwrap().unwrap().inside, None);
    }

    /// Others read what is newer by number: one that shows the same is no news.
    async fn only_what_shows_is_news(db: Db) {
        let (here, row) = (installation(), container(104));
        db.store.record_containers(&here, std::slice::from_ref(&row), &[], &[], T0).await.unwrap();
        let version = async || db.other.polling().await.unwrap()[0].1.version;
        let write = async |services: &Services, at| {
            let before = version().await;
            let told = db.store.write_services(&here, row.id, services, &[], at).await.unwrap();
            assert_eq!(told, version().await > before);
            let newer = db.other.newer(&here, before).await.unwrap().rows;
            assert_eq!(told, newer.iter().any(|row| row.inside.as_ref().is_some_and(|inside| inside.checked == at)));
            told
        };
        assert!(write(&services(), T0).await);
        assert!(!write(&services(), T0 + S).await);
        let detail = Services { problems: Vec::new(), ..services() };
        assert!(!write(&detail, T0 + 2 * S).await, "a listing does not show that");
        assert_eq!(db.other.services(row.id).await.unwrap().looked.unwrap().services, detail, "it is kept all the same");
        let mut well = services();
        well.services[1].status = Status::Running;
        assert!(write(&well, T0 + 3 * S).await);
        // A poll that writes the row anew leaves it.
        db.store.record_containers(&here, std::slice::from_ref(&row), &[], &[], T0).await.unwrap();
        assert_eq!(db.other.container(&here, 104).await.unwrap().unwrap().inside.unwrap().healthy, 2);
    }

    async fn it_goes_with_its_container(db: Db) {
        let (here, rows) = (installation(), [container(104), container(105)]);
        db.store.record_containers(&here, &rows, &[], &[], T0).await.unwrap();
        for row in &rows {
            db.store.write_services(&here, row.id, &services(), &[], T0).await.unwrap();
        }
        db.store.record_containers(&here, &[], &[rows[0].id], &[], T0).await.unwrap();
        assert_eq!(db.other.services(rows[0].id).await.unwrap().looked, None);
        assert!(db.other.services(rows[1].id).await.unwrap().looked.is_some());
        assert!(!db.store.write_services(&here, rows[0].id, &services(), &[], T0).await.unwrap());
        db.store.write_no_services(rows[0].id, "late", T0).await.unwrap();
        assert_eq!(db.number("SELECT COUNT(*) FROM services").await, 1, "a look that ends late writes nothing");
        assert!(!db.accepts("UPDATE services SET found = NULL").await);
    }
}

//! `lxcd db`: upgrading, pruning and exporting, beside a running lxcd where that may be. Real processes.

use lxc_tests::harness::{Postgres, Setup, World, ct, running};
use lxcd::store::Store;
use serde_json::Value;

/// A new database and the configuration of lxcd on it; None without Postgres.
fn database() -> Option<(&'static Postgres, String, String)> {
    let postgres = Postgres::shared()?;
    let template = postgres.template(|url| {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async { Store::open_postgres(url).await.expect("a schema").close().await });
    });
    let name = postgres.create(Some(template));
    let config = format!("database = \"{}\"", postgres.url(&name));
    Some((postgres, name, config))
}

/// What `lxcd db …` says, on stdout and stderr.
fn db(world: &World, words: &[&str]) -> (bool, String, String) {
    let output = world.daemon.output(&[&["db"], words].concat());
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn postgres_is_upgraded_by_hand_only() {
    let Some((postgres, name, config)) = database() else { return };
    let mut world = Setup::default().unregistered().config(&config).start();
    world.daemon.stop();
    // As the first version left it.
    let first = "SELECT format('INSERT INTO _sqlx_migrations VALUES (%s, %L, now(), true, %L, 0)', version, \
                 description, checksum) FROM _sqlx_migrations WHERE version = 1";
    let first = postgres.sql(&name, first);
    let table = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
                 installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, \
                 execution_time BIGINT NOT NULL)";
    postgres.sql(&name, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    postgres.sql(&name, include_str!("../../migrations/postgres/0001_init.sql"));
    postgres.sql(&name, &format!("{table}; {first}"));
    let refused = world.daemon.output(&[]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(5), "{said}");
    assert!(said.contains("error[LXC0516]") && said.contains("lxcd db upgrade"), "{said}");
    assert!(!db(&world, &["prune", "--dry-run"]).0, "nothing else touches it either");
    let (done, out, err) = db(&world, &["upgrade"]);
    assert!(done && out.contains("had schema 1 and has"), "{out}{err}");
    assert!(db(&world, &["upgrade"]).1.contains("is up to date"));
    world.daemon.start();
    world.ctl("ls").exits(0).says("No Proxmox is known here yet");
    // Others may run meanwhile.
    assert!(db(&world, &["upgrade"]).0);
}

#[test]
fn pruning_says_what_it_does() {
    let retention = "[retention]\naudit_days = 1\nevents_days = 1\noperations_days = 1\nrequests_days = 1";
    for on_postgres in [false, true] {
        let (server, config) = match on_postgres {
            false => (None, retention.to_owned()),
            true => {
                let Some((postgres, name, config)) = database() else { return };
                (Some((postgres, name)), format!("{config}\n{retention}"))
            }
        };
        let world =
            Setup::default().containers([running(104, "web-1"), ct(105, "web-2")]).config(&config).start();
        world.ctl("stop 104").exits(0);
        assert!(db(&world, &["prune"]).1.contains("removed nothing"));
        let older = "UPDATE operation SET created_us = created_us - 172800000000, started_us = started_us - 172800000000, \
                     finished_us = finished_us - 172800000000; UPDATE event SET time_us = time_us - 172800000000";
        match &server {
            Some((postgres, name)) => drop(postgres.sql(name, older)),
            None => world.block_on(async {
                sqlx::any::install_default_drivers();
                let url = format!("sqlite://{}", world.daemon.state().join("lxcd.db").display());
                let raw = sqlx::AnyPool::connect(&url).await.expect("opened");
                sqlx::raw_sql(older).execute(&raw).await.expect("aged");
            }),
        }
        let (done, out, err) = db(&world, &["prune", "--dry-run"]);
        assert!(done && out.starts_with("would remove ") && out.contains("1 operation"), "{out}{err}");
        world.ctl("op ls").prints("stop");
        let would = out.replace("would remove", "removed");
        assert_eq!(db(&world, &["prune"]).1, would, "just that");
        assert!(!world.ctl("op ls").out.contains("stop"));
        world.ctl("audit ls").prints("stop");
    }
}

#[test]
fn an_export_has_everything_a_line_each() {
    let configs = [Some(String::new()), database().map(|(_, _, config)| config)];
    for config in configs.into_iter().flatten() {
        let world = Setup::default().containers([running(104, "web-1")]).config(&config).start();
        world.ctl("stop 104").exits(0);
        world.ctl("start 104").exits(0);
        let (done, out, err) = db(&world, &["export"]);
        assert!(done, "{err}");
        let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let of = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).collect::<Vec<_>>();
        let operations = of("Operation");
        assert_eq!(operations.len(), 2);
        assert_eq!((&operations[0]["verb"], &operations[0]["state"]), (&"stop".into(), &"succeeded".into()));
        assert!(
            operations[0]["created"].as_str().is_some_and(|time| time.ends_with('Z')),
            "{}",
            operations[0]
        );
        let started = of("Event").into_iter().filter(|event| event["type"] == "started").count();
        assert_eq!(started, 1, "{out}");
        assert!(of("AuditRecord").iter().any(|record| record["actor"]["name"].is_string()));
        assert!(!out.contains("token_secret") && !out.contains("null_us"));
        assert!(of("Event").iter().all(|event| event.get("name").is_some()), "every field always there");
    }
}

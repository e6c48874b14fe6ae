//! What somebody has added for themselves, who it is shared with, and tokens of one's own.

use lxc_tests::harness::{Cli, Postgres, SECRET, TOKEN, World, ct, until};
use lxc_tests::pvesim::SimConfig;
use lxcd::store::Store;

use super::{open_to_all, someone, world, world_of};

/// A remote `lab` with the container `lab/201` that the user `daemon` (uid 1) has added for themselves.
fn lab(world: &World) -> (lxc_tests::pvesim::Sim, Cli) {
    let owner = someone(world, "1");
    let sim = world.another_sim(|mut config| {
        config.population = Some(vec![ct(201, "lab-1")]);
        config
    });
    let line = format!(
        "remote add lab {} --token-id {TOKEN} --token-secret-stdin --fingerprint {}",
        sim.url(),
        sim.fingerprint()
    );
    owner.run_with(&line, SECRET).exits(0);
    (sim, owner)
}

const THREE: &str = "[roles]\nadmin = [\"root\", \"daemon\"]\noperator = [\"nobody\"]";

#[test]
fn what_is_somebodys_own_does_not_exist_for_others() {
    let Some((world, other)) = world(THREE) else { return };
    let (_sim, owner) = lab(&world);
    owner.run("start lab/201").exits(0);
    let id = owner.run("op ls lab/201 -o name").exits(0).out.trim().to_owned();
    // What root adds is everybody's who has a role.
    other.run("show homelab/104").exits(0);
    for line in [
        "show lab/201",
        "start lab/201",
        "delete lab/201 --yes",
        "events lab/201",
        "op ls lab/201",
        "ls --remote lab",
        "remote show lab",
        "remote test lab",
        "remote doctor lab",
        "remote share lab nobody --role viewer",
        "remote remove lab --yes",
    ] {
        other.run(line).exits(3);
    }
    for line in ["op show", "op watch", "op cancel", "op log"] {
        other.run(&format!("{line} {id}")).fails("LXC0303");
    }
    for line in ["ls", "events", "op ls", "audit ls", "remote ls", "node ls", "daemon status", "whoami"] {
        let run = other.run(&format!("{line} -o json"));
        assert!(!run.exits(0).out.contains("\"lab/") && !run.out.contains("\"lab\""), "{run}");
    }
    // Its owner is admin there; root sees everything.
    owner.run("whoami").exits(0).prints("the owner of lab");
    world.ctl("ls -o name").exits(0).prints("lab/201");
    owner.run("delete lab/201 --yes").exits(0);
    // What was somebody's own stays theirs when it is gone.
    owner.run("remote remove lab --yes").exits(0);
    let run = other.run("audit ls -o json");
    assert!(!run.exits(0).out.contains("\"lab"), "{run}");
    world.ctl("audit ls").exits(0).prints("lab/201");
}

#[test]
fn sharing_opens_and_closes() {
    let Some((world, other)) = world(THREE) else { return };
    let (_sim, owner) = lab(&world);
    owner.run("remote share lab @nogroup --role viewer").exits(0).prints("shared with @nogroup as viewer");
    other.run("show lab/201").exits(0);
    other.run("start lab/201").fails("LXC0601").says("ask daemon, the owner of lab");
    let mut following = other.spawn("events --follow -o jsonl");
    owner.run("remote share lab nobody --role operator").exits(0);
    other.run("start lab/201").exits(0);
    following.wait_for("\"started\"");
    other.run("delete lab/201 --yes").fails("LXC0601").says("shared with nobody");
    other.run("remote share lab games --role viewer").fails("LXC0601");
    other.run("whoami").exits(0).prints("shared with nobody");
    let shown = owner.run("remote show lab -o json").exits(0).json();
    assert_eq!(shown["shares"].as_array().map(Vec::len), Some(2), "{shown}");
    // A name of another domain is somebody else.
    owner.run("remote unshare lab nobody --domain elsewhere").fails("LXC0214");
    owner.run("remote unshare lab nobody").exits(0);
    owner.run("remote unshare lab @nogroup").exits(0);
    owner.run("remote share lab nobody --role admin --domain elsewhere").exits(0);
    other.run("show lab/201").exits(3);
    other.run("start lab/201").exits(3);
    owner.run("remote share lab 'a b' --role viewer").fails("LXC0214");
    owner.run("remote share lab bob --role king").exits(2);
    let audit = world.ctl("audit ls --verb 'remote share' -o json").exits(0).json();
    assert_eq!(audit["items"][0]["actor"]["name"], "daemon", "{audit}");
    assert!(
        audit["items"][0]["detail"].as_str().is_some_and(|said| said.contains("@nogroup of ")),
        "{audit}"
    );
    world.ctl("audit ls --verb 'remote unshare'").exits(0).prints("lab");
    // Shares outlive a restart and a new name.
    let mut world = world;
    owner.run("remote share lab nobody --role viewer").exits(0);
    owner.run("remote set lab --name attic").exits(0);
    world.daemon.stop();
    world.daemon.start();
    open_to_all(&world, &world.daemon.socket());
    other.run("ls --remote attic -o name").exits(0).prints("attic/201");
    other.run("ls --remote lab").exits(3);
}

#[test]
fn the_same_name_in_another_domain_is_somebody_else() {
    let Some(postgres) = Postgres::shared() else { return };
    let template = postgres.template(|url| {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async { Store::open_postgres(url).await.expect("a schema").close().await });
    });
    let database = format!("database = \"{}\"", postgres.url(&postgres.create(Some(template))));
    let here = format!("{database}\nidentity_domain = \"here\"\n{THREE}");
    let Some((world, _)) = world(&here) else { return };
    let elsewhere = here.replace("\"here\"", "\"elsewhere\"");
    let (second, _) = world.another_daemon("second", &elsewhere);
    open_to_all(&world, &second.socket());
    let there = |uid: &str| someone(&world, uid).env("LXCCTL_SOCKET", second.socket());

    let (_sim, owner) = lab(&world);
    owner.run("whoami").exits(0).prints("daemon (uid 1) on here");
    owner.run("show lab/201").exits(0);
    there("1").run("whoami").exits(0).prints("daemon (uid 1) on elsewhere");
    until("the second to know the remote", || {
        let run = Cli::new(&second.socket()).run("remote ls -o name");
        if run.out.contains("lab\n") { Ok(()) } else { Err(run.to_string()) }
    });
    there("1").run("show lab/201").exits(3);
    owner.run("remote share lab nobody --role viewer --domain elsewhere").exits(0);
    until("the share to be known there", || {
        let run = there("65534").run("show lab/201");
        if run.code == 0 { Ok(()) } else { Err(run.to_string()) }
    });
    someone(&world, "65534").run("show lab/201").exits(3);
}

#[test]
fn a_token_of_ones_own_does_ones_own_work() {
    let own = "ann@pve!own";
    let setup = |config: SimConfig| {
        let config = config.token("ann@pve!own=anns-own-secret");
        config.token("ann@pve!weak=anns-weak-secret:VM.Audit")
    };
    let Some((mut world, ann)) = world_of(THREE, setup) else { return };
    let line = format!("remote login homelab --token-id {own} --token-secret-stdin");
    ann.run_with(&line, "wrong").fails("LXC0603");
    ann.run_with(&line.replace("homelab", "nosuch"), "x").fails("LXC0302");
    ann.run("remote logout homelab").fails("LXC0214");
    ann.run(&format!("remote login homelab --token-id {own}")).fails("LXC0206");
    ann.run_with(&line, "anns-own-secret").exits(0).prints("done with ann@pve!own");
    ann.run("remote show homelab").exits(0).prints("your token").prints(own);
    let others = world.ctl("remote show homelab");
    assert!(!others.exits(0).out.contains("ann@pve"), "it is hers: {others}");

    // Her work is hers on Proxmox too, also when its reply is lost and it has to be found again.
    world.sim.control().add_fault("lost-after:POST:*/status/start").expect("a fault");
    let id = ann.run("start 105 --detach").exits(0).operation();
    ann.run(&format!("op wait {id}")).exits(0);
    ann.run(&format!("op show {id}")).exits(0).prints(":ann@pve!own:");
    let starts = world.calls().iter().filter(|call| call.contains("105/status/start")).count();
    assert_eq!(starts, 1, "{:?}", world.calls());
    let id = world.ctl("stop 105 --detach").exits(0).operation();
    world.ctl(&format!("op wait {id}")).exits(0);
    world.ctl(&format!("op show {id}")).exits(0).prints(":lxcd@pve!cli:");

    // It outlives a restart and is nowhere to be read; it opens no more than Proxmox gives it.
    world.daemon.stop();
    let stored = std::fs::read(world.daemon.state().join("lxcd.db")).expect("a database");
    assert!(!stored.windows(15).any(|window| window == b"anns-own-secret"));
    world.daemon.start();
    open_to_all(&world, &world.daemon.socket());
    ann.run("start 105").exits(0);
    let weak = line.replace("!own", "!weak");
    ann.run_with(&weak, "anns-weak-secret").exits(0);
    ann.run("stop 105").fails("LXC0602");
    ann.run("remote logout homelab").exits(0).prints("done with lxcd@pve!cli");
    ann.run("stop 105").exits(0);
    let audit = world.ctl("audit ls --actor nobody -o json").exits(0).json().to_string();
    assert!(
        audit.contains("remote login") && audit.contains("remote logout") && audit.contains(own),
        "{audit}"
    );
    assert!(!audit.contains("secret"), "{audit}");
}

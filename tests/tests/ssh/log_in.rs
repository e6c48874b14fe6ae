//! Who is believed and who is let in.

use std::process::{Child, Command, Stdio};

use lxc_core::job::JobExit;
use lxc_core::ports::JobError;
use lxc_tests::harness::ssh::new_key;
use lxc_tests::harness::until;
use lxcd::ssh::{Auth, HostKeyPin};

use super::lab::{Lab, shell};

#[tokio::test]
async fn a_host_without_a_pin_is_told_nothing() {
    let Some(lab) = Lab::new() else { return };
    lab.access.lock().host_key = None;
    let asked = lab.jobs.check(&lab.node, &[]).await;
    assert_eq!(asked, Err(JobError::HostKeyUnknown { fingerprint: lab.server.fingerprint() }));
    // Nobody has even tried to log in: the next one that is let in is the first.
    assert_eq!(lab.server.commands(), 0);
    assert!(lab.clock.0.lock().is_empty());
}

#[tokio::test]
async fn a_host_with_another_key_is_not_believed() {
    let Some(mut lab) = Lab::new() else { return };
    let job = shell("exit 0");
    assert_eq!(lab.run(&job).await.1, JobExit::Code(0));
    lab.server.change_host_key();
    let before = lab.server.commands();
    // What was open before goes on with the old server; a new connection does not.
    lab.access.lock().host = "localhost".to_owned();
    let fingerprint = lab.server.fingerprint();
    let asked = lab.start(&job).await;
    assert_eq!(asked, Err(JobError::HostKeyChanged { fingerprint: fingerprint.clone() }));
    assert_eq!(lab.server.commands(), before);
    lab.access.lock().host_key = Some(HostKeyPin::parse(&fingerprint).unwrap());
    assert_eq!(lab.run(&job).await.1, JobExit::Code(0));
}

#[tokio::test]
async fn a_key_nobody_knows_is_refused_in_words() {
    let Some(lab) = Lab::new() else { return };
    let stranger = std::fs::read_to_string(lab.server.stranger()).unwrap();
    for (key, words) in [
        (stranger.as_str(), "with the key ssh-ed25519 SHA256:"),
        (stranger.as_str(), "; it takes publickey"),
        ("no key", "cannot be read"),
    ] {
        lab.access.lock().auth = Auth::Key(key.into());
        let Err(JobError::Refused(why)) = lab.jobs.check(&lab.node, &[]).await else { panic!("let in") };
        assert!(why.contains(words) && !why.contains("PRIVATE"), "{why}");
    }
    lab.access.lock().auth = Auth::Password("hunter2".into());
    let Err(JobError::Refused(why)) = lab.jobs.check(&lab.node, &[]).await else { panic!("let in") };
    assert!(why.contains("a password") && !why.contains("hunter2"), "{why}");
    // Asking again would not help.
    assert!(lab.clock.0.lock().is_empty());
}

#[tokio::test]
async fn keys_of_every_kind_are_taken() {
    let Some(lab) = Lab::new() else { return };
    for kind in ["rsa", "ecdsa", "ed25519"] {
        let path = lab.server.directory().join(kind);
        new_key(&path, kind);
        lab.server.authorize(&path.with_extension("pub"));
        lab.access.lock().auth = Auth::Key(std::fs::read_to_string(&path).unwrap().into());
        assert_eq!(lab.run(&shell("exit 3")).await.1, JobExit::Code(3), "{kind}");
    }
}

/// An agent of a test's own.
struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        // Ended already is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn an_agent_signs() {
    let Some(lab) = Lab::new() else { return };
    let socket = lab.server.directory().join("agent");
    lab.access.lock().auth = Auth::Agent(socket.clone());
    let Err(JobError::Refused(why)) = lab.jobs.check(&lab.node, &[]).await else { panic!("let in") };
    assert!(why.contains("agent"), "{why}");
    let agent = Command::new("ssh-agent").args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()).spawn();
    let _agent = Agent(agent.expect("ssh-agent starts"));
    until("the agent to listen", || if socket.exists() { Ok(()) } else { Err("no socket".to_owned()) });
    let Err(JobError::Refused(why)) = lab.jobs.check(&lab.node, &[]).await else { panic!("let in") };
    assert!(why.contains("has no keys"), "{why}");
    for key in [lab.server.stranger(), lab.server.key()] {
        let added = Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &socket).status();
        assert!(added.unwrap().success());
    }
    assert_eq!(lab.run(&shell("exit 3")).await.1, JobExit::Code(3));
}

//! The program `pvesim` as a user starts it.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use lxc_tests::pvesim::Ready;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn start(dir: &Path, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_pvesim"))
        .args(["--ready-file".as_ref(), dir.join("ready.json").as_os_str()])
        .args(arguments)
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts")
}

fn ready(dir: &Path) -> Ready {
    let path = dir.join("ready.json");
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        // It appears whole or not at all, so the first readable content is the right one.
        if let Ok(text) = std::fs::read_to_string(&path) {
            return serde_json::from_str(&text).expect("ready file");
        }
        assert!(Instant::now() < end, "no {}", path.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn end(mut child: Child, signal: Signal) -> ExitStatus {
    kill(Pid::from_raw(i32::try_from(child.id()).expect("pid")), signal).expect("signalled");
    child.wait().expect("ended")
}

#[test]
fn it_says_where_it_listens_and_ends_on_a_signal() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let dir = tempfile::tempdir().expect("directory");
        let child = start(dir.path(), &["--nodes", "a,b,c", "--containers", "12", "--token", "root@pam!t=s"]);
        let ready = ready(dir.path());
        assert_eq!(ready.cluster.as_deref(), Some("simlab"));
        assert_eq!(ready.nodes.iter().map(|n| n.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(ready.nodes[0].url, ready.url);
        assert_eq!(end(child, signal).code(), Some(0));
    }
}

#[test]
fn a_state_directory_keeps_the_installation() {
    let dir = tempfile::tempdir().expect("directory");
    let state = dir.path().join("state");
    let arguments = ["--state-dir", state.to_str().expect("path")];
    let fingerprints: Vec<(String, String)> = (0..2)
        .map(|_| {
            let child = start(dir.path(), &arguments);
            let ready = ready(dir.path());
            end(child, Signal::SIGTERM);
            std::fs::remove_file(dir.path().join("ready.json")).expect("removed");
            (ready.fingerprint, ready.ca_fingerprint)
        })
        .collect();
    assert_eq!(fingerprints[0], fingerprints[1]);
}

#[test]
fn bad_arguments_are_named() {
    let dir = tempfile::tempdir().expect("directory");
    for (arguments, text) in [
        (&["--fault", "bogus"][..], "'bogus' is no fault"),
        (&["--token", "root@pam=x"], "names no token id"),
        (&["--speed", "0"], "--speed must be more than 0"),
        (&["--population", "/nonexistent.json"], "/nonexistent.json"),
    ] {
        let output = start(dir.path(), arguments).wait_with_output().expect("ended");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && stderr.contains(text), "{arguments:?}: {stderr}");
    }
}

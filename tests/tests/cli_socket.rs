//! The socket and the process behind it: who may connect, what happens when it dies, goes or is there
//! already.

use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::process::Stdio;

use lxc_tests::harness::{Setup, World, ct, running, until};
use nix::sys::signal::Signal;

fn error_of(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_dead_lxcd_leaves_nothing_in_the_way() {
    let mut world = World::with([ct(104, "web-1")]);
    world.daemon.kill();
    assert!(world.daemon.socket().exists(), "killed, it cannot clean up");
    world.ctl("ls").fails("LXC0801").says("connection refused").says("systemctl start lxcd");
    world.daemon.start();
    world.ctl("start 104").exits(0);
    assert!(world.daemon.stop().success());
    assert!(!world.daemon.socket().exists());
    world.ctl("ls").fails("LXC0801").says("there is no ");
}

#[test]
fn an_lxcd_that_hangs_is_given_up() {
    let world = World::with([ct(104, "web-1")]);
    world.daemon.signal(Signal::SIGSTOP);
    let waiting = world.begin("ls");
    let run = waiting.end();
    world.daemon.signal(Signal::SIGCONT);
    run.fails("LXC0801").says("lxcd does not answer").says("no answer to a ping");
    world.ctl("ls").exits(0);
}

#[test]
fn two_lxcd_never_share_anything() {
    let world = World::with([ct(104, "web-1")]);
    let second = world.daemon.output(&[]);
    assert_eq!(second.status.code(), Some(4));
    let error = error_of(&second);
    let pid = world.daemon.pid();
    assert!(
        error.contains("error[LXC0404]") && error.contains(&format!("process {pid} has the state directory")),
        "{error}"
    );
    // Another state directory, the same socket.
    let other = world.path().join("other.toml");
    let text = format!(
        "state_dir = \"{}\"\nsocket = \"{}\"\n",
        world.path().join("other").display(),
        world.daemon.socket().display()
    );
    std::fs::write(&other, text).expect("written");
    let third = std::process::Command::new(lxc_tests::harness::binary::program("lxcd"))
        .arg("--config")
        .arg(&other)
        .env_clear()
        .output()
        .expect("started");
    assert!(error_of(&third).contains("error[LXC0404]"), "{third:?}");
    world.ctl("ls").exits(0).prints("homelab/104");
    // Nor does a file that is no socket get removed.
    let file = world.path().join("file");
    std::fs::write(&file, "mine").expect("written");
    std::fs::write(
        &other,
        format!("state_dir = \"{}\"\nsocket = \"{}\"\n", world.path().join("o2").display(), file.display()),
    )
    .expect("written");
    let fourth = std::process::Command::new(lxc_tests::harness::binary::program("lxcd"))
        .arg("--config")
        .arg(&other)
        .env_clear()
        .output()
        .expect("started");
    assert!(error_of(&fourth).contains("error[LXC0604]"), "{fourth:?}");
    assert_eq!(std::fs::read_to_string(&file).expect("there"), "mine");
}

#[test]
fn a_path_no_socket_can_have() {
    let mut world = Setup::default().containers([]).unregistered().start();
    let long = format!("{}/{}.sock", world.path().display(), "x".repeat(120));
    world.ctl(&format!("--socket {long} ls")).fails("LXC0803").says("at most 107");
    world.daemon.stop();
    world.daemon.env("LXCD_SOCKET", &long);
    let output = world.daemon.output(&[]);
    assert!(error_of(&output).contains("error[LXC0803]"), "{output:?}");
    assert_eq!(output.status.code(), Some(8));
}

#[test]
fn systemd_may_hand_the_socket_over() {
    let mut world = World::with([ct(104, "web-1")]);
    world.daemon.stop();
    let path = world.daemon.socket();
    let listener = UnixListener::bind(&path).expect("bound");
    // A call that comes before lxcd runs waits for it.
    let early = world.begin("ls -o name");
    let mut command = world.daemon.command(&["--time-scale", "50"]);
    let arguments: Vec<_> = std::iter::once(command.get_program().to_owned())
        .chain(command.get_args().map(ToOwned::to_owned))
        .collect();
    // What systemd does: the socket is descriptor 3, and the variables name the process that gets it.
    command = std::process::Command::new("sh");
    command.args(["-c", "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\" 3<&0 </dev/null", "sh"]).args(arguments);
    let mut child =
        command.stdin(Stdio::from(OwnedFd::from(listener))).stderr(Stdio::null()).spawn().expect("started");
    early.end().exits(0).prints("homelab/104");
    world.ctl("start 104").exits(0);
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM)
        .expect("signalled");
    assert!(child.wait().expect("ended").success());
    assert!(path.exists(), "the socket is systemd's");
    std::fs::remove_file(&path).expect("removed");
    world.daemon.start();
}

#[test]
fn the_sockets_mode_and_group() {
    let mut world = Setup::default().containers([]).unregistered().start();
    let meta = std::fs::metadata(world.daemon.socket()).expect("there");
    assert!(meta.file_type().is_socket());
    assert_eq!(meta.permissions().mode() & 0o777, 0o660);
    let state = std::fs::metadata(world.daemon.state()).expect("there");
    assert_eq!(state.permissions().mode() & 0o777, 0o700);
    world.daemon.stop();
    world.daemon.configure("socket_group = \"no-such-group\"");
    let output = world.daemon.output(&[]);
    assert!(
        error_of(&output).contains("error[LXC0604]") && error_of(&output).contains("no-such-group"),
        "{output:?}"
    );
    assert!(!world.daemon.socket().exists(), "nothing is left of the attempt");
    if nix::unistd::geteuid().is_root() {
        world.daemon.configure("socket_group = \"nogroup\"");
        world.daemon.start();
        let gid =
            std::os::unix::fs::MetadataExt::gid(&std::fs::metadata(world.daemon.socket()).expect("there"));
        let wanted = nix::unistd::Group::from_name("nogroup").expect("readable").expect("there");
        assert_eq!(gid, wanted.gid.as_raw());
    }
}

#[test]
fn streams_end_and_their_watchers_come_back() {
    let mut world = World::with([running(104, "web-1")]);
    let mut following = world.begin("events --follow -o jsonl");
    let mut watching = world.begin("ls --watch -o jsonl");
    watching.wait_for("homelab/104");
    world.ctl("stop 104").exits(0);
    following.wait_for("\"type\":\"stopped\"");
    let began = std::time::Instant::now();
    assert!(world.daemon.stop().success());
    assert!(began.elapsed().as_secs() < 15, "open streams do not keep it from ending");
    world.daemon.start();
    world.ctl("start 104").exits(0);
    following.wait_for("\"type\":\"started\"");
    following.signal(Signal::SIGINT);
    let run = following.end();
    assert_eq!(run.out.matches("\"type\":\"stopped\"").count(), 1, "each once: {run}");
    drop(watching);
}

#[test]
fn the_daemon_says_how_it_is() {
    let world = World::with([ct(104, "web-1")]);
    let status = world.ctl("daemon status -o json").exits(0).json();
    assert_eq!(
        (status["pid"].as_i64(), &status["status"]),
        (Some(world.daemon.pid().as_raw().into()), &serde_json::json!("ok")),
        "{status}"
    );
    world.ctl("daemon").exits(0).prints("sqlite");
    world.sim.stop();
    until("it to be degraded", || {
        let run = world.ctl("daemon status");
        if run.out.contains("degraded") { Ok(()) } else { Err(run.out) }
    });
}

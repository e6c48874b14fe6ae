//! Figures for Prometheus: there only when asked for, and true.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use lxc_tests::harness::{Setup, ct, until};

/// What a plain HTTP client gets.
fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    answer
}

#[test]
fn prometheus_is_answered_where_the_configuration_says() {
    // A port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let world =
        Setup::default().containers([ct(104, "web-1")]).config(&format!("metrics = \"{free}\"")).start();
    world.ctl("start 104").exits(0);
    world.ctl("start 104").exits(5);
    let text = until("both to be counted", || {
        let text = get(&free.to_string(), "/metrics");
        let counted = text.contains("lxcd_operations_total{verb=\"start\",state=\"failed\"} 1");
        if counted { Ok(text) } else { Err(text) }
    });
    for line in [
        "HTTP/1.1 200 OK",
        "content-type: application/openmetrics-text",
        "lxcd_operations_total{verb=\"start\",state=\"succeeded\"} 1",
        "lxcd_operation_seconds_count{verb=\"start\"} 2",
        "lxcd_operations_running 0",
        "lxcd_operations_queued 0",
        "lxcd_pve_requests{remote=\"homelab\",what=\"dispatch\",status=\"200\"} 1",
        "lxcd_remote_reachable{remote=\"homelab\"} 1",
        "lxcd_degraded 0",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(get(&free.to_string(), "/").starts_with("HTTP/1.1 404"));
}

#[test]
fn requests_are_counted_by_what_became_of_them() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let world =
        Setup::default().containers([ct(104, "web-1")]).config(&format!("metrics = \"{free}\"")).start();
    let times = |status: &str| {
        let text = get(&free.to_string(), "/metrics");
        let line = format!("lxcd_pve_requests{{remote=\"homelab\",what=\"dispatch\",status=\"{status}\"}} ");
        let found = text.lines().find_map(|text| text.strip_prefix(&line).map(str::to_owned));
        (found, text)
    };
    let all = [
        ("596:POST:*/status/start:1", "59x"),
        ("lost-after:POST:*/status/stop:1", "lost"),
        ("http500:POST:*/status/start:1:no quorum", "500"),
    ];
    for (fault, status) in all {
        assert_eq!(times(status).0, None);
        world.sim.control().add_fault(fault).expect("a fault");
        let verb = if fault.contains("stop") { "stop" } else { "start" };
        // How it ends is tested elsewhere.
        world.ctl(&format!("{verb} 104 --if-needed"));
        let (found, text) = times(status);
        assert_eq!(found.as_deref(), Some("1"), "{status} in\n{text}");
    }
}

#[test]
fn an_address_that_cannot_be_is_said_at_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound");
    let mut world = Setup::default().unregistered().start();
    world.daemon.stop();
    for (value, what) in
        [(address.to_string(), "cannot serve metrics"), ("here".to_owned(), "must be an address")]
    {
        world.daemon.configure(&format!("metrics = \"{value}\""));
        let output = world.daemon.output(&[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("LXC0212") && said.contains(what), "{said}");
    }
}

#[test]
fn requests_with_somebodys_own_token_are_counted_too() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let world = Setup::default()
        .containers([ct(104, "web-1")])
        .config(&format!("metrics = \"{free}\""))
        .sim(|config| config.token("ann@pve!own=anns-own-secret"))
        .start();
    let login = "remote login homelab --token-id ann@pve!own --token-secret-stdin";
    world.cli.run_with(login, "anns-own-secret").exits(0);
    let id = world.ctl("start 104 --detach").exits(0).operation();
    world.ctl(&format!("op wait {id}")).exits(0);
    world.ctl(&format!("op show {id}")).exits(0).prints(":ann@pve!own:");
    let text = get(&free.to_string(), "/metrics");
    let line = "lxcd_pve_requests{remote=\"homelab\",what=\"dispatch\",status=\"200\"} 1\n";
    assert!(text.contains(line), "{text}");
}

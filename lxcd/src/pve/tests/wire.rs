//! Changes on the wire: once, on a connection of their own, and honest about what is not known.

use lxc_core::ports::{PveApi, PveError};
use lxc_core::pve::{Call, RefusalKind};

use super::server::{Reply, Server};
use super::{SECRET, client, client_with, options};
use crate::pve::{Class, Options, Trust};

const UPID: &str = "\"UPID:pve1:0003A1F2:01F0C3B7:6B01A463:vzstart:104:lxcd@pve!cli:\"";

async fn start(server: &Server) -> Result<lxc_core::pve::Upid, PveError> {
    client(server).dispatch("pve1", 104, &Call::Start).await
}

#[tokio::test]
async fn sends_what_proxmox_expects() {
    let server = Server::start(vec![Reply::data(UPID), Reply::data(UPID), Reply::data(UPID)]).await;
    let client = client(&server);
    assert_eq!(client.dispatch("pve1", 104, &Call::Start).await.unwrap().id, "104");
    let call = Call::Shutdown { timeout: 30, force_stop: true };
    client.dispatch("pve1", 104, &call).await.unwrap();
    let call = Call::Delete { force: true, destroy_unreferenced_disks: false };
    client.dispatch("pve1", 104, &call).await.unwrap();
    let requests = server.requests();
    assert!(requests[0].starts_with("POST /api2/json/nodes/pve1/lxc/104/status/start HTTP/1.1\r\n"));
    let token = format!("authorization: PVEAPIToken=lxcd@pve!cli={SECRET}\r\n");
    for request in &requests {
        assert!(request.contains(&token) && !request.to_lowercase().contains("transfer-encoding"));
    }
    assert!(requests[0].contains("content-length: 0\r\n"));
    assert!(requests[1].ends_with("\r\n\r\ntimeout=30&forceStop=1"));
    let line = requests[2].lines().next().unwrap();
    assert_eq!(
        line,
        "DELETE /api2/json/nodes/pve1/lxc/104?purge=1&force=1&destroy-unreferenced-disks=0 HTTP/1.1"
    );
    assert!(requests[2].ends_with("\r\n\r\n"));
    assert_eq!(server.connections(), 3, "each change has a connection of its own");
    assert_eq!((client.counters().of(Class::Dispatch), client.counters().total()), (3, 3));
    assert!(!format!("{client:?}").contains(SECRET));
}

#[tokio::test]
async fn a_change_never_uses_a_kept_connection() {
    let version = Reply::data("{\"version\":\"9.2\"}");
    let server = Server::start(vec![version.clone(), version, Reply::data(UPID)]).await;
    let client = client(&server);
    client.version().await.unwrap();
    client.version().await.unwrap();
    assert_eq!(server.connections(), 1);
    client.dispatch("pve1", 104, &Call::Start).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_lost_reply_is_lost_and_not_repeated() {
    let partial = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"data\":\"UPID:pv";
    let replies = [
        Reply::Cut(Vec::new()),
        Reply::Cut(b"HTTP/1.1 200 O".to_vec()),
        Reply::Cut(partial.into()),
        Reply::Silence,
        Reply::full("596 Connection timed out", ""),
        Reply::full("504 Gateway Timeout", "<html>"),
        Reply::full("200 OK", "<html>welcome</html>"),
        Reply::data("null"),
        Reply::full("301 Moved Permanently\r\nLocation: https://127.0.0.1:1/", ""),
        Reply::full("500 Internal Server Error", "<html>"),
    ];
    for reply in replies {
        let server = Server::start(vec![reply.clone()]).await;
        let error = start(&server).await.unwrap_err();
        assert!(matches!(error, PveError::Lost(_)), "{reply:?}: {error:?}");
        assert_eq!(server.requests().len(), 1, "{reply:?}");
    }
}

#[tokio::test]
async fn what_reached_nobody_is_not_delivered() {
    let server = Server::start(vec![Reply::full("595 No route to host", "")]).await;
    assert_eq!(start(&server).await, Err(PveError::NotDelivered("595 No route to host".into())));

    let mut server = Server::start(vec![]).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    server.url = format!("https://{closed}").parse().unwrap();
    let error = start(&server).await.unwrap_err();
    assert!(matches!(&error, PveError::NotDelivered(text) if text.contains("refused")), "{error:?}");

    server.url = "https://no-such-host.invalid".parse().unwrap();
    assert!(matches!(start(&server).await, Err(PveError::NotDelivered(_))));
}

#[tokio::test]
async fn refusals_speak_through_the_reason_phrase() {
    let message = "{\"data\":null,\"message\":\"CT is locked (backup)\\n\"}";
    let server = Server::start(vec![
        Reply::full("500 CT 104 already running", ""),
        Reply::full("500 something shorter", message),
        Reply::full("403 Permission check failed (/vms/104, VM.PowerMgmt)", "{\"data\":null}"),
    ])
    .await;
    let mut kinds = Vec::new();
    for _ in 0..3 {
        match start(&server).await {
            Err(PveError::Refused(refusal)) => kinds.push(refusal.kind),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(kinds[0], RefusalKind::AlreadyRunning);
    assert_eq!(kinds[1], RefusalKind::Locked("backup".into()));
    assert!(matches!(&kinds[2], RefusalKind::Permission { path: Some(path), .. } if path == "/vms/104"));
}

#[tokio::test]
async fn a_change_does_not_queue_behind_a_hanging_node() {
    let server = Server::start(vec![Reply::Silence]).await;
    let patience = std::time::Duration::from_millis(50);
    let options = Options { per_node: 1, change_patience: patience, ..options() };
    let client = client_with(&server, Trust { pins: vec![server.fingerprint], ca: None }, options);
    let (asked, changed) = tokio::join!(client.list_lxc("pve1"), async {
        // The question is sent first; the change then finds its node full.
        server.a_request().await;
        client.dispatch("pve1", 104, &Call::Start).await
    });
    assert!(matches!(asked, Err(PveError::Lost(_))));
    assert!(matches!(changed, Err(PveError::NotDelivered(_))), "{changed:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_handshake_that_hangs_is_not_delivered() {
    let mut server = Server::start(vec![]).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    server.url = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
    let connect = std::time::Duration::from_millis(200);
    let trust = Trust { pins: vec![server.fingerprint], ca: None };
    let client = client_with(&server, trust, Options { connect, ..options() });
    // Nobody ever takes the connection from the listener: TCP is there, TLS is not.
    let error = client.dispatch("pve1", 104, &Call::Start).await.unwrap_err();
    assert!(matches!(&error, PveError::NotDelivered(text) if text.contains("in time")), "{error:?}");
}

//! Questions on the wire: retried where that is harmless, bounded in size and time, quiet after a 401.

use std::time::Duration;

use lxc_core::ports::{PveApi, PveError};
use lxc_core::pve::{Power, TaskStatus};

use super::server::{Reply, Server};
use super::{SECRET, client, client_with, options};
use crate::pve::{Class, Options, Trust};

const VERSION: &str = "{\"version\":\"9.2.11\",\"release\":\"9.2\"}";

#[tokio::test]
async fn a_closed_kept_connection_is_not_noticed() {
    let server =
        Server::start(vec![Reply::data(VERSION), Reply::Cut(Vec::new()), Reply::data(VERSION)]).await;
    let client = client(&server);
    client.version().await.unwrap();
    client.version().await.unwrap();
    assert_eq!((server.requests().len(), server.connections()), (3, 2));
    assert_eq!(client.counters().of(Class::Version), 3);
}

#[tokio::test]
async fn a_question_is_not_repeated_for_ever() {
    let partial = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"data\":";
    let server = Server::start(vec![Reply::Cut(partial.into()); 2]).await;
    assert!(matches!(client(&server).version().await, Err(PveError::Lost(_))));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn what_passes_is_waited_out() {
    let busy = Reply::full("500 failed to read from command socket: Connection reset by peer", "");
    let state = "{\"vmid\":104,\"status\":\"running\",\"name\":\"web-1\",\"ha\":{\"managed\":0}}";
    let server = Server::start(vec![busy.clone(), busy.clone(), Reply::data(state)]).await;
    let live = client(&server).current("pve1", 104).await.unwrap();
    assert_eq!((live.power, live.ha), (Power::Running, None));

    let server = Server::start(vec![busy; 3]).await;
    assert!(client(&server).current("pve1", 104).await.unwrap_err().passes());
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_refused_token_is_not_shown_again() {
    let refused = Reply::full("401 Authentication failed!", "");
    let server = Server::start(vec![refused, Reply::data(VERSION)]).await;
    let options = Options { unauthorized_pause: Duration::from_millis(300), ..options() };
    let client = client_with(&server, Trust { pins: vec![server.fingerprint], ca: None }, options);
    for _ in 0..5 {
        let error = client.version().await.unwrap_err();
        assert_eq!(error, PveError::Unauthorized("Authentication failed!".into()));
        assert!(!error.to_string().contains(SECRET));
    }
    assert_eq!((server.requests().len(), client.counters().refused_tokens()), (1, 1));
    let shown_again = async {
        while client.version().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), shown_again).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn junk_is_garbage_and_short() {
    let endless =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n{}", "x".repeat(0x20_0000));
    let replies = [
        Reply::full("200 OK", "<!DOCTYPE html><title>Welcome to nginx!</title>"),
        Reply::full("404 Not Found", "<html>"),
        Reply::full("200 OK", "{\"data\":{\"version\":\"9"),
        Reply::full("200 OK", "{\"data\":[1,2]}"),
        Reply::data("{\"version\":[]}"),
        Reply::full("200 OK", "\u{fe}\u{1b}[2J\u{202e}äöü"),
        Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\xff\xfe\x00\x01".to_vec()),
        Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n".to_vec()),
        Reply::Raw(endless.into_bytes()),
        Reply::full("302 Found\r\nLocation: https://127.0.0.1:1/", ""),
    ];
    for reply in replies {
        let server = Server::start(vec![reply]).await;
        match client(&server).version().await {
            Err(PveError::Garbage(text)) => {
                assert!(text.len() < 400 && !text.contains('\u{1b}'), "{text}");
                assert!(text.starts_with("127.0.0.1:"), "{text}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_hides_no_other() {
    let good = r#"{"vmid":104,"type":"lxc","node":"pve1","status":"running"}"#;
    let bad = [
        (r#"{"vmid":105,"type":"lxc","node":[],"status":"exploded"}"#, Some(105)),
        ("42", None),
        (r#"{"vmid":{},"ha":7}"#, None),
    ];
    for (row, vmid) in bad {
        let rows = format!("[{row},{good}]");
        let server = Server::start((0..3).map(|_| Reply::data(&rows)).collect()).await;
        let client = client(&server);
        let resources = client.resources().await.unwrap();
        assert_eq!((resources.rows[0].vmid, resources.unread), (104, vec![vmid]), "{row}");
        let list = client.list_lxc("pve1").await.unwrap();
        assert_eq!((list.rows[0].vmid, list.unread), (104, vec![vmid]), "{row}");
        assert_eq!(client.locate(104).await.unwrap().map(|place| place.node), Some("pve1".to_owned()));
    }
    let server = Server::start(vec![Reply::data("[42]")]).await;
    assert!(matches!(client(&server).resources().await, Err(PveError::Garbage(_))));
}

#[tokio::test]
async fn silence_ends() {
    let server = Server::start(vec![Reply::Silence]).await;
    let options = Options { read: Duration::from_millis(200), ..options() };
    let client = client_with(&server, Trust { pins: vec![server.fingerprint], ca: None }, options);
    let error = client.version().await.unwrap_err();
    assert!(matches!(&error, PveError::Lost(text) if text.contains("in time")), "{error:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn paths_are_encoded() {
    let upid = "UPID:pve1:0003A1F2:01F0C3B7:6B01A463:vzstart:104:lxcd@pve!cli:".parse().unwrap();
    let unknown = "{\"errors\":{\"upid\":\"no such task\"},\"data\":null,\"message\":\"x\"}";
    let server = Server::start(vec![
        Reply::data("{\"status\":\"running\"}"),
        Reply::full("400 Parameter verification failed.", unknown),
        Reply::data("[]"),
    ])
    .await;
    let client = client(&server);
    assert_eq!(client.task_status(&upid).await, Ok(TaskStatus::Running));
    assert_eq!(client.task_status(&upid).await, Ok(TaskStatus::Unknown));
    client.list_lxc("../a b?").await.unwrap();
    let requests = server.requests();
    let encoded = "UPID%3Apve1%3A0003A1F2%3A01F0C3B7%3A6B01A463%3Avzstart%3A104%3Alxcd%40pve%21cli%3A";
    assert!(requests[0].starts_with(&format!("GET /api2/json/nodes/pve1/tasks/{encoded}/status HTTP/1.1")));
    assert!(requests[2].starts_with("GET /api2/json/nodes/..%2Fa%20b%3F/lxc HTTP/1.1"));
}

#[tokio::test]
async fn contradicting_headers_cost_a_connection() {
    // What goes through pvedaemon carries both (docs/proxmox.md). The server keeps the connection, hyper
    // gives it up, as RFC 9112 9.6 wants it: known, harmless, and the reason why session tickets stay on.
    let body = format!("{{\"data\":{VERSION}}}");
    let head = "Connection: close\r\nConnection: Keep-Alive";
    let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let server = Server::start(vec![Reply::Raw(answer.into_bytes()); 2]).await;
    let client = client(&server);
    client.version().await.unwrap();
    client.version().await.unwrap();
    assert_eq!((server.requests().len(), server.connections()), (2, 2));
}

//! Whom the client believes: pins, CAs, neither; and what it tells a peer before it does.

use lxc_core::ports::{PveApi, PveError};
use lxc_core::pve::Fingerprint;

use super::server::{Reply, Server, Shape};
use super::{client, client_with, options};
use crate::pve::{CaBundle, Trust, probe};

const VERSION: &str = "{\"version\":\"9.2.11\",\"release\":\"9.2\"}";

#[tokio::test]
async fn a_pin_is_enough_whatever_the_name_and_date() {
    let server =
        Server::shaped(Shape { strange: true, ..Shape::default() }, vec![Reply::data(VERSION)]).await;
    assert_eq!(client(&server).version().await.unwrap().version, "9.2.11");
}

#[tokio::test]
async fn another_certificate_is_named_and_told_nothing() {
    let server = Server::start(vec![]).await;
    let trust = Trust { pins: vec![Fingerprint::of(b"another")], ca: None };
    let client = client_with(&server, trust, options());
    let untrusted = PveError::Untrusted { fingerprint: server.fingerprint.to_string() };
    assert_eq!(client.version().await.unwrap_err(), untrusted);
    let call = lxc_core::pve::Call::Start;
    assert_eq!(client.dispatch("pve1", 104, &call).await.unwrap_err(), untrusted);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_ca_stands_for_its_certificates_under_their_names() {
    let server = Server::start(vec![Reply::data(VERSION)]).await;
    let ca = CaBundle::from_pem(server.ca_pem.as_bytes()).unwrap();
    let trust = Trust { pins: vec![], ca: Some(ca) };
    assert!(client_with(&server, trust, options()).version().await.is_ok());

    let strange = Server::shaped(Shape { strange: true, ..Shape::default() }, vec![]).await;
    let ca = CaBundle::from_pem(strange.ca_pem.as_bytes()).unwrap();
    let trust = Trust { pins: vec![], ca: Some(ca) };
    let error = client_with(&strange, trust, options()).version().await.unwrap_err();
    assert_eq!(error, PveError::Untrusted { fingerprint: strange.fingerprint.to_string() });
}

#[tokio::test]
async fn a_pinned_certificate_without_its_key_is_no_proof() {
    let server = Server::shaped(Shape { stolen: true, ..Shape::default() }, vec![]).await;
    let error = client(&server).version().await.unwrap_err();
    assert!(matches!(error, PveError::NotDelivered(_)), "{error:?}");
    assert!(server.requests().is_empty());
    assert!(matches!(probe(&server.url, None).await, Err(PveError::NotDelivered(_))));
}

#[tokio::test]
async fn a_probe_reports_and_hangs_up() {
    let server = Server::start(vec![]).await;
    let ca = CaBundle::from_pem(server.ca_pem.as_bytes()).unwrap();
    let seen = probe(&server.url, Some(&ca)).await.unwrap();
    assert_eq!((seen.subject.as_str(), seen.issuer.as_str()), ("pve1.lan", "Test Cluster Manager CA"));
    assert_eq!(seen.fingerprint, server.fingerprint);
    assert!(seen.vouched && seen.not_after.is_some());
    let unknown = probe(&server.url, None).await.unwrap();
    assert!(!unknown.vouched);

    let strange = Server::shaped(Shape { strange: true, ..Shape::default() }, vec![]).await;
    let ca = CaBundle::from_pem(strange.ca_pem.as_bytes()).unwrap();
    let seen = probe(&strange.url, Some(&ca)).await.unwrap();
    assert!(!seen.vouched);
    assert_eq!(seen.not_after, Some(978_307_200_000_000));
    assert!(server.requests().is_empty() && strange.requests().is_empty());
}

#[tokio::test]
async fn what_does_not_speak_tls_is_not_reached() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: crate::pve::ApiUrl = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await;
        }
    });
    let mut server = Server::start(vec![]).await;
    server.url = url;
    for error in [client(&server).version().await.unwrap_err(), probe(&server.url, None).await.unwrap_err()] {
        assert!(matches!(&error, PveError::NotDelivered(text) if text.contains("127.0.0.1")), "{error:?}");
    }
}

//! Several URLs of one remote: who is asked when one does not answer, and what is never asked twice.

use lxc_core::ports::{PveApi, PveError};
use lxc_core::pve::{Call, Fingerprint};
use secrecy::SecretString;

use super::server::{Reply, Server};
use super::{SECRET, options};
use crate::pve::{Endpoint, PveClient, Token, Trust};

const UPID: &str = "\"UPID:pve1:0003A1F2:01F0C3B7:6B01A463:vzstart:104:lxcd@pve!cli:\"";
const VERSION: &str = "{\"version\":\"9.2\"}";

fn endpoint(url: &crate::pve::ApiUrl, pin: Fingerprint, node: &str) -> Endpoint {
    let trust = Trust { pins: vec![pin], ca: None };
    Endpoint { url: url.clone(), trust, node: Some(node.to_owned()) }
}

fn client(endpoints: Vec<Endpoint>) -> PveClient {
    let token = Token::new("lxcd@pve!cli", SecretString::from(SECRET)).unwrap();
    PveClient::new(endpoints, token, options()).unwrap()
}

/// Nobody listens there.
fn nobody() -> Endpoint {
    endpoint(&"https://127.0.0.1:1".parse().unwrap(), Fingerprint::of(b"x"), "pve1")
}

fn here(server: &Server, node: &str) -> Endpoint {
    endpoint(&server.url, server.fingerprint, node)
}

#[tokio::test]
async fn a_url_that_is_not_reached_is_left_alone_for_a_while() {
    let server = Server::start(vec![Reply::data(VERSION), Reply::data(VERSION), Reply::data(UPID)]).await;
    let client = client(vec![nobody(), here(&server, "pve2")]);
    client.version().await.unwrap();
    let reach = client.reach();
    let (_, why) = reach[0].down.clone().unwrap();
    assert!(why.contains("127.0.0.1:1") && reach[1].down.is_none(), "{reach:?}");
    client.version().await.unwrap();
    client.dispatch("pve1", 104, &Call::Start).await.unwrap();
    assert_eq!(server.requests().len(), 3);
    assert!(client.counters().total() <= 4, "asked once a pause: {}", client.counters().total());
}

#[tokio::test]
async fn a_change_goes_elsewhere_only_when_it_has_reached_nobody() {
    let second = Server::start(vec![Reply::data(UPID)]).await;
    client(vec![nobody(), here(&second, "pve2")]).dispatch("pve1", 104, &Call::Start).await.unwrap();

    // A reply that is lost: it may have happened.
    let first = Server::start(vec![Reply::Cut(Vec::new())]).await;
    let second = Server::start(Vec::new()).await;
    let both = client(vec![here(&first, "pve1"), here(&second, "pve2")]);
    assert!(matches!(both.dispatch("pve1", 104, &Call::Start).await, Err(PveError::Lost(_))));
    assert_eq!((first.requests().len(), second.connections()), (1, 0));
}

#[tokio::test]
async fn a_node_that_another_one_cannot_reach_is_asked_itself() {
    let no_route = || Reply::full("595 No route to host", "");
    let first = Server::start(vec![no_route(), no_route()]).await;
    let second = Server::start(Vec::new()).await;
    let third = Server::start(vec![Reply::data(UPID)]).await;
    let all = client(vec![here(&first, "pve1"), here(&second, "pve2"), here(&third, "pve3")]);
    all.dispatch("pve3", 104, &Call::Start).await.unwrap();
    // Nobody has a URL of that node: a third opinion is worth nothing.
    assert!(matches!(all.dispatch("pve4", 104, &Call::Start).await, Err(PveError::NotDelivered(_))));
    assert_eq!((first.requests().len(), second.connections(), third.requests().len()), (2, 0, 1));
    assert!(all.reach().iter().all(|one| one.down.is_none()), "its proxy did answer");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_gets_no_token() {
    let strange = Server::start(Vec::new()).await;
    let good = Server::start(vec![Reply::data(VERSION)]).await;
    let odd = endpoint(&strange.url, Fingerprint::of(b"another"), "pve1");
    let both = client(vec![odd, here(&good, "pve2")]);
    both.version().await.unwrap();
    assert_eq!(strange.requests().len(), 0);
    assert!(both.reach()[0].down.is_some());
}

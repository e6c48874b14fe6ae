//! Tickets of a user with a password: had by a log-in, renewed in time, had anew when they are refused; and a change
//! goes out once whatever becomes of them.

use std::time::Duration;

use lxc_core::ports::{PveApi, PveError};
use lxc_core::pve::Call;
use secrecy::SecretString;

use super::options;
use super::server::{Reply, Server};
use crate::pve::{Class, Credentials, Endpoint, Options, Outcome, PveClient, Trust};

const VERSION: &str = "{\"version\":\"9.2\"}";
const UPID: &str = "\"UPID:pve1:0003A1F2:01F0C3B7:6B01A463:vzstart:104:ann@pve:\"";

fn ticket(text: &str) -> Reply {
    Reply::data(&format!("{{\"ticket\":\"PVE:{text}\",\"CSRFPreventionToken\":\"proof-{text}\"}}"))
}

fn refused() -> Reply {
    Reply::full("401 invalid PVE ticket", "")
}

fn client(server: &Server, options: Options) -> PveClient {
    let who = Credentials::new("ann@pve", SecretString::from("pass word")).unwrap();
    let trust = Trust { pins: vec![server.fingerprint], ca: None };
    PveClient::new(vec![Endpoint { url: server.url.clone(), trust, node: None }], who, options).unwrap()
}

/// Each request in short: what was asked, and with which ticket or password.
fn told(server: &Server) -> Vec<String> {
    let short = |request: &String| {
        let path = request.split(' ').nth(1).unwrap().rsplit('/').next().unwrap().to_owned();
        let cookie = request.split("PVEAuthCookie=PVE%3A").nth(1).and_then(|rest| rest.split("\r\n").next());
        let password = request.split("password=").nth(1);
        format!("{path} {}", cookie.or(password).unwrap_or_default())
    };
    server.requests().iter().map(short).collect()
}

#[tokio::test]
async fn one_ticket_serves_until_it_is_old_and_then_buys_the_next() {
    let version = Reply::data(VERSION);
    let server =
        Server::start(vec![ticket("a"), version.clone(), version.clone(), ticket("b"), version]).await;
    let young = client(&server, options());
    young.version().await.unwrap();
    young.version().await.unwrap();
    assert_eq!(told(&server), ["ticket pass+word", "version a", "version a"]);

    let version = Reply::data(VERSION);
    let server = Server::start(vec![ticket("a"), version.clone(), ticket("b"), version.clone()]).await;
    let old = client(&server, Options { ticket_age: Duration::ZERO, ..options() });
    old.version().await.unwrap();
    old.version().await.unwrap();
    assert_eq!(told(&server), ["ticket pass+word", "version a", "ticket PVE%3Aa", "version b"]);
    assert_eq!(old.counters().of(Class::LogIn), 2);

    // One that cannot buy the next: the password still can.
    let server = Server::start(vec![ticket("a"), version.clone(), refused(), ticket("b"), version]).await;
    let old = client(&server, Options { ticket_age: Duration::ZERO, ..options() });
    old.version().await.unwrap();
    old.version().await.unwrap();
    let all = ["ticket pass+word", "version a", "ticket PVE%3Aa", "ticket pass+word", "version b"];
    assert_eq!(told(&server), all);
}

#[tokio::test]
async fn a_question_with_a_ticket_that_is_refused_is_asked_with_a_new_one() {
    let version = Reply::data(VERSION);
    let replies = vec![ticket("a"), version.clone(), refused(), ticket("b"), version.clone(), version];
    let server = Server::start(replies).await;
    let client = client(&server, options());
    for _ in 0..3 {
        client.version().await.unwrap();
    }
    let all = ["ticket pass+word", "version a", "version a", "ticket pass+word", "version b", "version b"];
    assert_eq!(told(&server), all);
    assert_eq!(client.counters().ended(Class::Version, Outcome::Unauthorized), 1);
}

#[tokio::test]
async fn a_password_that_is_wrong_is_shown_once() {
    let server = Server::start(vec![ticket("a"), refused(), refused(), Reply::data(VERSION)]).await;
    let client = client(&server, options());
    for _ in 0..3 {
        assert!(matches!(client.version().await, Err(PveError::Unauthorized(_))));
    }
    assert_eq!(told(&server), ["ticket pass+word", "version a", "ticket pass+word"]);
}

#[tokio::test]
async fn a_new_ticket_that_is_refused_too_is_the_end_of_it() {
    let server = Server::start(vec![ticket("a"), refused(), ticket("b"), refused(), ticket("c")]).await;
    let client = client(&server, options());
    for _ in 0..3 {
        assert!(matches!(client.version().await, Err(PveError::Unauthorized(_))));
    }
    assert_eq!(told(&server), ["ticket pass+word", "version a", "ticket pass+word", "version b"]);
}

#[tokio::test]
async fn a_change_goes_out_once_whatever_becomes_of_its_ticket() {
    let replies = vec![ticket("a"), refused(), ticket("b"), Reply::data(VERSION), Reply::data(UPID)];
    let server = Server::start(replies).await;
    let client = client(&server, options());
    let answer = client.dispatch("pve1", 104, &Call::Start).await;
    assert!(matches!(answer, Err(PveError::Unauthorized(_))), "{answer:?}");
    assert_eq!(told(&server), ["ticket pass+word", "start a"]);
    // What is asked next is not held up.
    client.version().await.unwrap();
    client.dispatch("pve1", 104, &Call::Start).await.unwrap();
    assert_eq!(told(&server)[2..], ["ticket pass+word", "version b", "start b"]);
    assert!(server.requests()[4].contains("csrfpreventiontoken: proof-b\r\n"));

    // Renewed before it goes out, and then once.
    let server = Server::start(vec![ticket("a"), Reply::data(UPID), ticket("b"), Reply::data(UPID)]).await;
    let client = self::client(&server, Options { ticket_age: Duration::ZERO, ..options() });
    for _ in 0..2 {
        client.dispatch("pve1", 104, &Call::Start).await.unwrap();
    }
    assert_eq!(told(&server), ["ticket pass+word", "start a", "ticket PVE%3Aa", "start b"]);
}

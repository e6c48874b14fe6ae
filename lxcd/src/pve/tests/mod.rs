//! Tests of the adapter as a whole: against a real TLS server in the same process, and against
//! answers recorded from a genuine Proxmox VE.

mod junk;
mod questions;
mod recorded;
mod server;
mod tickets;
mod trust;
mod ways;
mod wire;

use std::time::Duration;

use secrecy::SecretString;

use super::{Endpoint, Options, PveClient, Token, Trust};
use server::Server;

/// The secret of the test token; must never show up in anything printed.
const SECRET: &str = "b2c7-not-to-be-seen";

/// Waits far shorter than the real ones, longer than a busy test machine needs.
fn options() -> Options {
    Options {
        connect: Duration::from_secs(5),
        read: Duration::from_millis(1500),
        total: Duration::from_secs(10),
        transient_pauses: vec![Duration::from_millis(5), Duration::from_millis(10)],
        ..Options::default()
    }
}

fn client_with(server: &Server, trust: Trust, options: Options) -> PveClient {
    let token = Token::new("lxcd@pve!cli", SecretString::from(SECRET)).unwrap();
    PveClient::new(vec![Endpoint { url: server.url.clone(), trust, node: None }], token, options).unwrap()
}

/// A client that has the server's certificate pinned.
fn client(server: &Server) -> PveClient {
    client_with(server, Trust { pins: vec![server.fingerprint], ca: None }, options())
}
